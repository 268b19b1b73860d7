"""One scene as ten programs and data sets write it: the same truth must come out of all."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.image import DecodedImage, write_image

SIZE = HEIGHT, WIDTH = 30, 40
NAMES = {1: "car", 2: "road", 3: "tree"}
COLOURS = {1: (0, 0, 142), 2: (128, 64, 128), 3: (107, 142, 35)}
SHAPES: list[tuple[int, list[tuple[float, float]]]] = [
    (2, [(0, 15), (40, 15), (40, 30), (0, 30)]),
    (3, [(5, 2), (15, 2), (15, 20), (10, 20), (10, 10), (5, 10)]),  # an L
    (1, [(3, 18), (9, 18), (9, 24), (3, 24)]),
    (1, [(25, 18), (33, 18), (33, 25), (25, 25)]),
]
"""Class and outline along edges of pixels, from back to front; from large to small as well."""


def numbered_colour(number: int) -> tuple[int, ...]:
    """The colour of a number in the palette of Pascal VOC: its bits are dealt to red, green, blue in turn."""
    channels = [0, 0, 0]
    for bit in range(24):
        channels[bit % 3] |= (number >> bit & 1) << (7 - bit // 3)
    return tuple(channels)


def truth() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Ids, 0 where there is no shape, and objects from 1, both (30, 40)."""
    ids, objects = np.zeros(SIZE, np.int32), np.zeros(SIZE, np.int32)
    for number, (class_id, outline) in enumerate(SHAPES, 1):
        inside = mask(outline)
        ids[inside], objects[inside] = class_id, number
    return ids, objects


def mask(outline: list[tuple[float, float]]) -> NDArray[np.bool_]:
    """The pixels of an outline along edges of pixels: rectangles, and the one L."""
    (left, top), (right, bottom) = np.min(outline, 0).astype(int), np.max(outline, 0).astype(int)
    inside = np.zeros(SIZE, np.bool_)
    inside[top:bottom, left:right] = True
    if len(outline) == 6:
        inside[10:20, 5:10] = False
    return inside


def runs(inside: NDArray[np.bool_]) -> list[int]:
    """COCO's lengths of runs, column by column, the first outside."""
    values = inside.T.reshape(-1)
    edges = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), values.size]
    lengths = np.diff(edges).tolist()
    return [0, *lengths] if values[0] else lengths


def compressed(counts: list[int]) -> str:
    """Lengths of runs as the text that COCO's programs write."""
    text = ""
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + bits + 32 * more)
    return text


def write_photo(path: Path) -> None:
    write_image(path, DecodedImage(np.full((*SIZE, 3), 90, np.uint8), None, "png"))


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_png(path: Path, array: NDArray[Any], palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    if palette:
        image = Image.frombytes("P", array.shape[::-1], array.astype(np.uint8).tobytes())
        image.putpalette([value for number in range(256) for value in numbered_colour(number)])
    image.save(path)


def labelme(folder: Path) -> None:
    shapes = [
        {"label": NAMES[number], "points": outline, "group_id": None, "shape_type": "polygon"}
        for number, outline in SHAPES
    ]
    shapes[2] |= {"points": [[3, 18], [9, 24]], "shape_type": "rectangle"}
    file = io.BytesIO()
    Image.fromarray(np.full((7, 8), 255, np.uint8)).save(file, "PNG")
    text = base64.b64encode(file.getvalue()).decode()
    shapes[3] |= {"points": [[25, 18], [32, 24]], "shape_type": "mask", "mask": text}
    content = {"version": "5.5.0", "shapes": shapes, "imagePath": "..\\x.jpg", "imageData": None}
    write_json(folder / "scene.json", content | {"imageHeight": HEIGHT, "imageWidth": WIDTH})


def coco(folder: Path) -> None:
    outlines: list[Any] = [[list(np.ravel(outline))] for _, outline in SHAPES]
    outlines[1] = {"size": [HEIGHT, WIDTH], "counts": runs(mask(SHAPES[1][1]))}
    outlines[3] = {"size": [HEIGHT, WIDTH], "counts": compressed(runs(mask(SHAPES[3][1])))}
    annotations = [
        {"id": number, "image_id": 7, "category_id": SHAPES[number][0], "segmentation": outlines[number]}
        for number in (2, 0, 3, 1)
    ]
    image = {"id": 7, "file_name": "scene.jpg", "height": HEIGHT, "width": WIDTH}
    categories = [{"id": number, "name": name} for number, name in NAMES.items()]
    content = {"images": [image], "annotations": json.loads(json.dumps(annotations, default=float))}
    write_json(folder / "instances.json", content | {"categories": categories})


def coco_panoptic(folder: Path) -> None:
    _, objects = truth()
    colours = np.zeros((*SIZE, 3), np.uint8)
    infos = []
    for number, (class_id, _) in enumerate(SHAPES, 1):
        segment = number * 70_000 + 300
        colours[objects == number] = (segment & 255, segment >> 8 & 255, segment >> 16)
        infos.append({"id": segment, "category_id": class_id})
    write_png(folder / "panoptic" / "scene.png", colours)
    categories = [{"id": number, "name": NAMES[number], "isthing": 1} for number in NAMES]
    annotations = [{"image_id": 7, "file_name": "scene.png", "segments_info": infos}]
    write_json(folder / "panoptic.json", {"annotations": annotations, "categories": categories, "images": []})


def yolo(folder: Path) -> None:
    lines = []
    for class_id, outline in SHAPES:
        numbers = (np.array(outline) / (WIDTH, HEIGHT)).reshape(-1)
        lines.append(" ".join([str(class_id - 1), *(f"{number:.9f}" for number in numbers)]))
    (folder / "labels").mkdir(parents=True)
    (folder / "labels" / "scene.txt").write_text("\n".join(lines))
    (folder / "data.yaml").write_text(f"path: x\nnames: {list(NAMES.values())}  # comment\nnc: 3\n")
    write_photo(folder / "images" / "scene.jpg")


def cvat(folder: Path) -> None:
    ids, objects = truth()
    table = "".join(
        f"{NAMES[number]}:{red},{green},{blue}::\n" for number, (red, green, blue) in COLOURS.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labelmap.txt").write_text(f"# label:color_rgb:parts:actions\n{table}")
    colours = np.full((*SIZE, 3), (224, 224, 192), np.uint8)
    for number, colour in COLOURS.items():
        colours[ids == number] = colour
    write_png(folder / "SegmentationClass" / "scene.png", colours)
    palette = np.array([numbered_colour(number) for number in range(5)], np.uint8)
    write_png(folder / "SegmentationObject" / "scene.png", palette[objects])


def voc(folder: Path) -> None:
    ids, objects = truth()
    write_png(folder / "SegmentationClass" / "scene.png", np.where(ids == 0, 255, ids), palette=True)
    write_png(folder / "SegmentationObject" / "scene.png", np.where(ids == 0, 255, objects), palette=True)


def cityscapes(folder: Path) -> None:
    ids, objects = truth()
    values = np.where(ids == 2, 2, ids * 1000 + objects)
    write_png(folder / "scene_gtFine_instanceIds.png", np.where(ids == 0, 255, values).astype(np.uint16))
    write_png(folder / "scene_gtFine_labelIds.png", ids.astype(np.uint8))


def by_256(folder: Path) -> None:
    ids, objects = truth()
    values = np.where(ids == 0, 65535, ids * 256 + objects)
    write_png(folder / "scene.png", values.astype(np.uint16))


def bdd100k(folder: Path) -> None:
    ids, objects = truth()
    write_png(folder / "scene.png", np.stack([ids, ids * 0, objects * 0 + 1, objects], -1).astype(np.uint8))


WRITERS: dict[str, tuple[Callable[[Path], None], int]] = {
    "labelme": (labelme, -1),
    "coco": (coco, 0),
    "coco-panoptic": (coco_panoptic, 0),
    "yolo": (yolo, -1),
    "cvat": (cvat, -1),
    "voc": (voc, 0),
    "cityscapes": (cityscapes, 0),
    "mapillary": (by_256, 0),
    "kitti": (by_256, 0),
    "bdd100k": (bdd100k, 0),
}
"""By format: what writes the scene, and what its ids are above those of the truth."""
