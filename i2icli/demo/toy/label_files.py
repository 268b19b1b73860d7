"""Writing label data: palette PNGs of class ids, 16-bit PNGs of instance ids, and classes.toml."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.classes import LabelClass
from i2icli.files import atomic_write
from i2icli.image import DecodedImage, write_image

INSTANCES = 1000  # object n of class c is c * INSTANCES + n, as in Cityscapes; c alone: no object


def write_labels(path: Path, ids: NDArray[np.uint8], classes: Iterable[LabelClass]) -> None:
    """Write class ids (H, W) as a PNG whose palette holds the colours of the classes."""
    palette = np.zeros((256, 3), np.uint8)
    for each in classes:
        palette[each.id] = each.colour or (0, 0, 0)
    image = Image.fromarray(ids, "L").convert("P")
    image.putdata(ids.reshape(-1))
    image.putpalette(palette.tobytes())
    with atomic_write(path) as beside:
        image.save(beside, "PNG")


def write_instances(path: Path, ids: NDArray[np.uint16]) -> None:
    """Write instance ids (H, W) as a 16-bit PNG."""
    write_image(path, DecodedImage(ids[..., None], None, "png"))


def write_classes(path: Path, classes: Iterable[LabelClass], ignored: Iterable[str] = ()) -> None:
    """Write classes.toml: id, name and colour of each class, and the names of those that are ignored."""
    names = list(ignored)
    lines = [f"ignore = {json.dumps(names)}", ""] if names else []
    for each in classes:
        lines += ["[[class]]", f"id = {each.id}", f"name = {json.dumps(each.name)}"]
        lines += ['colour = "#{:02x}{:02x}{:02x}"'.format(*each.colour)] if each.colour else []
        lines.append("")
    with atomic_write(path) as beside:
        beside.write_text("\n".join(lines), encoding="utf-8")
