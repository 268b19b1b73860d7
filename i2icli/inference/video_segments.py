"""The finished segments of a video that is being translated: what a killed job goes on from.

Beside the result lies a hidden folder: `NAME.json`, the manifest, says which model and options it is made
with; `NAME/` holds for every finished segment `0000.json`, written last, and what is needed to go on after
it. Of videos the segment itself lies there as well.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.inference.manifest import without_folders
from i2icli.marks import VIDEOS
from i2icli.request import Arrays
from i2icli.video import Damage

INPUT = "input"  # the setting that is no option: which input it was
LENGTH = 100  # frames of a segment: each starts with a key frame, a kill loses one at most

State = Arrays
"""What the next frame needs of those before it: memory, the last frame and result."""
Standing = Literal["new", "unfinished", "finished"]


@dataclass(frozen=True)
class Segment:
    """A finished part of a result."""

    frames: int
    last: int  # index of its last frame in the input; that of the one before, where it has none
    end: bool = False  # whether the input ends with it
    first_time: str = "0"  # seconds, exact: of its first and last frame, and how long the last one lasts
    last_time: str = "0"
    step: str = "0"
    damaged: tuple[int, ...] = ()  # frames of the input, by index, found since the segment before
    lost: tuple[int, ...] = ()
    gaps: tuple[int, ...] = ()  # that did not come: a reader that is killed cannot tell which were lost
    behind: int = -1  # see `Damage`
    messages: tuple[str, ...] = ()


def part(state: State, name: str) -> State:
    """The entries of a state that belong to a part of it."""
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}


class Segments:
    """The segments of one result that are there."""

    def __init__(self, target: Path, suffix: str = "") -> None:
        """suffix: of the files of segments; none where frames are files of their own."""
        self.target = target
        self.suffix = suffix
        self.folder = target.parent / VIDEOS / target.name
        self.manifest = self.folder.with_name(f"{target.name}.json")
        self.done: list[Segment] = []
        self.settings: Mapping[str, object] = {}

    def open(self, settings: Mapping[str, object], *, overwrite: bool) -> Standing:
        """Take up what an earlier run left, if it was made with these settings, named like options.

        What is left of others, or is to be made anew, is removed with `overwrite`. Raises UserError where
        the result exists and was made with other settings or by something else, or is half made with others.
        """
        self.settings = settings
        before = _read(self.manifest)
        same = before.get("settings") == _plain(settings)
        finished = bool(before.get("finished"))
        if same and not finished and self._is_placed(before) and not overwrite:
            self.finish()  # a kill came between the two
            return "finished"
        if _holds_something(self.target) and not overwrite:
            self._check_own(before, same, finished)
            if finished:
                return "finished"
        if before and not same and not finished and not overwrite and self._finished():
            changed = _changed(before.get("settings"), settings)
            raise UserError(
                f"{self.target}: half done with another {changed}; the options of then go on, --overwrite "
                "starts anew"
            )
        if same and not finished:
            self.done = self._finished()
            return "unfinished" if self.done else "new"
        self.clear()
        self._mark(finished=False)
        return "new"

    def path(self, number: int) -> Path:
        """The file of a segment."""
        return self.folder / f"{number:06}{self.suffix}"

    @property
    def paths(self) -> list[Path]:
        """The files of all finished segments, in order."""
        return [self.path(number) for number, segment in enumerate(self.done) if segment.frames]

    @property
    def frames(self) -> int:
        """Frames of all finished segments."""
        return sum(segment.frames for segment in self.done)

    def lasting(self, more: Segment | None = None) -> tuple[Fraction, Fraction, Fraction]:
        """Of the frames of all finished segments, and of one more, in seconds.

        -> (where the first begins, where the last begins, how long that lasts)
        """
        filled = [segment for segment in (*self.done, *([more] if more else [])) if segment.frames]
        if not filled:
            return Fraction(0), Fraction(0), Fraction(0)
        last = filled[-1]
        return Fraction(filled[0].first_time), Fraction(last.last_time), Fraction(last.step)

    @property
    def damage(self) -> Damage:
        """What was damaged in the input so far."""
        found = Damage(
            sorted({index for segment in self.done for index in segment.damaged}),
            sorted({index for segment in self.done for index in segment.lost}),
            max((segment.behind for segment in self.done), default=-1),
            list(dict.fromkeys(message for segment in self.done for message in segment.messages)),
        )
        if found:
            found.lost = sorted({*found.lost, *(index for segment in self.done for index in segment.gaps)})
        return found

    def add(self, segment: Segment, state: State) -> None:
        """The next segment is finished: its file, if it has one, is at its place already."""
        number = len(self.done)
        with atomic_write(self._state(number)) as beside:
            beside.write_bytes(save({name: np.ascontiguousarray(value) for name, value in state.items()}))
        with atomic_write(self._record(number)) as beside:
            beside.write_text(json.dumps(asdict(segment)), encoding="utf-8")
        if number:
            self._state(number - 1).unlink(missing_ok=True)  # only the last one is gone on from
        self.done.append(segment)

    def state(self) -> State:
        """What the frame after the last finished segment needs; empty before the first. Raises UserError."""
        if not self.done:
            return {}
        path = self._state(len(self.done) - 1)
        try:
            state = load_file(path)
            if any(array.dtype.kind not in "fiub" for array in state.values()):
                raise TypeError("numbers that NumPy has not")  # which a package may have taught it
            return state
        except (OSError, SafetensorError, TypeError) as error:
            raise UserError(
                f"{path}: cannot be read ({error}); --overwrite starts anew", exit_code=1
            ) from None

    @property
    def whole(self) -> Path:
        """Where a result is joined and checked before it is put at its place."""
        return self.folder / f"whole{self.target.suffix}"

    def place(self) -> None:
        """Put the whole result at its place, in such a way that it is known from then on."""
        self._mark(finished=False, size=self.whole.stat().st_size)
        self.whole.replace(self.target)

    def finish(self) -> None:
        """The result is at its place: remember that, and remove the segments and an earlier part."""
        part = self._own_part()
        if part is not None:
            part.unlink(missing_ok=True)
        self._mark(finished=True, size=self.target.stat().st_size if self.suffix else None)
        self.clear()

    @contextmanager
    def part(self) -> Iterator[Path]:
        """Where a playable part of an unfinished result may go; a file that is not ours stays."""
        target = self.target
        plain = target.with_name(f"{target.stem}.partial{target.suffix}")
        path, number = self._own_part() or plain, 1
        while os.path.lexists(path) and path != self._own_part():
            number += 1
            path = plain.with_stem(f"{plain.stem}-{number}")
        yield path
        with atomic_write(self._part_record) as beside:
            beside.write_text(json.dumps({"name": path.name, "bytes": path.stat().st_size}), encoding="utf-8")

    def clear(self) -> None:
        """Remove all segments."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.done = []

    @property
    def _part_record(self) -> Path:
        return self.folder / "part.json"

    def _own_part(self) -> Path | None:
        """The part that an earlier run left."""
        record = _read(self._part_record)
        path = self.target.with_name(Path(str(record.get("name", "no part"))).name)
        ours = path.name.startswith(f"{self.target.stem}.partial") and path.suffix == self.target.suffix
        return path if ours and path.is_file() and path.stat().st_size == record.get("bytes") else None

    def _is_placed(self, before: Mapping[str, Any]) -> bool:
        """Whether a video that the manifest tells of is at its place."""
        size = before.get("bytes")
        return bool(self.suffix) and self.target.is_file() and self.target.stat().st_size == size

    def _check_own(self, before: Mapping[str, Any], same: bool, finished: bool) -> None:
        """Raise UserError unless the existing result was made with these settings."""
        own = not self.suffix or self._is_placed(before)
        if before and not same:
            changed = _changed(before.get("settings"), self.settings)
            raise UserError(f"{self.target} was made with another {changed}; {_ADVICE}")
        if not before or not own or (self.suffix and not finished):
            raise UserError(f"{self.target} exists and was not made by this command; {_ADVICE}")

    def _mark(self, *, finished: bool, size: int | None = None) -> None:
        """size: bytes of the result, which tell it from a file of others."""
        made: dict[str, object] = {"settings": _plain(self.settings), "finished": finished, "bytes": size}
        with atomic_write(self.manifest) as beside:
            beside.write_text(json.dumps(made), encoding="utf-8")

    def _finished(self) -> list[Segment]:
        """Those whose records and files are there, up to the first that is not."""
        found: list[Segment] = []
        while (segment := _segment(self._record(len(found)))) and self._usable(segment, len(found)):
            found.append(segment)
        return found if found and self._state(len(found) - 1).is_file() else []

    def _usable(self, segment: Segment, number: int) -> bool:
        return not self.suffix or not segment.frames or self.path(number).is_file()

    def _record(self, number: int) -> Path:
        return self.folder / f"{number:06}.json"

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:06}.safetensors"


_ADVICE = "choose another --out, or add --overwrite"


def _holds_something(target: Path) -> bool:
    """Whether there is a result, or anything else, where one would go; an empty folder is nothing."""
    return any(target.iterdir()) if target.is_dir() else os.path.lexists(target)


def _changed(before: object, now: Mapping[str, object]) -> str:
    """The options that differ: "--model, --seed"."""
    then = before if isinstance(before, dict) else {}
    plain = _plain(now)
    names = [name for name in dict.fromkeys([*plain, *then]) if plain.get(name) != then.get(name)]
    return ", ".join(name if name in (INPUT, "segments") else f"--{name}" for name in names)


def _plain(settings: Mapping[str, object]) -> dict[str, Any]:
    """As they come back from a file: what is not set left out."""
    kept = {name: value for name, value in settings.items() if value is not None}
    return without_folders(json.loads(json.dumps(kept, default=str)))


def _segment(path: Path) -> Segment | None:
    record: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in _read(path).items()
    }
    return Segment(**record) if record.keys() == Segment.__dataclass_fields__.keys() else None


def _read(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty where there is none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(value, dict):
        return {}
    settings = value.get("settings")
    return value | {"settings": without_folders(settings)} if isinstance(settings, dict) else value
