"""Inputs that are pairs: which side of them is translated, and what it is scored against."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from i2icli.data.describe import counted
from i2icli.data.images import scan_headers
from i2icli.data.labels.content import looks_like_labels
from i2icli.data.pairing.lists import listed
from i2icli.errors import UserError
from i2icli.image import FileItem, Item
from i2icli.image.finding import Collection, collect, subfolders
from i2icli.image.halves import HalfItem
from i2icli.inference.pair_sides import ImageSides, Key, LabelSides, Sides, place_of
from i2icli.task import PairSide, Port

_SAMPLES = 3  # lines of a list that are read to tell label maps from photos
_SAME = 0.02  # relative difference of shapes that are the same


_Found = tuple[dict[Path, Path], set[Path], int]
"""The ground truths of images, all images that are none of the inputs, and the number of those."""
_IMAGE = Port()


class PairSearch:
    """Tells sources from ground truths among the inputs of a model that was trained on pairs.

    They are known by what the model remembers: the names of two folders (or A and B), how the names of two
    files differ, or the shapes of images that are pairs side by side; label maps and photos by what data
    sets call them.
    """

    def __init__(self, side: PairSide, port: Port = _IMAGE) -> None:
        """port: of what is translated."""
        self.side, self.reading = side, port.reading
        self.labels = port.kind == "labels"
        self.sides: Sides = LabelSides(side) if self.labels else ImageSides(side)
        self.truths: dict[Path, Item] = {}  # of an input, what its output should show
        self.halves: dict[Path, Item] = {}  # the half of an image side by side that is translated
        self.notes: list[str] = []
        self._folders: dict[Path, dict[object, Path]] = {}  # of partners, by what they share

    @property
    def names(self) -> tuple[str, str]:
        """What the side that is translated is called, and the other one."""
        if self.labels:
            return "label maps", "photos"
        return self.side.names[self.side.index], self.side.names[1 - self.side.index]

    def sources(
        self, folder: Path, images: Sequence[Path], inputs: Sequence[Path] | None = None
    ) -> list[Path]:
        """Of the images below a folder those that are no ground truth; truths of others are remembered.

        inputs: those of the images that are of the kind that is translated; None: all.
        """
        inputs = images if inputs is None else inputs
        found = self._by_folders(folder, images) or self._by_names(folder, images)
        if found is None:
            return list(inputs)
        truths, left, count = found
        self._remember(truths)
        own, other = self.names
        role = f"{other} as ground truth of {len(truths):,}" if truths else f"leaving out {other}"
        self.notes.append(
            f"{folder} holds both sides: translating {own} ({counted(count, 'image')}), {role}; "
            "--no-pairs translates all"
        )
        return [image for image in (images if self.labels else inputs) if image not in left]

    def listed(self, path: Path) -> list[Path]:
        """The images of a list that are translated; those beside them in it are their ground truth.

        Raises UserError for a list that cannot be read.
        """
        rows = listed(path)
        own = self.side.index
        if self.labels and rows[0][1] is not None:
            own = int(any(target and looks_like_labels(FileItem(target)) for _, target in rows[:_SAMPLES]))
        other = 1 - own
        pairs = {a: b for row in rows if (a := row[own]) is not None and (b := row[other]) is not None}
        self._remember(pairs)
        if pairs:
            first, second = self.names
            role = f"{second} as ground truth of {len(pairs):,}"
            self.notes.append(f"{path} lists pairs: translating {first}, {role}")
        return list(dict.fromkeys(each for row in rows if (each := row[own] or row[other]) is not None))

    def find_partners(self, found: Mapping[Path, Sequence[str]]) -> None:
        """Find the ground truth of inputs that were given without it; say where they are of the other side.

        found: the names of the folders above each, nearest first. Only where names are not equal by chance.
        """
        others: dict[Path, Path] = {}  # images of the other side -> folder
        beside: dict[Path, Path] = {}
        for image, folders in found.items():
            if image in self.truths or image in self.halves:
                continue
            place = place_of(self.sides, folders)
            told = None if place is None else self.sides.folder(folders[place])
            if place is not None and told is not None and told.side != self.side.index:
                others[image] = image.absolute().parents[place]
            elif self.side.aligned and (partner := self._partner(image, place)) is not None:
                beside[image] = partner
        self._remember(beside)
        if beside:
            first = next(iter(beside.values()))
            images = counted(len(beside), "image")
            self.notes.append(f"ground truth of {images} found beside, e.g. {first}; --no-pairs does without")
        if others and len(others) == len(found):
            self._say_wrong_side(next(iter(others.values())).name)

    def find_halves(self, images: Iterable[Path]) -> None:
        """Find the images that are pairs side by side, by their shapes."""
        if not self.side.aspects:
            return
        single = [image for image in dict.fromkeys(images) if image not in self.truths]
        files, _ = scan_headers(single, strict=False, reading=self.reading)
        for file in files:
            if self._is_pair(file.size) and not (self.labels and looks_like_labels(file)):
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

    def _remember(self, truths: Mapping[Path, Path]) -> None:
        self.truths |= {source: FileItem(truth) for source, truth in truths.items()}

    def _by_folders(self, folder: Path, images: Sequence[Path]) -> _Found | None:
        """Sources and truths in folders of their own; None if there are not both."""
        sides: tuple[dict[Key, Path], dict[Key, Path]] = ({}, {})
        told = {image: self.sides.told(image.relative_to(folder)) for image in images}
        own = [image for image, each in told.items() if each and each.side == self.side.index]
        sources = set(self.sides.translated(own))
        for image, each in told.items():
            if each is not None and (each.side != self.side.index or image in sources):
                sides[each.side].setdefault(each.key, image)
        source, target = sides[self.side.index], sides[1 - self.side.index]
        places = {key[:2] for key in source}
        target = {key: path for key, path in target.items() if key[:2] in places}
        common = [key for key in source if key in target]
        if not target or (self.side.aligned and not common):
            return None
        known = common if self.side.aligned else _aligned(source, target)
        other = 1 - self.side.index
        left = {image for image, each in told.items() if each and each[0] == other and each[1][:2] in places}
        if self.labels:
            left = set(images) - sources
        return {source[key]: target[key] for key in known}, left, len(sources)

    def _by_names(self, folder: Path, images: Sequence[Path]) -> _Found | None:
        """Sources and truths in one folder, by how their names differ; None if there are none."""
        pairs = self.sides.in_one(Collection(folder, tuple(images), ()))
        if not pairs:
            return None
        own, other = self.side.index, 1 - self.side.index
        left = {pair[other] for pair in pairs}
        left |= {image for image in images if self.sides.alone(other, folder, image)}
        if self.labels:
            left = set(images) - {pair[own] for pair in pairs}
        truths = {pair[own]: pair[other] for pair in pairs if pair[own] not in left}
        return truths, left, len(images) - len(left)

    def _partner(self, image: Path, place: int | None) -> Path | None:
        """The ground truth of an image in the folder beside its own, or beside it; None if there is none.

        place: which of the folders above it names its side, counted from the nearest.
        """
        if place is None:
            return self._in_folder(image.parent).get(image)
        folder = image.absolute().parents[place]
        rest = self.sides.rest(self.side.index, image.absolute().relative_to(folder))
        return self._beside(folder).get(rest) or self._in_folder(image.parent).get(image)

    def _beside(self, folder: Path) -> dict[object, Path]:
        """The images of the other side in the folders beside one, by what they share with their partners."""
        if folder not in self._folders:
            found = self._folders.setdefault(folder, {})
            own = self.sides.folder(folder.name)
            with suppress(UserError):  # what is beside an input need not be readable
                for path in subfolders(folder.parent).values():
                    told = self.sides.folder(path.name, weak=True)
                    if own and told and told.side != own.side and told.split == own.split:
                        for image in collect(path, complete=False).images:
                            key = self.sides.rest(told.side, image.relative_to(path))
                            found.setdefault(key, image)
        return self._folders[folder]

    def _in_folder(self, folder: Path) -> dict[object, Path]:
        """The ground truths in a folder by the images whose they are."""
        if folder not in self._folders:
            found = self._folders.setdefault(folder, {})
            with suppress(UserError):
                inside = collect(folder, recursive=False, complete=False)
                own, other = self.side.index, 1 - self.side.index
                found |= {pair[own]: pair[other] for pair in self.sides.in_one(inside)}
        return self._folders[folder]

    def _say_wrong_side(self, folder: str) -> None:
        own, other = self.names
        self.notes.append(
            f"{folder}/ is named like {other}, which this model makes from {own}; expected {own}"
        )

    def _is_pair(self, size: tuple[int, int]) -> bool:
        height, width = size
        near = (abs(width / height - aspect) <= _SAME * aspect for aspect in self.side.aspects)
        return width % 2 == 0 and any(near)


def of_specs(pairs: Iterable[PairSide | None]) -> PairSide | None:
    """What several tasks have in common: the side that all of them translate; None if they differ."""
    sides = set(pairs)
    return sides.pop() if len(sides) == 1 else None


def _aligned(source: Mapping[Key, Path], target: Mapping[Key, Path]) -> list[Key]:
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
