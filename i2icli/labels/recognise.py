"""Which format annotations are in: found by what the files hold, or said by the user."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from i2icli.errors import UserError
from i2icli.image import FileItem
from i2icli.image.finding import check_folder, collect, listing
from i2icli.labels.annotations import Annotations
from i2icli.labels.formats.coco import open_coco
from i2icli.labels.formats.cvat import CLASSES, TABLE, open_cvat
from i2icli.labels.formats.labelme import open_labelme
from i2icli.labels.formats.packed import ENDINGS, open_packed
from i2icli.labels.formats.panoptic import open_panoptic
from i2icli.labels.formats.voc import open_voc
from i2icli.labels.formats.yolo import NAMES, open_yolo, polygons
from i2icli.labels.json_files import read_json
from i2icli.labels.names import Photos
from i2icli.labels.text_files import read_text

_NO_ANNOTATIONS = {"config.json"}  # tables of data sets


@dataclass(frozen=True)
class Source:
    """A file or folder of annotations, and where the photos are."""

    path: Path
    images: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder of everything: the path, or the one above a file or a folder SegmentationClass."""
        return self.path.parent if self.path.is_file() or self.path.name == CLASSES else self.path

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Everything in it. Raises UserError if there is nothing of that name."""
        if self.path.is_file():
            return (self.path,)
        collection = collect(self.folder)
        return (*collection.others, *collection.images)

    def of(self, suffix: str) -> tuple[Path, ...]:
        """The files with that suffix that may hold annotations."""
        skipped = {*NAMES, TABLE, *_NO_ANNOTATIONS}
        return tuple(
            file for file in self.files if file.suffix.lower() == suffix and file.name not in skipped
        )

    @cached_property
    def document(self) -> dict[str, Any]:
        """The content of the first JSON file that can be read. Raises UserError if there is none."""
        troubles = []
        for file in self.of(".json"):
            try:
                return read_json(file)
            except UserError as error:
                troubles.append(error)
        raise (
            troubles[0]
            if troubles
            else UserError(f"{self.path} holds no JSON file, but {listing(self.folder)}")
        )

    @property
    def masks(self) -> tuple[Path, ...]:
        """The files below SegmentationClass/. Raises UserError if there is no such folder."""
        return tuple(file for file in collect(self.folder / CLASSES).images if file.suffix.lower() == ".png")

    @property
    def photos(self) -> Photos:
        """Where sizes of images are looked up. Raises UserError if `images` is no folder."""
        if self.images is not None:
            check_folder(self.images)
            return Photos([self.images])
        beside = self.folder.parent / "images"
        return Photos([self.folder, beside] if beside.is_dir() else [self.folder])


@dataclass(frozen=True)
class Format:
    """A format of annotations."""

    title: str
    open: Callable[[Source], Annotations]


FORMATS: dict[str, Format] = {
    "labelme": Format("labelme JSON", lambda at: open_labelme(at.of(".json"), at.folder, at.photos)),
    "coco": Format("COCO objects", lambda at: open_coco(_single(at))),
    "coco-panoptic": Format("COCO panoptic maps", lambda at: open_panoptic(_single(at), at.of(".json")[0])),
    "yolo": Format("YOLO polygons", lambda at: open_yolo(at.of(".txt"), at.folder, at.photos)),
    "cvat": Format("CVAT masks", lambda at: open_cvat(at.folder, at.masks)),
    "voc": Format("Pascal VOC masks", lambda at: open_voc(at.folder, at.masks)),
    "cityscapes": Format(
        "Cityscapes ids (class * 1000 + object)",
        lambda at: open_packed(_instance_maps(at), at.folder, "cityscapes"),
    ),
    "mapillary": Format(
        "Mapillary ids (class * 256 + object)", lambda at: open_packed(at.of(".png"), at.folder, "mapillary")
    ),
    "kitti": Format(
        "KITTI ids (class * 256 + object)", lambda at: open_packed(at.of(".png"), at.folder, "kitti")
    ),
    "bdd100k": Format("BDD100K bitmasks (RGBA)", lambda at: open_packed(at.of(".png"), at.folder, "bdd100k")),
}
"""Every format by the name that `--from` takes."""


def recognise(source: Source) -> str:
    """The name of the format. Raises UserError, naming `--from`, where it could be several, or none."""
    if (source.folder / TABLE).is_file():
        return "cvat"
    if (source.folder / CLASSES).is_dir():
        return "voc"
    if source.of(".json"):
        return _of_json(source)
    if source.of(".txt") and _holds_polygons(source.of(".txt")[0]):
        return "yolo"
    if source.of(".png"):
        return _of_maps(source)
    known = f"expected annotations of {', '.join(FORMATS)}"
    raise UserError(f"{source.path}: nothing in it is known: {listing(source.folder)}; {known}")


def _of_json(source: Source) -> str:
    content = source.document
    if "shapes" in content:
        return "labelme"
    if isinstance(content.get("annotations"), list) and isinstance(content.get("categories"), list):
        first = content["annotations"][0] if content["annotations"] else {}
        return "coco-panoptic" if isinstance(first, dict) and "segments_info" in first else "coco"
    held = ", ".join(map(str, list(content)[:6])) or "nothing"
    raise UserError(
        f"{source.path} holds {held}; expected the shapes of labelme, "
        "or images, annotations and categories of COCO"
    )


def _of_maps(source: Source) -> str:
    """What a folder of PNG files is by their names, or else a UserError that says what they could be."""
    first = source.of(".png")[0]
    if _instance_maps(source)[0].stem.endswith(ENDINGS):
        return "cityscapes"
    header = FileItem(first).header()
    if header.dtype == np.uint16 and header.channels == 1:
        could = "cityscapes (class * 1000 + object), mapillary or kitti (class * 256 + object)"
        raise UserError(f"{source.path}: 16-bit maps could be {could}; say which with --from")
    if header.alpha and header.channels == 3:
        raise UserError(f"{source.path}: if these RGBA maps are those of BDD100K, add --from bdd100k")
    raise UserError(
        f"{first}: an 8-bit image, which is a label map already or a photo; "
        "label maps need no conversion: train from them as they are"
    )


def _holds_polygons(text: Path) -> bool:
    try:
        polygons(read_text(text))
    except UserError as error:
        return "line" in str(error) and "expected numbers" not in str(error)  # wrong, but numbers
    return True


def _instance_maps(source: Source) -> tuple[Path, ...]:
    """The maps of Cityscapes that hold objects, among those that do not; all where none is named so."""
    maps = source.of(".png")
    return tuple(file for file in maps if file.stem.endswith(ENDINGS)) or maps


def _single(source: Source) -> dict[str, Any]:
    """The content of the only JSON file. Raises UserError if there are several."""
    files = source.of(".json")
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:4])
        raise UserError(f"{source.path} holds {len(files)} JSON files ({names}); give the one to convert")
    return source.document
