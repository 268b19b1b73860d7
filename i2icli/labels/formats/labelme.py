"""labelme: a JSON file for each image, with shapes in drawing order (https://github.com/wkentaro/labelme)."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.classes import LabelClass
from i2icli.errors import UserError, readable
from i2icli.image import BytesItem, FileItem
from i2icli.labels.annotations import Annotations, Canvas, Drawn, ObjectNumbers, annotations_of
from i2icli.labels.files import read_ids
from i2icli.labels.json_files import field, of_type, points_of, read_json, size_of
from i2icli.labels.names import Photos, result_name
from i2icli.labels.shapes import Region, disc, placed, polygon, rectangle

IGNORED = "__ignore__"  # labelme's name for pixels of no class


def open_labelme(files: Sequence[Path], folder: Path, photos: Photos) -> Annotations:
    """The annotations of JSON files below a folder. Classes are numbered in the order of the alphabet."""
    names: set[str] = set()

    def name(file: Path) -> str:
        called = result_name(file.relative_to(folder).as_posix())
        names.update(_label(shape) for shape in _shapes(read_json(file)))
        return called

    found = annotations_of(files, name, lambda file, called: _read(file, called, known, photos))
    known = {label: number for number, label in enumerate(sorted(names - {IGNORED}))}
    return replace(found, classes=tuple(LabelClass(number, label) for label, number in known.items()))


def _read(file: Path, name: str, classes: dict[str, int], photos: Photos) -> Drawn:
    content = read_json(file)
    size = _size(content, name, photos)
    canvas, objects, left_out = Canvas(size), ObjectNumbers(), []
    for number, shape in enumerate(_shapes(content)):
        region = _region(shape, size)
        if isinstance(region, str):
            left_out.append(region)
            continue
        label, group = _label(shape), shape.get("group_id")
        class_id = classes.get(label, -1)  # -1 as well for a name that appeared since
        instance = objects.of((label, group) if group is not None else number)
        canvas.draw(region, class_id, instance if class_id >= 0 else 0)
    return canvas.finished(left_out)


def _size(content: dict[str, Any], name: str, photos: Photos) -> tuple[int, int]:
    """(height, width) as the file says or, where it does not, as its photo has it."""
    if content.get("imageHeight") is not None and content.get("imageWidth") is not None:
        return size_of(content, "imageHeight", "imageWidth")
    photo = photos.find(name)
    if photo is None:
        raise UserError("says no size of its image, and there is no photo of that name; add --images")
    return FileItem(photo).size


def _shapes(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [of_type(shape, dict, "a shape") for shape in field(content, "shapes", list)]


def _label(shape: dict[str, Any]) -> str:
    return readable(field(shape, "label", str)).strip() or "unnamed"


def _region(shape: dict[str, Any], size: tuple[int, int]) -> Region | str:
    """The pixels of a shape, or in words why it has none."""
    kind = shape.get("shape_type") or "polygon"
    if kind == "polygon":
        points = points_of(shape.get("points"), 1)
        return polygon(points, size) if len(points) > 2 else "polygons of less than three points"
    if kind == "rectangle":
        return rectangle(points_of(shape.get("points"), 2)[:2], size)
    if kind == "circle":
        centre, edge = points_of(shape.get("points"), 2)[:2]
        return disc(centre, float(np.hypot(*(edge - centre))), size)
    if kind == "mask":
        left, top = points_of(shape.get("points"), 1)[0]
        return placed(_mask(shape), round(top), round(left), size)
    return f"shapes without an area ({readable(str(kind))[:20]})"


def _mask(shape: dict[str, Any]) -> NDArray[np.bool_]:
    """A mask that is written as the base64 text of a PNG file, (h, w) bool."""
    try:
        data = base64.b64decode(field(shape, "mask", str), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UserError(f"a mask that is no base64 text ({error})") from error
    return read_ids(BytesItem(data, "a mask")) > 0
