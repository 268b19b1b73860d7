"""How folders that i2i wrote are known again, so that nothing in them is taken for data. No torch here."""

import json
import os
from functools import lru_cache
from pathlib import Path

RUN = ".i2i-run"  # in every run folder
MANIFEST = ".i2i-results.json"  # in a folder of results: what model and settings they are made with
RECORD = ".i2i-inputs.jsonl"  # beside it: which results there are, and what each was made from
VIDEOS = ".i2i-video"  # beside results of videos: what each was made with
SHEETS = "compare"  # the contact sheets in a folder of results

SAMPLES, STRIP, FILM = "samples", "clip.png", "clip.webp"  # the images in a run folder
_BESIDE = (
    "model.safetensors", "best.safetensors", "segmenter.safetensors", "resume.pt", "resume.previous.pt",
    "recipe.toml", "data.json", "log.jsonl", "report.html", "tensorboard",
    "wandb", "trackers.json",
)  # fmt: skip
"""What else a run writes."""
_OF_RUNS = ("recipe.toml", "model.safetensors")  # in those of earlier versions, which have no mark


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a run."""
    return (folder / RUN).exists() or all((folder / name).exists() for name in _OF_RUNS)


def own_names(folder: Path) -> frozenset[str]:
    """Names, in a folder, of files and folders that i2i wrote, results of images aside."""
    names: set[str] = set()
    if is_run(folder):
        names |= {SAMPLES, STRIP, FILM, *_BESIDE}
    if (folder / MANIFEST).exists():
        names.add(SHEETS)
    if (folder / VIDEOS).is_dir():
        names |= {each.stem for each in (folder / VIDEOS).glob("*.json")}
    return frozenset(names)


def own_results(folder: Path) -> frozenset[Path] | None:
    """The results of images in a folder and below it; None where all are, as none are listed."""
    record = folder / RECORD
    if record.is_file():
        about = record.stat()
        return frozenset(folder / name for name in _listed(str(record), about.st_size, about.st_mtime_ns))
    return None if (folder / MANIFEST).exists() else frozenset()


@lru_cache(maxsize=8)
def _listed(record: str, _size: int, _time: int) -> frozenset[str]:
    return frozenset(str(row["result"]) for row in read_rows(Path(record)))


def read_rows(record: Path) -> list[dict[str, object]]:
    """The lines of a record; a line that a kill cut off is left out."""
    rows = []
    try:
        text = record.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and "result" in row:
            rows.append(row)
    return rows


def is_marked(folder: Path) -> bool:
    """Whether a folder, or one below it, is of a run or of results."""
    for _, folders, files in os.walk(folder):
        if RUN in files or MANIFEST in files or VIDEOS in folders or set(_OF_RUNS) <= set(files):
            return True
    return False
