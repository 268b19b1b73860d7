"""Recognising a source collection with a folder per class, and a target collection without labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2icli.data.layout_errors import refuse_overlapping
from i2icli.data.layouts import only_folder, validation_folder
from i2icli.data.split_names import TRAIN, VALIDATION_SPLITS, split_folders
from i2icli.errors import UserError
from i2icli.image.finding import Collection, check_folder, collect, holds_images, listing, subfolders

CLASSES_EXAMPLE = (
    "source/ with a folder per class and target/ (and both again in test/), or two folders: SOURCE TARGET"
)

_SIDES = (("source", "target"), ("a", "b"))  # spellings, in order of preference


@dataclass(frozen=True)
class ClassifiedCollection:
    """Images in folders that are named after their classes."""

    folder: Path
    classes: tuple[str, ...]  # in natural order
    collection: Collection  # of all classes; keys start with the class

    def class_of(self, image: Path) -> str:
        """The class of one of the images."""
        return image.relative_to(self.folder).parts[0]


@dataclass(frozen=True)
class ClassFolders:
    """The collections recognised. None where there is no folder for validation."""

    source: ClassifiedCollection
    target: Collection
    source_validation: ClassifiedCollection | None
    target_validation: Collection | None


@dataclass(frozen=True)
class _SplitPaths:
    """The folders of a collection's splits, not scanned yet."""

    train: Path
    validation: Path | None


def recognise_classes(folders: Sequence[Path]) -> ClassFolders:
    """The collections of one folder with source/ and target/, or of two folders in this order.

    Known are source/ + target/, train/ and test/ with both in each, and both with train/ and test/ in each.
    Classes are the folders of the source; folders in the target mean nothing. Raises UserError in
    one line: no folder per class, an empty one, a single one, a class that only the test images have,
    no target images.
    """
    for folder in folders:
        check_folder(folder)
    if len(folders) > 2:
        raise UserError(f"{len(folders)} folders were given; expected one with {CLASSES_EXAMPLE}")
    source, target = _one_folder(folders[0]) if len(folders) == 1 else _two_folders(*folders)
    labelled = _labelled(source.train, source.validation)
    validation = None
    if source.validation is not None:
        validation = _labelled(source.validation, None, known=labelled)
    images, beside = _targets(target)
    return ClassFolders(labelled, images, validation, beside)


def _targets(target: _SplitPaths) -> tuple[Collection, Collection | None]:
    """The images of the target, and those for validation if there are some. Raises UserError."""
    images = _without(collect(target.train), target.validation)
    if not images.images:
        raise UserError(
            f"{target.train}: no images in this folder; expected those of the target, {CLASSES_EXAMPLE}"
        )
    aside = collect(target.validation) if target.validation is not None else None
    return images, aside if aside is not None and aside.images else None


# -- where both collections are ----------------------------------------------------------------


def _one_folder(folder: Path) -> tuple[_SplitPaths, _SplitPaths]:
    inside = split_folders(folder)
    found = _both(inside)
    if found is not None:
        source, target = (_divided(side) for side in found)
        beside = _validation_beside(inside)
        if beside is None:
            return source, target
        return (
            source if source.validation else _SplitPaths(source.train, beside[0]),
            target if target.validation else _SplitPaths(target.train, beside[1]),
        )
    train = _both(subfolders(inside[TRAIN])) if TRAIN in inside else None
    if train is not None:
        beside = _validation_beside(inside)
        return _SplitPaths(train[0], beside and beside[0]), _SplitPaths(train[1], beside and beside[1])
    if (only := only_folder(inside)) and not holds_images(folder):
        return _one_folder(only)
    raise UserError(f"{folder}: found {listing(folder)}; expected {CLASSES_EXAMPLE}")


def _both(inside: dict[str, Path]) -> tuple[Path, Path] | None:
    """source/ and target/, or A/ and B/."""
    for source, target in _SIDES:
        if {source, target} <= inside.keys():
            return inside[source], inside[target]
    return None


def _validation_beside(inside: dict[str, Path]) -> tuple[Path, Path | None] | None:
    """source/, and target/ if there is one, of val/ or test/."""
    for split in VALIDATION_SPLITS:
        below = subfolders(inside[split]) if split in inside else {}
        for source, target in _SIDES:
            if source in below:
                return below[source], below.get(target)
    return None


def _two_folders(source: Path, target: Path) -> tuple[_SplitPaths, _SplitPaths]:
    refuse_overlapping((source, target), "two folders: SOURCE TARGET")
    return _divided(source), _divided(target)


def _divided(side: Path) -> _SplitPaths:
    """A folder with train/ and test/ in it, or with its images and possibly test/ beside them."""
    inside = split_folders(side)
    return _SplitPaths(inside.get(TRAIN, side), validation_folder(inside))


# -- scanning them ---------------------------------------------------------------------------


def _labelled(
    folder: Path, aside: Path | None, known: ClassifiedCollection | None = None
) -> ClassifiedCollection:
    """The classes of a folder; `aside` lies in it but is none; `known`: the only ones that may be there."""
    classes = [path for path in subfolders(folder).values() if path != aside]
    names = tuple(path.name for path in classes)
    if not classes:
        found = "images directly in it" if holds_images(folder) else listing(folder)
        raise UserError(
            f"{folder}: found {found}; expected a folder per class, such as {folder.name}/cat/1.png"
        )
    if known is None and len(classes) == 1:
        raise UserError(
            f"{folder}: found only one class, {names[0]}; expected a folder for each of at least two"
        )
    unknown = [name for name in names if known is not None and name not in known.classes]
    if unknown and known is not None:
        raise UserError(
            f"{folder}: {', '.join(unknown)} is not a class of {known.folder} ({', '.join(known.classes)}); "
            "expected the same classes"
        )
    everything = _without(collect(folder), aside)
    inside = [image for image in everything.images if image.parent != folder]
    labelled = ClassifiedCollection(folder, names, Collection(folder, tuple(inside), everything.others))
    filled = {labelled.class_of(image) for image in inside}
    empty = [path for path in classes if path.name not in filled]
    if empty:
        raise UserError(
            f"{empty[0]}: no images in this folder, but each folder is a class; fill or remove it"
        )
    return labelled


def _without(collection: Collection, aside: Path | None) -> Collection:
    """A collection without the folder `aside` in it."""
    if aside is None or collection.folder not in aside.parents:
        return collection
    images = tuple(image for image in collection.images if aside not in image.parents)
    others = tuple(file for file in collection.others if aside not in file.parents)
    return Collection(collection.folder, images, others)
