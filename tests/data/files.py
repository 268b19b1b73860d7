"""Small data folders for the tests of this room."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from i2icli import registry
from i2icli.config import Config
from i2icli.data.options import DataOptions
from i2icli.image import DecodedImage, write_image


def put(
    path: Path, size: tuple[int, int] = (40, 40), channels: int = 3, value: int | None = None, **more: Any
) -> Path:
    """Write an image: noise that follows from its name, or one value."""
    rng = np.random.default_rng(list(path.name.encode()))
    pixels = rng.integers(0, 256, (*size, channels)).astype(np.uint8)
    if value is not None:
        pixels[:] = value
    write_image(path, DecodedImage(pixels, more.get("alpha"), "png"))
    return path


def fill(folder: Path, *names: str, **more: Any) -> Path:
    """Write images of these names into a folder."""
    for name in names:
        put(folder / name, **more)
    return folder


def scanned(system: str, folders: Sequence[Path], config: Config, **options: Any) -> Any:
    """Folders scanned as the data of a system; options: strict, cache_bytes."""
    return registry.system_type(system).open_data(folders, DataOptions.of(config, **options), config)
