"""runs/x: the files of a training run, written atomically."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.originals.torch_pickles import check_saved
from i2icli.report.log import Row, read_log
from i2icli.runs import COUNTS, SEGMENTER


def default_folder(system: str, data: Sequence[Path]) -> Path:
    """runs/<system>-<name of the data folder, or of both>."""
    return Path("runs") / "-".join([system, *(Path(folder).resolve().name for folder in data)])


class RunFolder:
    """Paths, log and resume state of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / "model.safetensors"
        self.best = path / "best.safetensors"
        self.segmenter = path / SEGMENTER
        self.recipe = path / "recipe.toml"
        self.counts = path / COUNTS
        self.report = path / "report.html"
        self.log_file = path / "log.jsonl"
        self.samples = path / "samples"
        self.strip, self.film = path / "clip.png", path / "clip.webp"  # of the last validation
        self.states = (path / "resume.pt", path / "resume.previous.pt")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second process out. Raises UserError if one is already training here."""
        try:
            str(self.path).encode()  # safetensors requires UTF-8 paths
            self.path.mkdir(parents=True, exist_ok=True)
        except (OSError, UnicodeEncodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "its name is not in UTF-8"
            raise UserError(
                f"--out {self.path}: cannot be a run folder ({why}); choose another --out"
            ) from None
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(
                f"{self.path}: another process is training here; wait for it or choose another --out"
            ) from None
        for leftover in self.path.rglob(".*.writing*"):  # of a process that was killed while writing
            leftover.unlink()
        try:
            yield
        finally:
            lock.release()

    # -- the state for resuming ----------------------------------------------------------

    def save_state(self, state: dict[str, Any]) -> None:
        """Save the state; the previous one is kept as resume.previous.pt."""
        newest, previous = self.states
        with atomic_write(newest) as beside:
            torch.save(state, beside)
            if newest.exists():
                newest.replace(previous)  # if killed here, the previous state is still there to load

    def load_state(self) -> dict[str, Any] | None:
        """The newest readable state, None in a new folder. Raises UserError if all are damaged."""
        found = [path for path in self.states if path.exists()]
        for path in found:
            try:
                check_saved(path)
                return torch.load(path, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]
            except Exception:  # truncated or not ours: the previous copy may still be intact
                continue
        if found:
            raise UserError(
                f"{found[0]}: damaged, and so is any older copy; "
                f"start a new run from its last weights with --init-from {self.model} --out NEW_FOLDER"
            )
        return None

    def save_counts(self, counts: Mapping[str, int | bool]) -> None:
        """Save how many examples the run has: `counts_of` its data."""
        with atomic_write(self.counts) as beside:
            beside.write_text(json.dumps(counts) + "\n", encoding="utf-8")

    def data_folders(self) -> tuple[Path, ...]:
        """The folders that the run learned from, as far as they are there; none where it has no state."""
        for path in self.states:
            try:
                # Mapped: of all tensors none is read.
                state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
                return tuple(folder for folder in map(Path, state["data"]) if folder.is_dir())
            except Exception:  # missing, truncated or not ours
                continue
        return ()

    # -- the log -------------------------------------------------------------------------

    def log(self, row: Row) -> None:
        """Append one line."""
        with self.log_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def rewind_log(self, step: int) -> None:
        """Drop the rows after a step: these steps are about to be repeated."""
        if not self.log_file.exists():
            return
        kept = [row for row in read_log(self.log_file) if row["step"] <= step]
        with atomic_write(self.log_file) as beside:
            beside.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
