"""Inputs that are pairs: which side of them is translated, and what it is scored against."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from i2icli.data.describe import counted
from i2icli.data.images import scan_headers
from i2icli.data.layouts import VALIDATION_SPLITS
from i2icli.errors import UserError
from i2icli.image import DecodedImage, FileItem, Header, IdMap, Item
from i2icli.task import PairSide
from i2icli.value_range import ValueRange

_SPLIT = re.compile(rf"^({'|'.join(('train', *sorted(VALIDATION_SPLITS, key=len, reverse=True)))})[ _-]?")
_SAME = 0.02  # relative difference of shapes that are the same
_Key = tuple[tuple[str, ...], str, tuple[str, ...]]
"""Of an image: the folders above that of its side, the split this one names, and the rest of its path."""


@dataclass(frozen=True)
class Half:
    """The left or right half of an image, to be read like an image of its own."""

    whole: Item
    right: bool

    @property
    def name(self) -> str:
        """That of the whole."""
        return self.whole.name

    def header(self) -> Header:
        """See `Item`."""
        header = self.whole.header()
        height, width = header.size
        return replace(header, size=(height, width // 2))

    def read(self, range: ValueRange | None = None) -> DecodedImage:
        """See `Item`."""
        image = self.whole.read(range)
        columns = self._columns(image.pixels.shape[1])
        alpha = None if image.alpha is None else image.alpha[:, columns]
        return replace(image, pixels=image.pixels[:, columns], alpha=alpha)

    def read_map(self) -> IdMap:
        """See `Item`."""
        found = self.whole.read_map()
        return replace(found, ids=found.ids[:, self._columns(found.ids.shape[1])])

    def _columns(self, width: int) -> slice:
        middle = width // 2
        return slice(middle, 2 * middle) if self.right else slice(0, middle)


class PairSearch:
    """Tells sources from ground truths among the inputs of a model that was trained on pairs.

    They lie in two folders, called A and B or as those it was trained on, or side by side in images shaped
    like those it was trained on.
    """

    def __init__(self, side: PairSide) -> None:
        self.side = side
        self.truths: dict[Path, Item] = {}  # of an input, what its output should show
        self.halves: dict[Path, Item] = {}  # the half of an image side by side that is translated
        self.notes: list[str] = []

    def sources(self, folder: Path, images: Sequence[Path]) -> list[Path]:
        """Of the images below a folder those that are no ground truth; truths of others are remembered."""
        sides: tuple[dict[_Key, Path], dict[_Key, Path]] = ({}, {})
        for image in images:
            if (told := self._told(image.relative_to(folder))) is not None:
                sides[told[0]].setdefault(told[1], image)
        source, target = sides[self.side.index], sides[1 - self.side.index]
        places = {key[:2] for key in source}
        target = {key: path for key, path in target.items() if key[:2] in places}
        common = [key for key in source if key in target and target[key] != source[key]]
        if not target or (self.side.aligned and not common):
            return list(images)
        known = common if self.side.aligned else _aligned(source, target)
        self.truths |= {source[key]: FileItem(target[key]) for key in known}
        left = {image for image in images if self._is_target(image.relative_to(folder), places)}
        name, other = (self.side.names[each] for each in (self.side.index, 1 - self.side.index))
        scored = f", but the ground truth of {len(known):,}" if known else ""
        self.notes.append(
            f"{folder} holds both sides: {counted(len(source), 'image')} of {name} to translate; the "
            f"{len(left):,} of {other} are not translated{scored} (--no-pairs translates all)"
        )
        return [image for image in images if image not in left]

    def find_halves(self, images: Iterable[Path]) -> None:
        """Find the images that are pairs side by side, by their shapes."""
        if not self.side.aspects:
            return
        single = [image for image in dict.fromkeys(images) if image not in self.truths]
        files, _ = scan_headers(single, strict=False)
        for file in files:
            if self._is_pair(file.size):
                right = self.side.index == 1
                self.halves[file.path], self.truths[file.path] = Half(file, right), Half(file, not right)
        if self.halves:
            are = "is a pair" if len(self.halves) == 1 else "are pairs"
            own, other = ("right", "left") if self.side.index == 1 else ("left", "right")
            self.notes.append(
                f"{counted(len(self.halves), 'image')} {are} side by side, as in training: the {own} half is "
                f"translated, the {other} one is its ground truth (--no-pairs translates whole images)"
            )

    def _is_pair(self, size: tuple[int, int]) -> bool:
        height, width = size
        near = (abs(width / height - aspect) <= _SAME * aspect for aspect in self.side.aspects)
        return width % 2 == 0 and any(near)

    def _told(self, path: Path) -> tuple[int, _Key] | None:
        """The side that the lowest folder with its name tells, and the key of an image."""
        parts = [_plain(part) for part in path.with_suffix("").parts]
        for index in reversed(range(len(parts) - 1)):
            name = _SPLIT.sub("", parts[index])
            split = parts[index].removesuffix(name)
            for side, known in enumerate(zip(self.side.names, "ab", strict=True)):
                if name in map(_plain, known):
                    return side, (tuple(parts[:index]), split, tuple(parts[index + 1 :]))
        return None

    def _is_target(self, path: Path, places: Iterable[tuple[tuple[str, ...], str]]) -> bool:
        told = self._told(path)
        return told is not None and told[0] != self.side.index and told[1][:2] in places


def of_specs(pairs: Iterable[PairSide | None]) -> PairSide | None:
    """What several tasks have in common: the side that all of them translate; None if they differ."""
    sides = set(pairs)
    return sides.pop() if len(sides) == 1 else None


def _aligned(source: Mapping[_Key, Path], target: Mapping[_Key, Path]) -> list[_Key]:
    """The images of places where all have partners of the same size: there names are not equal by chance."""
    alone = {key[:2] for key in source.keys() ^ target.keys()}
    found = [key for key in source if key[:2] not in alone]
    uneven = {key[:2] for key in found if not _of_one_size(source[key], target[key])}
    return [key for key in found if key[:2] not in uneven]


def _of_one_size(*files: Path) -> bool:
    try:
        return len({FileItem(file).size for file in files}) == 1
    except UserError:
        return False


def _plain(part: str) -> str:
    return unicodedata.normalize("NFC", part).casefold()
