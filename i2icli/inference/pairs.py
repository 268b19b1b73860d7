"""Inputs that are pairs: which side of them is translated, and what it is scored against."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from i2icli.data.describe import counted
from i2icli.data.images import scan_headers
from i2icli.data.pairing.names import matched
from i2icli.data.split_names import side_of, split_name
from i2icli.errors import UserError
from i2icli.image import FileItem, Item
from i2icli.image.finding import Collection
from i2icli.image.halves import HalfItem
from i2icli.pair_pattern import parse_pattern, plain
from i2icli.task import PairSide

_SAME = 0.02  # relative difference of shapes that are the same
_Key = tuple[str, str, object]
"""Of an image: the folders above that of its side, the split this one names, and the rest of its path."""


_Found = tuple[dict[Path, Path], set[Path]]
"""The ground truths of images, and all images that are one."""


class PairSearch:
    """Tells sources from ground truths among the inputs of a model that was trained on pairs.

    They are known by what the model remembers: the names of two folders (or A and B), how the names of two
    files differ, or the shapes of images that are pairs side by side.
    """

    def __init__(self, side: PairSide) -> None:
        self.side = side
        self.pattern = parse_pattern(side.pattern) if side.pattern else None
        self.truths: dict[Path, Item] = {}  # of an input, what its output should show
        self.halves: dict[Path, Item] = {}  # the half of an image side by side that is translated
        self.notes: list[str] = []

    def sources(self, folder: Path, images: Sequence[Path]) -> list[Path]:
        """Of the images below a folder those that are no ground truth; truths of others are remembered."""
        found = self._by_folders(folder, images) or self._by_names(folder, images)
        if found is None:
            return list(images)
        truths, left = found
        self.truths |= {source: FileItem(truth) for source, truth in truths.items()}
        rest = [image for image in images if image not in left]
        name, other = (self.side.names[each] for each in (self.side.index, 1 - self.side.index))
        role = f"the ground truth of {len(truths):,}" if truths else f"left out ({len(left):,})"
        self.notes.append(
            f"{folder} holds both sides: {name} is translated ({counted(len(rest), 'image')}), {other} is "
            f"{role}; --no-pairs translates all"
        )
        return rest

    def _by_folders(self, folder: Path, images: Sequence[Path]) -> _Found | None:
        """Sources and truths in folders of their own; None if there are not both."""
        sides: tuple[dict[_Key, Path], dict[_Key, Path]] = ({}, {})
        told = {image: self._told(image.relative_to(folder)) for image in images}
        for image, each in told.items():
            if each is not None:
                sides[each[0]].setdefault(each[1], image)
        source, target = sides[self.side.index], sides[1 - self.side.index]
        places = {key[:2] for key in source}
        target = {key: path for key, path in target.items() if key[:2] in places}
        common = [key for key in source if key in target]
        if not target or (self.side.aligned and not common):
            return None
        known = common if self.side.aligned else _aligned(source, target)
        other = 1 - self.side.index
        left = {image for image, each in told.items() if each and each[0] == other and each[1][:2] in places}
        return {source[key]: target[key] for key in known}, left

    def _by_names(self, folder: Path, images: Sequence[Path]) -> _Found | None:
        """Sources and truths in one folder, by how their names differ; None if there are none."""
        if self.pattern is None:
            return None
        everything = Collection(folder, tuple(images), ())
        pairs = matched(self.pattern, everything, everything)
        if not pairs:
            return None
        own, other = self.side.index, 1 - self.side.index
        left = {pair[other] for pair in pairs}
        for image in images:
            path = image.relative_to(folder).as_posix()
            if self.pattern.key(own, path) is None and self.pattern.key(other, path) is not None:
                left.add(image)  # without its partner
        return {pair[own]: pair[other] for pair in pairs if pair[own] not in left}, left

    def find_halves(self, images: Iterable[Path]) -> None:
        """Find the images that are pairs side by side, by their shapes."""
        if not self.side.aspects:
            return
        single = [image for image in dict.fromkeys(images) if image not in self.truths]
        files, _ = scan_headers(single, strict=False)
        for file in files:
            if self._is_pair(file.size):
                right = self.side.index == 1
                self.halves[file.path] = HalfItem(file, right)
                self.truths[file.path] = HalfItem(file, not right)
        if self.halves:
            are = "is a pair" if len(self.halves) == 1 else "are pairs"
            own, other = ("right", "left") if self.side.index == 1 else ("left", "right")
            self.notes.append(
                f"{counted(len(self.halves), 'image')} {are} side by side, as in training: the {own} half is "
                f"translated, the {other} one is its ground truth; --no-pairs translates whole images"
            )

    def _is_pair(self, size: tuple[int, int]) -> bool:
        height, width = size
        near = (abs(width / height - aspect) <= _SAME * aspect for aspect in self.side.aspects)
        return width % 2 == 0 and any(near)

    def _told(self, path: Path) -> tuple[int, _Key] | None:
        """The side that the lowest folder with its name tells, and the key of an image."""
        parts = path.parts
        for index in reversed(range(len(parts) - 1)):
            name = plain(side_of(parts[index]))
            for side, known in enumerate(zip(self.side.names, "ab", strict=True)):
                if name in map(plain, known):
                    told = split_name(parts[index])
                    split = f"{told.split} {told.number}" if told.split else ""
                    rest = Path(*parts[index + 1 :])
                    return side, (plain("/".join(parts[:index])), split, self._rest(side, rest))
        return None

    def _rest(self, side: int, path: Path) -> object:
        """What a path below the folder of its side shares with that of its partner."""
        key = self.pattern.key(side, path.as_posix()) if self.pattern is not None else None
        return key or plain(path.with_suffix("").as_posix())


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
