"""Frames of clips matched across folders: the same clip, and in it the same numbers."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection as Members
from collections.abc import Mapping
from pathlib import Path

from i2icli.data.labels.names import scene_stem
from i2icli.errors import UserError
from i2icli.image.finding import Collection

Key = int | str
"""Of a frame: the number in its name, else its name."""
Clips = dict[str, dict[Key, Path]]
"""The frames of every clip, in order, by the name of the clip."""

_NUMBERED = re.compile(r"(.*?)(\d{1,18})\D*", re.ASCII)  # the last number


def clips_in(collection: Collection) -> Clips:
    """The clips of a collection: its folders, and in these the frames whose names differ in the last number.

    Names are those of the folders, with what stands before the number where a folder holds several clips
    (Cityscapes: aachen/aachen_000000). Case makes no difference.
    """
    folders: dict[Path, list[Path]] = defaultdict(list)
    for file in collection.images:
        folders[file.parent].append(file)
    found: Clips = {}
    for folder, files in folders.items():
        name = collection.key(folder / "x").removesuffix("x").rstrip("/")
        series = _series(files)
        for prefix, frames in series.items():
            own = prefix.rstrip("_- .") if len(series) > 1 else ""
            found["/".join(filter(None, (name, own)))] = frames
    return found


def matched(
    clips: Mapping[str, Clips], optional: Members[str] = ()
) -> tuple[dict[str, dict[str, list[Path]]], list[str]]:
    """Clips that all sides have: clip -> side -> its files, in order; and what clips are alone, in lines.

    clips: by the name of the side, such as the folder; optional: sides that a clip may lack. Raises UserError
    if no clip is in all others, or if one has other frames on another side.
    """
    sides = [side for side in clips if side not in optional]
    first = clips[sides[0]]
    common = [name for name in first if all(name in clips[side] for side in sides)]
    if not common:
        examples = " and ".join(f"{next(iter(clips[side]), 'nothing')} in {side}" for side in sides)
        raise UserError(
            f"no clip is in every folder (e.g. {examples}); a clip needs folders of one name, such as "
            "A/clip/0001.png and B/clip/0001.png"
        )
    lines = []
    for side in sides:
        alone = [name for name in clips[side] if name not in common]
        if alone:
            lines.append(f"skipped clips of {side} that other folders lack: {', '.join(alone[:3])}")
    found: dict[str, dict[str, list[Path]]] = {}
    for name in common:
        own = {side: each[name] for side, each in clips.items() if name in each}
        for side, frames in own.items():
            _refuse_other_frames(name, (sides[0], first[name]), (side, frames))
        found[name] = {side: [frames[key] for key in first[name]] for side, frames in own.items()}
    return found, lines


def _series(files: list[Path]) -> dict[str, dict[Key, Path]]:
    """Files of a folder, in natural order, by what stands before the last number; or one series of names."""
    found: dict[str, dict[Key, Path]] = defaultdict(dict)
    for file in files:
        match = _NUMBERED.fullmatch(scene_stem(file.stem).casefold())
        if match is None or int(match[2]) in found[match[1]]:
            return _by_names(files)
        found[match[1]][int(match[2])] = file
    if Counter(map(len, found.values())).get(1, 0) * 2 > len(found):
        return _by_names(files)  # numbers that say nothing, as in a1.png, b7.png
    return dict(found)  # files come in natural order


def _by_names(files: list[Path]) -> dict[str, dict[Key, Path]]:
    return {"": {scene_stem(file.stem).casefold(): file for file in files}}


def _refuse_other_frames(
    clip: str, first: tuple[str, Mapping[Key, Path]], second: tuple[str, Mapping[Key, Path]]
) -> None:
    """Raise UserError if a clip has other frames on the second side than on the first."""
    for (side, frames), (other, others) in ((first, second), (second, first)):
        alone = next((file for key, file in frames.items() if key not in others), None)
        if alone is not None:
            raise UserError(
                f"clip {clip or alone.parent.name}: {counts(len(frames), side)}, "
                f"{counts(len(others), other)}; {alone.name} of {side} has no counterpart: every frame needs "
                "one of the same number"
            )


def counts(number: int, side: str) -> str:
    """12 frames in A."""
    return f"{number:,} frame{'s' * (number != 1)} in {side}"
