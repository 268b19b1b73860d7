"""COCO's annotations of objects: polygons and masks of many images in one JSON file (https://cocodataset.org).

Crowds are drawn first, then objects from large to small, so that what stands before something stays visible.
A crowd has a class but is no single object.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.classes import LabelClass
from i2icli.errors import UserError, readable
from i2icli.labels.annotations import (
    LARGEST_ID,
    Annotations,
    Canvas,
    Drawn,
    Entry,
    Failure,
    ObjectNumbers,
    check,
)
from i2icli.labels.json_files import colour_of, field, of_type, points_of, size_of
from i2icli.labels.names import result_name
from i2icli.labels.rle import decode
from i2icli.labels.shapes import Region, placed, polygon
from i2icli.written import counted


def open_coco(content: dict[str, Any]) -> Annotations:
    """The annotations of a file that was read. Raises UserError if its lists are not what they should be."""
    classes = categories(content)
    known = frozenset(each.id for each in classes)
    of_image: dict[object, list[dict[str, Any]]] = {}
    for annotation in field(content, "annotations", list):
        annotation = of_type(annotation, dict, "an annotation")
        of_image.setdefault(_key(annotation.get("image_id")), []).append(annotation)
    entries, failures = [], []
    for number, image in enumerate(field(content, "images", list)):
        source = f"image {number}"
        try:
            image = of_type(image, dict, "an image")
            source = readable(field(image, "file_name", str))
            entry = _entry(image, of_image.pop(_key(image.get("id")), []), known)
        except UserError as error:
            failures.append(Failure(source, str(error)))
        else:
            entries.append(entry)
    lost = sum(map(len, of_image.values()))
    notes = (f"{counted(lost, 'annotation')} of images that the file does not list",) if lost else ()
    return Annotations(tuple(entries), classes, failures=tuple(failures), notes=notes)


def categories(content: dict[str, Any]) -> tuple[LabelClass, ...]:
    """The classes of a file of COCO. Raises UserError for those that cannot be."""
    found = []
    for category in field(content, "categories", list):
        category = of_type(category, dict, "a category")
        number = field(category, "id", int)
        if not 0 <= number <= LARGEST_ID:
            raise UserError(f"a category with the id {number}; expected 0 to {LARGEST_ID}")
        name = readable(str(category.get("name") or number)).strip()
        found.append(LabelClass(number, name, colour_of(category.get("color"))))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Shape:
    """An annotation that can be drawn. Its pixels are made twice, as those of all at once may fill memory."""

    regions: Callable[[], Iterator[Region]]
    class_id: int
    crowd: bool
    area: int


def _entry(image: dict[str, Any], annotations: list[dict[str, Any]], known: frozenset[int]) -> Entry:
    source = field(image, "file_name", str)
    size = size_of(image)
    return Entry(result_name(source), readable(source), lambda: _read(size, annotations, known))


def _read(size: tuple[int, int], annotations: list[dict[str, Any]], known: frozenset[int]) -> Drawn:
    check(size)
    canvas, objects, left_out, shapes = Canvas(size), ObjectNumbers(), [], []
    for annotation in annotations:
        shape = _shape(annotation, size, known)
        if shape is None:
            left_out.append("boxes without an outline")
        else:
            shapes.append(shape)
    shapes.sort(key=lambda each: (not each.crowd, -each.area))
    for number, shape in enumerate(shapes):
        instance = 0 if shape.crowd else objects.of(number)
        for region in shape.regions():
            canvas.draw(region, shape.class_id, instance)
    return canvas.finished(left_out)


def _shape(annotation: dict[str, Any], size: tuple[int, int], known: frozenset[int]) -> _Shape | None:
    number = field(annotation, "category_id", int)
    if number not in known:
        raise UserError(f"an annotation of category {number}, which the file does not list")
    outline = annotation.get("segmentation")
    if not outline:
        return None
    crowd = annotation.get("iscrowd") in (1, True)
    regions = partial(_regions, outline, size)
    return _Shape(regions, number, crowd, sum(int(region.mask.sum()) for region in regions()))


def _regions(outline: Any, size: tuple[int, int]) -> Iterator[Region]:
    """The parts of a mask, or of several polygons. Raises UserError."""
    if isinstance(outline, dict):
        yield placed(_mask(outline, size), 0, 0, size)
        return
    for each in of_type(outline, list, "'segmentation'"):
        yield polygon(points_of(each, 3, "a polygon"), size)


def _mask(outline: dict[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """A mask (H, W) from its runs. Raises UserError if it is not of the size of the image."""
    if field(outline, "size", list) != list(size):
        raise UserError(f"a mask of size {outline['size'][:2]} in an image of {list(size)}")
    counts = outline.get("counts")
    if isinstance(counts, str):
        return decode(counts, size)
    return decode([of_type(run, int, "a run") for run in field(outline, "counts", list)], size)


def _key(number: object) -> object:
    """An id of an image as a key: numbers and texts are."""
    return number if isinstance(number, int | str) else None
