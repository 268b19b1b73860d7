"""YOLO's text files for segmentation: a line for each polygon, `class x y x y ...` in fractions of the sides.

The names of the classes are in a data.yaml, classes.txt or obj.names above them; sizes are those of the
photos, in a folder images/ beside labels/, beside the texts, or in `--images`. (https://docs.ultralytics.com)
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from i2icli.classes import LabelClass
from i2icli.errors import UserError, readable
from i2icli.image import FileItem
from i2icli.labels.annotations import LARGEST_ID, Annotations, Canvas, Drawn, ObjectNumbers, annotations_of
from i2icli.labels.names import Photos, result_name
from i2icli.labels.shapes import polygon
from i2icli.labels.text_files import read_bytes, read_text
from i2icli.written import counted

LARGEST_YAML = 1_000_000  # bytes: names of classes are few
NAMES = ("data.yaml", "dataset.yaml", "data.yml", "classes.txt", "obj.names")


def open_yolo(files: Sequence[Path], folder: Path, photos: Photos) -> Annotations:
    """The annotations of text files below a folder. Raises UserError for names that cannot be read."""
    classes = _classes(folder)
    known = None if classes is None else frozenset(each.id for each in classes)

    def name(file: Path) -> str:
        return result_name("/".join(part for part in file.relative_to(folder).parts if part != "labels"))

    return annotations_of(files, name, lambda file, called: _read(file, called, photos, known), classes)


def polygons(text: str) -> list[tuple[int, list[float]]]:
    """The class and the numbers of each line. Raises UserError naming the line that is none of a polygon."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            class_id, numbers = int(words[0]), [float(word) for word in words[1:]]
        except ValueError:
            raise UserError(f"line {number}: expected numbers: class x y x y ...") from None
        if len(numbers) == 4:
            raise UserError(f"line {number} is a box of a detector; expected a polygon: class x y x y ...")
        if len(numbers) < 6 or len(numbers) % 2 or not np.isfinite(numbers).all():
            there = counted(len(numbers), "number")
            raise UserError(f"line {number}: {there}; expected x and y of at least 3 points")
        if not 0 <= class_id <= LARGEST_ID:
            raise UserError(f"line {number}: class {class_id}; expected 0 to {LARGEST_ID}")
        found.append((class_id, numbers))
    return found


def _read(file: Path, name: str, photos: Photos, known: frozenset[int] | None) -> Drawn:
    height, width = size = FileItem(_photo(name, photos)).size
    canvas, objects = Canvas(size), ObjectNumbers()
    for number, (class_id, numbers) in enumerate(polygons(read_text(file))):
        if known is not None and class_id not in known:
            raise UserError(f"class {class_id}; the list of names has {len(known)}")
        points = np.array(numbers).reshape(-1, 2).clip(-1e3, 1e3) * (width, height)
        canvas.draw(polygon(points, size), class_id, objects.of(number))
    return canvas.finished()


def _photo(name: str, photos: Photos) -> Path:
    photo = photos.find(name)
    if photo is None:
        folders = ", ".join(map(str, photos.folders)) or "any folder"
        raise UserError(f"there is no photo {name} in {folders}, whose size is needed; add --images")
    return photo


def _classes(folder: Path) -> tuple[LabelClass, ...] | None:
    """The names in the first list that is there, in the folder or above it; None where there is none."""
    for place in (folder, folder.parent):
        for name in NAMES:
            path = place / name
            if path.is_file():
                in_yaml = path.suffix in (".yaml", ".yml")
                names = _names_of_yaml(path) if in_yaml else enumerate(read_text(path).splitlines())
                found = [(number, called) for number, each in names if (called := readable(each.strip()))]
                if not found:
                    raise UserError(f"{path}: no names of classes; expected names: [road, car]")
                return tuple(LabelClass(number, called) for number, called in found)
    return None


def _names_of_yaml(path: Path) -> list[tuple[int, str]]:
    """The entry `names` of a data.yaml: a list of names, or names by number. Raises UserError for others."""
    try:
        content = yaml.safe_load(read_bytes(path, LARGEST_YAML))
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())[:120]}") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        return [(number, str(name)) for number, name in enumerate(names)]
    if not isinstance(names, dict):
        return []
    wrong = [key for key in names if type(key) is not int or not 0 <= key <= LARGEST_ID]
    if wrong:
        raise UserError(f"{path}: the class {wrong[0]!r} of its names is no number from 0 to {LARGEST_ID}")
    return [(number, str(name)) for number, name in names.items()]
