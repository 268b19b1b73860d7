"""Which side of pairs an image is, by the names of its folders and its own. No torch here."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from i2icli.data.labels.names import label_files, parts_of, says_other, scene_stem
from i2icli.data.labels.trees import roles_of
from i2icli.data.pairing.names import matched
from i2icli.data.split_names import side_of, split_name
from i2icli.image.finding import Collection
from i2icli.pair_pattern import parse_pattern, plain
from i2icli.task import PairSide

Key = tuple[str, str, object]
"""Of an image: the folders above that of its side, the split this one names, and the rest of its path."""


class Told(NamedTuple):
    """What the path of an image tells."""

    side: int  # 0: A, 1: B
    key: Key  # equal for both images of a pair


class FolderSide(NamedTuple):
    """What the name of a folder tells."""

    side: int
    split: str  # with its number; "" for none


class Sides(Protocol):
    """How the two sides of pairs are called."""

    def folder(self, name: str, *, weak: bool = False) -> FolderSide | None:
        """The side that the name of a folder tells; `weak`: as the folder of a known partner."""

    def rest(self, side: int, path: Path) -> object:
        """What a path below the folder of its side shares with that of its partner."""

    def told(self, path: Path) -> Told | None:
        """What a path below a folder of pairs tells; None for an image of neither side."""

    def in_one(self, collection: Collection) -> list[tuple[Path, Path]]:
        """The pairs (A, B) of one folder, by how the names of files differ."""

    def alone(self, side: int, folder: Path, image: Path) -> bool:
        """Whether the name of a file tells that it is of a side, its partner missing."""

    def translated(self, images: Iterable[Path]) -> tuple[Path, ...]:
        """Of the images of the side that is translated those that are inputs."""


class ImageSides:
    """Sides whose folders are called as those of the training, or A and B. See `Sides` for the methods."""

    def __init__(self, side: PairSide) -> None:
        self.names = side.names
        self.pattern = parse_pattern(side.pattern) if side.pattern else None

    def folder(self, name: str, *, weak: bool = False) -> FolderSide | None:  # noqa: ARG002
        """See `Sides`."""
        own, names = plain(side_of(name)), [plain(each) for each in self.names]
        for side, known in enumerate(names if own in names else "ab"):
            if own == known:
                told = split_name(name)
                return FolderSide(side, f"{told.split} {told.number}".strip() if told.split else "")
        return None

    def rest(self, side: int, path: Path) -> object:
        """See `Sides`."""
        key = self.pattern.key(side, path.as_posix()) if self.pattern is not None else None
        return key or plain(path.with_suffix("").as_posix())

    def told(self, path: Path) -> Told | None:
        """See `Sides`."""
        return _told(self, path, weak=False)

    def in_one(self, collection: Collection) -> list[tuple[Path, Path]]:
        """See `Sides`."""
        return [] if self.pattern is None else list(matched(self.pattern, collection, collection))

    def alone(self, side: int, folder: Path, image: Path) -> bool:
        """See `Sides`."""
        if self.pattern is None:
            return False
        path = image.relative_to(folder).as_posix()
        return self.pattern.key(1 - side, path) is None and self.pattern.key(side, path) is not None

    def translated(self, images: Iterable[Path]) -> tuple[Path, ...]:
        """See `Sides`."""
        return tuple(images)


class LabelSides:
    """Label maps and photos, as data sets call them. See `Sides` for the methods."""

    def __init__(self, side: PairSide) -> None:
        self.labels = side.index
        self.called = ImageSides(replace(side, pattern=None))
        self.pattern = ImageSides(side) if side.pattern else None

    def folder(self, name: str, *, weak: bool = False) -> FolderSide | None:
        """See `Sides`; the partner of train_label/ may be train/."""
        split, role = parts_of(name)
        if role is None:
            photos = FolderSide(1 - self.labels, split) if weak and split else None
            return self.called.folder(name) or photos
        side = self.labels if role == "labels" else 1 - self.labels
        return None if role == "instances" else FolderSide(side, split)

    def rest(self, side: int, path: Path) -> object:  # noqa: ARG002 - both sides end alike
        """See `Sides`."""
        return plain(path.with_name(scene_stem(path.stem)).as_posix())

    def told(self, path: Path) -> Told | None:
        """See `Sides`; a split may lie below the side: stuffthingmaps/train2017/ and train2017/."""
        roles = {parts_of(part)[1] for part in path.parts[:-1]}
        if "instances" in roles or says_other(path):
            return None
        found = _told(self, path, weak=roles == {None})
        if found is None:
            return None
        above, split, rest = found.key
        first, _, below = str(rest).partition("/")
        inside = "" if split or not below else parts_of(first)[0]
        return Told(found.side, (above, inside, below)) if inside else found

    def in_one(self, collection: Collection) -> list[tuple[Path, Path]]:
        """See `Sides`."""
        if self.pattern is not None and (pairs := self.pattern.in_one(collection)):
            return pairs
        scenes: dict[tuple[Path, str], list[Path]] = {}
        for image in collection.images:
            scenes.setdefault((image.parent, plain(scene_stem(image.stem))), []).append(image)
        found = [roles_of(members) for members in scenes.values()]
        pairs = [(roles["labels"], roles["images"]) for roles in found if roles]
        return [pair if self.labels == 0 else pair[::-1] for pair in pairs]

    def alone(self, side: int, folder: Path, image: Path) -> bool:  # noqa: ARG002 - only partners tell
        """See `Sides`."""
        return False

    def translated(self, images: Iterable[Path]) -> tuple[Path, ...]:
        """See `Sides`: neither instance maps nor previews."""
        return label_files(images)


def place_of(sides: Sides, folders: Sequence[str]) -> int | None:
    """Which of some folders, nearest first, tells the side of what is in it."""
    return next((place for place, name in enumerate(folders) if sides.folder(name)), None)


def _told(sides: Sides, path: Path, *, weak: bool) -> Told | None:
    """What the lowest folder with the name of a side tells."""
    parts = path.parts
    for index in reversed(range(len(parts) - 1)):
        found = sides.folder(parts[index], weak=weak)
        if found is not None:
            rest = sides.rest(found.side, Path(*parts[index + 1 :]))
            return Told(found.side, (plain("/".join(parts[:index])), found.split, rest))
    return None
