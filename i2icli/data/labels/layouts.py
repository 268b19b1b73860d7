"""Recognising folders of label maps and photos, however they are arranged."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from i2icli.data.labels.content import looks_like_labels
from i2icli.data.labels.names import (
    Role,
    instance_files,
    label_files,
    parts_of,
    preference,
)
from i2icli.data.labels.pairs import layout_of
from i2icli.data.labels.parts import LabelLayout, Part
from i2icli.data.labels.trees import one_tree
from i2icli.data.layout_errors import refuse_overlapping
from i2icli.data.layouts import folders_beside, only_folder, recognise
from i2icli.data.pairing.finding import find_pairs, of_layout
from i2icli.data.pairing.lists import is_list
from i2icli.data.pairing.pair import AS_FOUND, PairChoice
from i2icli.data.split_names import TRAIN, VALIDATION_SPLITS
from i2icli.errors import UserError, quoted
from i2icli.image import FileItem, Item
from i2icli.image.finding import (
    Collection,
    check_folder,
    collect,
    holds_images,
    holds_images_below,
    listing,
    subfolders,
)
from i2icli.image.halves import HalfItem

LABELS_EXAMPLE = (
    "labels/ and images/ with the same file names (and instances/), in train/ and val/ if split, "
    "or label maps and photos as in Cityscapes, ADE20K, COCO-Stuff, CamVid or pairs side by side"
)
_ROLES: tuple[Role, ...] = ("labels", "images", "instances")
_SAMPLES = 3  # files that are read to tell label maps from photos
_Sides = dict[Role, dict[str, Path]]
"""The folders of each role by split; "" holds all of them."""


def recognise_labels(folders: Sequence[Path], choice: PairChoice = AS_FOUND) -> LabelLayout:
    """The layout of one folder, or of two or three given separately: label maps, photos, instance maps; or of
    pairs as they are chosen or listed.

    Raises UserError with one line: the folder, what was found, what was expected.
    """
    if choice != AS_FOUND or (len(folders) == 1 and is_list(folders[0])):
        return layout_of(find_pairs(folders, choice))
    for folder in folders:
        check_folder(folder)
    if len(folders) == 1:
        return _one_folder(folders[0])
    if len(folders) > 3:
        raise UserError(
            f"{len(folders)} folders were given; expected one with {LABELS_EXAMPLE}; "
            "or folders of label maps, photos and perhaps instance maps"
        )
    refuse_overlapping(folders, "folders of label maps, photos and perhaps instance maps")
    ordered = (*_told_apart(folders[0], folders[1]), *folders[2:])
    return _separate_folders(ordered, folders_beside(*ordered))


def _one_folder(folder: Path) -> LabelLayout:
    inside = subfolders(folder)
    found = _by_roles(inside) or one_tree(folder)
    if found is not None:
        return found
    only = only_folder(inside)
    if only is not None and not holds_images(folder):
        return _one_folder(only)
    _refuse_polygons(inside)
    _refuse_without_photos(folder, inside)
    return _as_pairs(folder)


def _refuse_without_photos(folder: Path, inside: dict[str, Path]) -> None:
    """Raise UserError for label and instance maps alone, which would look like label maps and photos."""
    roles = {parts_of(path.name)[1] for path in inside.values()}
    if {"labels", "instances"} <= roles:
        raise UserError(
            f"{folder}: found {listing(folder)}, but no photos; expected them in images/, under the names of "
            "their label maps"
        )


# -- folders whose names tell ----------------------------------------------------------------


def _by_roles(inside: dict[str, Path]) -> LabelLayout | None:
    """labels/ images/, divided or not; train/labels train/images; train_label train_img; trainannot train."""
    sides: _Sides = {}
    splits = []
    for path in sorted(inside.values(), key=_preference):
        split, role = parts_of(path.name)
        if role is None:
            splits += [(split, path)] if split else []
        elif holds_images_below(path):
            for own, side in ({split: path} if split else _divided(path)).items():
                sides.setdefault(role, {}).setdefault(own, side)
    for split, path in splits:
        for each, side in _roles_in(path).items():
            sides.setdefault(each, {}).setdefault(split, side)
    return _layout(sides)


def _roles_in(split: Path) -> dict[Role, Path]:
    """The folders of a split by their roles; it may hold nothing but photos."""
    found: dict[Role, Path] = {}
    for path in sorted(subfolders(split).values(), key=_preference):
        _, role = parts_of(path.name)
        if role is not None and holds_images_below(path):
            found.setdefault(role, path)
    return found or ({"images": split} if holds_images_below(split) else {})


def _preference(folder: Path) -> int:
    _, role = parts_of(folder.name)
    return preference(folder, role) if role else 0


def _divided(side: Path) -> dict[str, Path]:
    """The splits inside a folder, or all of it as ""."""
    splits = {parts_of(path.name)[0]: path for path in subfolders(side).values()}
    return splits if TRAIN in splits else {"": side}


def _layout(sides: _Sides) -> LabelLayout | None:
    train = _part(sides, TRAIN) or _part(sides, "")
    if train is None:
        return None
    held_out = (_part(sides, split) for split in VALIDATION_SPLITS)
    return LabelLayout(train, next((part for part in held_out if part is not None), None))


def _part(sides: _Sides, split: str) -> Part | None:
    """The folders of a split; label maps or photos may lie undivided, if the others are divided."""
    divided = any(TRAIN in own for own in sides.values())
    paths = {role: own.get(split) or (own.get("") if divided else None) for role, own in sides.items()}
    labels, images, instances = (paths.get(role) for role in _ROLES)
    if labels is None or images is None or not any(split in own for own in sides.values()):
        return None
    everything = collect(labels)
    maps = replace(everything, images=label_files(everything.images))
    if instances is not None:
        return Part(maps, collect(images), collect(instances))
    beside = instance_files(everything.images)
    return Part(maps, collect(images), replace(everything, images=beside) if beside else None)


# -- what only the pixels tell ---------------------------------------------------------------


def _as_pairs(folder: Path) -> LabelLayout:
    """Pairs as pix2pix has them: side by side, or two folders with the same file names."""
    try:
        found = recognise([folder], pairs=True)
    except UserError:
        raise UserError(f"{folder}: found {listing(folder)}; expected {LABELS_EXAMPLE}") from None
    if not found.side_by_side:
        both = _told_apart(found.train[0], found.train[1])
        held_out = found.validation
        if held_out and both[0] != found.train[0]:
            held_out = held_out[::-1]
        return _separate_folders(both, held_out)
    pairs = of_layout(found, AS_FOUND)
    if pairs.train[0][1] is not None:
        return layout_of(pairs)
    half = _label_half(collect(found.train[0]))
    parts = [
        Part(collection, collection, label_half=half)
        for collection in map(collect, (*found.train, *(found.validation or ())))
    ]
    return LabelLayout(parts[0], parts[1] if len(parts) > 1 else None)


def _label_half(pairs: Collection) -> str:
    """Which halves of images are label maps: those with few ids in flat areas."""
    files = [FileItem(path) for path in pairs.images[:_SAMPLES]]
    for name, right in (("left", False), ("right", True)):
        if any(looks_like_labels(HalfItem(file, right)) for file in files):
            return name
    raise _no_labels(files[0], f"neither half of the images in {pairs.folder} is a label map")


def _separate_folders(folders: Sequence[Path], beside: Sequence[Path] | None) -> LabelLayout:
    """Folders of label maps, photos and perhaps instance maps; their splits in them, or beside them."""
    sides = {role: _divided(folder) for role, folder in zip(_ROLES, folders, strict=False)}
    found = _layout(sides)
    assert found is not None
    if found.validation is None and beside is not None:
        held_out = _part({role: {"": folder} for role, folder in zip(_ROLES, beside, strict=False)}, "")
        return replace(found, validation=held_out)
    return found


def _told_apart(first: Path, second: Path) -> tuple[Path, Path]:
    """Of two folders that of the label maps, then that of the photos: by names, else by pixels."""
    told = [{parts_of(part)[1] for part in folder.resolve().parts[-2:]} for folder in (first, second)]
    if "labels" in told[0] ^ told[1]:
        return (first, second) if "labels" in told[0] else (second, first)
    samples = [[FileItem(path) for path in collect(folder).images[:_SAMPLES]] for folder in (first, second)]
    flat = [any(map(looks_like_labels, items)) for items in samples]
    if not any(flat):
        example: Item | None = next((items[0] for items in samples if items), None)
        raise _no_labels(example, f"neither {first} nor {second} holds label maps")
    return (first, second) if flat[0] else (second, first)


def _no_labels(example: Item | None, what: str) -> UserError:
    """The error about images of which none can be a label map."""
    why = "there are no images"
    if example is not None:
        try:
            example.read_map()
            why = f"{example.name} has too many colours for one"
        except UserError as error:
            why = str(error)
    return UserError(f"{what}: {why}; expected {LABELS_EXAMPLE}")


def _refuse_polygons(inside: dict[str, Path]) -> None:
    """Raise UserError if what should be label maps are outlines of objects."""
    for path in inside.values():
        if parts_of(path.name)[1] != "labels" or holds_images_below(path):
            continue
        others = [file for file in collect(path).others if file.suffix.lower() in (".json", ".txt", ".xml")]
        if others:
            raise UserError(
                f"{path}: found {len(others)} {others[0].suffix} files but no images; if they hold the "
                "outlines of objects, make label maps of them first: "
                f"i2i labels convert {quoted(path.parent)}"
            )
