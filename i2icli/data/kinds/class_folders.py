"""A source collection with a folder per class, and a target collection without labels: where they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2icli.data.layouts import VALIDATION_SPLITS
from i2icli.errors import UserError
from i2icli.image.finding import Collection, check_folder, collect, holds_images, listing, subfolders

CLASSES_EXAMPLE = (
    "source/ with a folder per class and target/ (and both again in test/), or two folders: SOURCE TARGET"
)

_SIDES = (("source", "target"), ("a", "b"))  # spellings, in order of preference


@dataclass(frozen=True)
class Labelled:
    """Images in folders that bear the names of their classes."""

    folder: Path
    classes: tuple[str, ...]  # in natural order
    collection: Collection  # all of the classes, whose keys begin with the class

    def class_of(self, image: Path) -> str:
        """The class of one of the images."""
        return image.relative_to(self.folder).parts[0]


@dataclass(frozen=True)
class ClassFolders:
    """What was recognised. None where nothing is set aside for validation."""

    source: Labelled
    target: Collection
    source_validation: Labelled | None
    target_validation: Collection | None


@dataclass(frozen=True)
class _Side:
    """A collection's folder and the one set aside, before anybody looked for classes."""

    train: Path
    validation: Path | None


def recognise_classes(folders: Sequence[Path]) -> ClassFolders:
    """Tell the collections of one folder that holds source/ and target/, or of two folders in this order.

    Known are source/ + target/, train/ and test/ with both in each, and train/ and test/ in each of both.
    Classes are the folders of the source; folders in the target are mere folders. Raises UserError with
    one line: no folder per class, an empty one, a single one, a class that only the test images have,
    no target images.
    """
    for folder in folders:
        check_folder(folder)
    if len(folders) > 2:
        raise UserError(f"{len(folders)} folders were given; expected one with {CLASSES_EXAMPLE}")
    source, target = _one_folder(folders[0]) if len(folders) == 1 else _two_folders(*folders)
    labelled = _labelled(source.train, source.validation)
    held_back = None
    if source.validation is not None:
        held_back = _labelled(source.validation, None, known=labelled)
    return ClassFolders(labelled, *_targets(target, held_back))


def _targets(target: _Side, source: Labelled | None) -> tuple[Collection, Labelled | None, Collection | None]:
    images = _without(collect(target.train), target.validation)
    if not images.images:
        raise UserError(
            f"{target.train}: no images in this folder; expected those of the target, {CLASSES_EXAMPLE}"
        )
    aside = collect(target.validation) if target.validation is not None else None
    return images, source, aside if aside is not None and aside.images else None


# -- where both collections are ----------------------------------------------------------------


def _one_folder(folder: Path) -> tuple[_Side, _Side]:
    inside = subfolders(folder)
    found = _both(inside)
    if found is not None:
        source, target = (_divided(side) for side in found)
        beside = _held_back(inside)
        if beside is None:
            return source, target
        return (
            source if source.validation else _Side(source.train, beside[0]),
            target if target.validation else _Side(target.train, beside[1]),
        )
    train = _both(subfolders(inside["train"])) if "train" in inside else None
    if train is not None:
        beside = _held_back(inside)
        return _Side(train[0], beside and beside[0]), _Side(train[1], beside and beside[1])
    if len(inside) == 1 and not holds_images(folder):  # archives often hold one folder that holds the rest
        return _one_folder(next(iter(inside.values())))
    raise UserError(f"{folder}: found {listing(folder)}; expected {CLASSES_EXAMPLE}")


def _both(inside: dict[str, Path]) -> tuple[Path, Path] | None:
    """source/ and target/, or A/ and B/."""
    for source, target in _SIDES:
        if {source, target} <= inside.keys():
            return inside[source], inside[target]
    return None


def _held_back(inside: dict[str, Path]) -> tuple[Path, Path | None] | None:
    """source/, and target/ if there is one, of val/ or test/."""
    for split in VALIDATION_SPLITS:
        below = subfolders(inside[split]) if split in inside else {}
        for source, target in _SIDES:
            if source in below:
                return below[source], below.get(target)
    return None


def _two_folders(source: Path, target: Path) -> tuple[_Side, _Side]:
    real = source.resolve(), target.resolve()
    if real[0] == real[1]:
        raise UserError(f"{source} was given twice; expected two folders: SOURCE TARGET")
    if real[0] in real[1].parents or real[1] in real[0].parents:
        raise UserError(f"{source} and {target}: one lies inside the other; expected two separate folders")
    return _divided(source), _divided(target)


def _divided(side: Path) -> _Side:
    """A folder with train/ and test/ in it, or with its images and perhaps test/ beside them."""
    inside = subfolders(side)
    aside = next((inside[split] for split in VALIDATION_SPLITS if split in inside), None)
    return _Side(inside.get("train", side), aside)


# -- looking into them -------------------------------------------------------------------------


def _labelled(folder: Path, aside: Path | None, known: Labelled | None = None) -> Labelled:
    """The classes of a folder; `aside` lies in it and is none; `known` are those that may be there."""
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
            f"{folder}: {', '.join(unknown)} is no class of {known.folder} ({', '.join(known.classes)}); "
            "expected the same classes"
        )
    everything = _without(collect(folder), aside)
    inside = [image for image in everything.images if image.parent != folder]
    labelled = Labelled(folder, names, Collection(folder, tuple(inside), everything.others))
    filled = {labelled.class_of(image) for image in inside}
    empty = [path for path in classes if path.name not in filled]
    if empty:
        raise UserError(f"{empty[0]}: no images in this folder, and each is a class; fill it or take it away")
    return labelled


def _without(collection: Collection, aside: Path | None) -> Collection:
    """A collection less what is set aside in it."""
    if aside is None or collection.folder not in aside.parents:
        return collection
    images = tuple(image for image in collection.images if aside not in image.parents)
    others = tuple(file for file in collection.others if aside not in file.parents)
    return Collection(collection.folder, images, others)
