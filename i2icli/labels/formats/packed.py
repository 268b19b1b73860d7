"""Maps in which one value holds the class of a pixel and the number of its object.

Cityscapes and KITTI write them in 16 bit, Mapillary Vistas as well, BDD100K in four channels of 8 bit.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from i2icli.class_files import read_classes
from i2icli.classes import NO_CLASS, LabelClass
from i2icli.errors import UserError
from i2icli.image import FileItem, Ids
from i2icli.labels.annotations import LARGEST_INSTANCE, UNLABELLED, Annotations, Drawn, annotations_of
from i2icli.labels.files import read_ids
from i2icli.labels.json_files import colour_of, field, of_type, read_json
from i2icli.labels.names import result_name

ENDINGS = ("_gtFine_instanceIds", "_gtCoarse_instanceIds", "_instanceIds")  # of names in Cityscapes


def open_packed(files: Sequence[Path], folder: Path, packing: str) -> Annotations:
    """The maps of files below a folder. Classes are those of the data set, of a config.json, or that occur.

    packing: of which data set they are, one of `UNPACKERS`. Raises UserError for a config.json of others.
    """
    table = folder / "config.json"  # of Mapillary Vistas
    classes = _mapillary_classes(table) if table.is_file() else None
    if packing in _CITYSCAPES:
        classes = read_classes("cityscapes").classes
    unpack = UNPACKERS[packing]
    return annotations_of(files, lambda file: _name(file, folder), lambda file, _: unpack(file), classes)


def _name(file: Path, folder: Path) -> str:
    name = result_name(file.relative_to(folder).as_posix())
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name


def _mapillary_classes(table: Path) -> tuple[LabelClass, ...]:
    """The labels of a config.json, in their order. Raises UserError."""
    found = []
    for number, label in enumerate(field(read_json(table), "labels", list)):
        label = of_type(label, dict, "a label")
        name = label.get("readable") or field(label, "name", str)
        found.append(LabelClass(number, str(name), colour_of(label.get("color"))))
    return tuple(found)


def _cityscapes(file: Path) -> Drawn:
    """Class * 1000 + number, or the class alone where it has no objects; 255 is no class."""
    values = read_ids(FileItem(file))
    return _drawn(np.where(values >= 1000, values // 1000, values), values, file)


def _by_256(file: Path) -> Drawn:
    """Class * 256 + number; 255 is no class."""
    values = read_ids(FileItem(file))
    return _drawn(values // 256, values, file)


def _bdd100k(file: Path) -> Drawn:
    """Red: the class, 0 for none; blue * 256 + alpha: the object. Green holds attributes."""
    image = FileItem(file).read()
    if image.alpha is None or image.pixels.shape[2] != 3 or image.pixels.dtype != np.uint8:
        raise UserError(f"{file}: expected a PNG of four channels of 8 bit")
    classes = image.pixels[..., 0].astype(np.int32)
    objects = image.pixels[..., 2].astype(np.int32) * 256 + image.alpha
    return Drawn(np.where(classes == 0, UNLABELLED, classes), objects)


def _drawn(classes: Ids, values: Ids, file: Path) -> Drawn:
    if values.min() < 0 or values.max() > LARGEST_INSTANCE:
        raise UserError(f"{file} has values from {values.min():,} to {values.max():,}; expected 16 bit")
    return Drawn(np.where(classes == NO_CLASS[0], UNLABELLED, classes).astype(np.int32), values)


_CITYSCAPES = ("cityscapes", "kitti")  # data sets with the classes of Cityscapes
UNPACKERS: dict[str, Callable[[Path], Drawn]] = {
    "cityscapes": _cityscapes,
    "mapillary": _by_256,
    "kitti": _by_256,
    "bdd100k": _bdd100k,
}
"""How each of these data sets packs classes and objects."""
