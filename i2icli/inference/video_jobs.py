"""Which videos the user named, and where their results go."""

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from i2icli.errors import UserError, several
from i2icli.files import real
from i2icli.image.finding import find_images
from i2icli.image.pillow_files import is_moving_gif
from i2icli.inference.inputs import folders_above
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.video_names import STILL, is_video_name
from i2icli.video.containers import MUXERS, muxer_of
from i2icli.video.sequences import is_sequence, sequence_files

SEQUENCE_SUFFIX = ".mp4"  # of results of image sequences, and of containers that are read only
_DIGITS = "%"  # of a pattern such as %05d.png


@dataclass(frozen=True)
class VideoJob:
    """One result to be made of one video."""

    source: str  # as the video room opens it: a file, or a folder, glob or pattern of images
    spec: OutputSpec
    target: Path  # a file, or a folder of frames
    folders: tuple[str, ...] = ()  # names of those above it that may tell its domain, nearest first
    error: str | None = None  # why it cannot be done, found before reading it


def plan_videos(
    inputs: Iterable[str], out: Path, specs: Sequence[OutputSpec], format: str | None = None
) -> list[VideoJob]:
    """One job for each video and each spec, those of several specs in folders named by them.

    `out` is a file if its suffix is that of a container, for one result; else a folder. A name that matches
    nothing is a job that says so. Raises UserError if all do, if a result would take the place of an input,
    and for a format that is not known.
    """
    suffix = suffix_of(format) if format else None
    found, refused = _found(inputs)
    if is_video_name(out) and not out.is_dir():
        muxer_of(out)  # refuses those that are only read
    is_file = out.suffix.lower() in MUXERS and not out.is_dir()
    if is_file and (len(found) > 1 or len(specs) > 1):
        many = f"{len(found)} videos" if len(found) > 1 else f"{len(specs)} results"
        raise UserError(f"--out {out}: one file for {many}; give a folder")
    if is_file and suffix not in (None, out.suffix.lower()):
        raise UserError(f"--out {out}: another format than --format {format}; leave one of them out")
    jobs = [VideoJob(name, specs[0], Path(), error=why) for name, why in refused.items()]
    taken = {place: source for source in found for place in _places(source)}
    owners: dict[Path, str] = {}
    for source, folders in found.items():
        for spec in specs:
            target = out if is_file else out / spec.name / result_name(source, suffix)
            if real(target) in taken:
                replaced = taken[real(target)]
                raise UserError(
                    f"--out {out}: the result would replace the input {replaced}; choose another --out"
                )
            if Path(source).is_dir() and real(Path(source)) in real(target).parents:
                raise UserError(
                    f"--out {out}: lies in {source}, whose images are frames; choose another --out"
                )
            owner = owners.setdefault(target, source)
            why = f"its result would be {target}, as that of {owner}; translate it into another --out"
            jobs.append(VideoJob(source, spec, target, folders, None if owner == source else why))
    return jobs


def result_name(source: str, suffix: str | None) -> str:
    """The name of a result: that of a video, or of the folder that holds the images of a sequence.

    suffix: of the format asked for; a folder of frames has none.
    """
    path = Path(source)
    if not is_sequence(source):
        kept = path.suffix if path.suffix.lower() in MUXERS else SEQUENCE_SUFFIX
        stem = path.stem
    else:
        folder = path if path.is_dir() else path.parent
        stem, kept = folder.resolve().name or "frames", SEQUENCE_SUFFIX
    if suffix is None:
        return stem + kept
    return stem if suffix in STILL else stem + suffix


def suffix_of(format: str) -> str:
    """The suffix of a container or of images. Raises UserError for one we do not write."""
    suffix = "." + format.lower().lstrip(".")
    if suffix not in MUXERS and suffix not in STILL:
        known = ", ".join(dict.fromkeys(each[1:] for each in (*MUXERS, *STILL)))
        raise UserError(f"--format {format}: unknown; expected {known}")
    return suffix


def _found(inputs: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Source -> names of the folders above it; names that cannot be used -> why.

    Raises UserError if there is no video at all.
    """
    found: dict[str, tuple[str, ...]] = {}
    refused: dict[str, str] = {}
    for word in inputs:
        try:
            for source in _sources(word):
                path = Path(source)
                inside = path / "frame" if path.is_dir() else path
                found.setdefault(source, folders_above(inside, inside.parent))
        except UserError as error:
            refused[word] = str(error)
        except (OSError, ValueError) as error:  # what no system can look up: a NUL byte, endless names
            short = repr(word[:80])
            refused[short] = f"{short}: not a usable path ({type(error).__name__})"
    if not found:
        raise UserError(several(list(refused.values())) or "nothing to translate: name a video")
    return found, refused


def _places(source: str) -> set[Path]:
    """Where an input lies: its file, or the folders of its images."""
    if not is_sequence(source) or Path(source).is_dir():
        return {real(Path(source))}
    try:
        return {real(file.parent) for file in sequence_files(source)}
    except UserError:  # there are none, which is said when it is read
        return set()


def _moves(path: Path) -> bool:
    """Whether a file is a video by its name; a GIF, which may be a still image, by its content."""
    return is_video_name(path) and (path.suffix.lower() != ".gif" or is_moving_gif(path))


def _sources(word: str) -> list[str]:
    """The videos that a word means: itself, those a glob matches, those in a folder without images.

    Raises UserError if there is none.
    """
    path = Path(word)
    if path.is_dir():
        videos = sorted(str(each) for each in path.iterdir() if _moves(each))
        if videos and all(map(_moves, find_images(path))):
            return videos
        return [word]
    if word and (path.exists() or _DIGITS in path.name):
        return [word]
    if glob.has_magic(word):
        matches = sorted(glob.glob(word, recursive=True))  # noqa: PTH207 - Path.glob has no absolute patterns
        videos = [each for each in matches if _moves(Path(each))]
        if matches:
            return videos or [word]
        raise UserError(f"{word}: matches no file")
    raise UserError(f"{word or repr(word)}: there is no such file or folder")
