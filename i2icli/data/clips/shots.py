"""Clips divided at scene cuts, and their last parts held out for validation."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from i2icli.data.clips.footage import FRAMES, Footage, Shot
from i2icli.data.describe import counted
from i2icli.data.options import DataOptions
from i2icli.data.validation_split import split_off
from i2icli.errors import UserError, several
from i2icli.flow.cuts import Thumbnail, find_scenes
from i2icli.task import Port

SHORTEST = 4  # frames of a clip that is worth having
VALIDATED = 24  # frames of a validation clip, at most: enough for a spectrum, and to see it drift

_MOST_FILES = 5_000  # frames in files that are searched for cuts: each has to be decoded
_LONG = 5  # seconds: a search that took longer is reported


@dataclass
class Shots:
    """What a search of clips found."""

    shots: list[Shot] = field(default_factory=list)
    clips: int = 0
    frames: int = 0
    cuts: int = 0
    duplicates: int = 0
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Their number, for the report."""
        return f"{counted(self.clips, 'clip')}, {counted(self.frames, 'frame')}"


def find_shots(
    parts: Sequence[Sequence[Footage]], options: DataOptions, port: Port
) -> tuple[list[Shots], list[str]]:
    """The shots of the clips of each part, whose frames a port reads, and lines for the report.

    Frames that repeat the one before, and such as cannot be decoded, are left out. Raises UserError if sides
    of a clip are not equally long, and for the first frame that cannot be decoded if `options.strict`.
    """
    start = time.monotonic()
    files = sum(clip.frames.length() for part in parts for clip in part if not clip.frames.sequential)
    found = []
    for part in parts:
        shots = Shots()
        for footage in part:
            searched = footage.frames.sequential or files <= _MOST_FILES
            _search(footage, port, shots, searched=searched, strict=options.strict)
        found.append(shots)
    return found, _lines(found, time.monotonic() - start, files)


def _search(footage: Footage, port: Port, shots: Shots, *, searched: bool, strict: bool) -> None:
    good: list[int] = []
    length = 0

    def readable() -> Iterator[Thumbnail]:
        nonlocal length
        for index, each in enumerate(footage.frames.thumbnails(port)):
            length = index + 1
            if not isinstance(each, UserError):
                good.append(index)
                yield each
            elif strict:
                raise each
            else:
                shots.broken.append(str(each))

    shots.clips += 1
    if not searched:
        everything = tuple(range(footage.frames.length()))
        shots.frames += len(everything)
        shots.shots.append(Shot(footage, everything))
        return
    scenes = find_scenes(readable())
    _refuse_other_length(footage, length)
    repeated = set(scenes.duplicates)
    shots.frames += len(good)
    shots.cuts += len(scenes.cuts)
    shots.duplicates += len(repeated)
    for scene in scenes.scenes:
        frames = tuple(good[place] for place in scene if place not in repeated)
        if len(frames) >= SHORTEST:
            shots.shots.append(Shot(footage, frames))


def _refuse_other_length(footage: Footage, length: int) -> None:
    """Raise UserError if a video of another side is longer or shorter; files were matched by name."""
    for name, side in footage.sides.items():
        if name == FRAMES or not side.sequential:
            continue
        other = side.length()
        if other != length:
            raise UserError(
                f"{side.name} has {counted(other, 'frame')}, {footage.frames.name} {length:,}: every frame "
                "needs its counterpart; cut both to the same frames"
            )


def _lines(found: Sequence[Shots], seconds: float, files: int) -> list[str]:
    cuts, duplicates = (sum(getattr(each, name) for each in found) for name in ("cuts", "duplicates"))
    broken = [why for each in found for why in each.broken]
    lines = []
    if cuts:
        lines.append(f"clips are divided at {counted(cuts, 'scene cut')}")
    if duplicates:
        lines.append(f"left out {counted(duplicates, 'frame')} repeating the one before (telecine)")
    if broken:
        lines.append(f"skipped {counted(len(broken), 'broken frame')}: {several(broken)}")
    if files > _MOST_FILES:
        lines.append(f"not searched for scene cuts: {counted(files, 'frame')} in files")
    if seconds > _LONG:
        lines.append(f"clips searched for scene cuts in {seconds:.0f} s")
    return lines


def hold_out(shots: Sequence[Shot], options: DataOptions) -> tuple[list[Shot], list[Shot]]:
    """-> (training, validation): the last part of each clip, as long as the fraction asked for.

    Where that would be too short in every clip, whole clips, chosen by the seed; where these are too few for
    that, four frames of the longest clip, if it has five times as many.
    """
    clips: dict[int, list[Shot]] = {}
    for shot in shots:
        clips.setdefault(id(shot.footage), []).append(shot)
    train: list[Shot] = []
    held_out: list[Shot] = []
    for own in clips.values():
        kept, last = _without_last(own, int(_frames(own) * options.validation_fraction + 1e-9))
        train += kept
        held_out += last
    if held_out:
        return train, held_out
    groups, whole = split_off(list(clips.values()), options)
    longest = max(groups, key=_frames, default=[])
    if whole or not options.validation_fraction or _frames(longest) < 5 * SHORTEST:
        return [shot for own in groups for shot in own], [shot for own in whole for shot in own]
    kept, last = _without_last(longest, SHORTEST)
    return [shot for own in groups for shot in (kept if own is longest else own)], last


def _frames(shots: Sequence[Shot]) -> int:
    return sum(map(len, shots))


def _without_last(shots: Sequence[Shot], count: int) -> tuple[list[Shot], list[Shot]]:
    """The shots of a clip without its last `count` frames, and these; all of them if that is too few."""
    if count < SHORTEST:
        return list(shots), []
    frames = [frame for shot in shots for frame in shot.frames]
    first, end = frames[-count], frames[-1] + 1
    return _part(shots, range(first)), _part(shots, range(first, end))


def parts_of(shots: Sequence[Shot]) -> list[Shot]:
    """Shots in parts of at most 24 frames, one after the other, without what becomes too short."""
    parts = [
        Shot(shot.footage, shot.frames[start : start + VALIDATED])
        for shot in shots
        for start in range(0, len(shot), VALIDATED)
    ]
    return [part for part in parts if len(part) >= SHORTEST] or list(shots)


def _part(shots: Sequence[Shot], kept: range) -> list[Shot]:
    """The frames of shots within a range, without what becomes too short."""
    parts = (Shot(shot.footage, tuple(frame for frame in shot.frames if frame in kept)) for shot in shots)
    return [shot for shot in parts if len(shot) >= SHORTEST]
