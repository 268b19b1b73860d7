"""What inputs show, to trace and to prove with: noise, a user's own images, or scenes that are drawn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from i2icli.conditions import Condition
from i2icli.errors import UserError
from i2icli.image import FileItem, change_type, kinds
from i2icli.image.finding import find_images
from i2icli.task import Port

Array = NDArray[Any]

SHAPES = 6  # in a drawn scene
IDS = 5  # instances in a drawn scene


class Content(Protocol):
    """Where the inputs of a task come from."""

    @property
    def origin(self) -> str:
        """In words, without a path: "noise", "given images", "drawn scenes"."""

    def has(self, port: Port) -> bool:
        """Whether there is something of its own for an input that another may stand in for."""

    def array(self, port: Port, size: tuple[int, int], row: int) -> Array:
        """(1, C, height, width) as the port has it: in [-1, 1], or ids."""


class After:
    """Other content from a row on."""

    def __init__(self, content: Content, start: int) -> None:
        self.content, self.start, self.origin = content, start, content.origin

    def has(self, port: Port) -> bool:
        """See `Content`."""
        return self.content.has(port)

    def array(self, port: Port, size: tuple[int, int], row: int) -> Array:
        """See `Content`."""
        return self.content.array(port, size, row + self.start)


class Noise:
    """Every pixel by itself: the hardest input, and of any kind."""

    origin = "noise"

    def __init__(self, generator: Generator) -> None:
        self.generator = generator

    def has(self, port: Port) -> bool:  # noqa: ARG002 - as the protocol has it
        """See `Content`."""
        return True

    def array(self, port: Port, size: tuple[int, int], row: int) -> Array:  # noqa: ARG002 - as above
        """See `Content`."""
        if kinds.holds_ids(port.kind):
            most = port.channels if port.kind == "labels" else IDS
            return self.generator.integers(0, most, (1, 1, *size))
        return self.generator.random((1, port.channels, *size), np.float32) * 2 - 1


class Scenes:
    """Discs before a background that fades: smooth areas and sharp edges, as photographs have them."""

    origin = "drawn scenes"

    def has(self, port: Port) -> bool:  # noqa: ARG002 - as the protocol has it
        """See `Content`."""
        return True

    def array(self, port: Port, size: tuple[int, int], row: int) -> Array:
        """See `Content`."""
        generator = np.random.default_rng(row)
        height, width = size
        down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)  # (H, W) each
        ids = kinds.holds_ids(port.kind)
        count = (port.channels if port.kind == "labels" else IDS) if ids else port.channels
        scene = np.zeros((1, *size), np.int64) if ids else _faded(count, down, across, generator)
        for _ in range(SHAPES):
            centre, radius = generator.random(2), 0.05 + 0.25 * generator.random()
            inside = (down - centre[0]) ** 2 + (across - centre[1]) ** 2 < radius**2
            value = generator.integers(0, count) if ids else generator.random((count, 1)) * 2 - 1
            scene[:, inside] = value
        return scene[None]


def _faded(channels: int, down: Array, across: Array, generator: Generator) -> Array:
    """A background (C, H, W) in [-1, 1]."""
    slopes = generator.random((2, channels, 1, 1)).astype(np.float32) - 0.5
    return slopes[0] * (2 * down - 1) + slopes[1] * (2 * across - 1)  # type: ignore[no-any-return]


class GivenImages:
    """A user's images, brought to the size that is asked for; maps of ids where a task reads those."""

    def __init__(self, files: Sequence[Path], origin: str = "given images") -> None:
        """files: at least one."""
        self.files, self.origin = tuple(files), origin

    @classmethod
    def of_folder(cls, folder: Path, option: str) -> "GivenImages":
        """All images of a folder. Raises UserError naming the option where there are none."""
        if not folder.is_dir():
            raise UserError(f"{option} {folder}: no such folder; expected one that holds images")
        files = find_images(folder)
        if not files:
            raise UserError(f"{option} {folder}: holds no images")
        return cls(files)

    def __len__(self) -> int:
        return len(self.files)

    def apart(self, count: int) -> "tuple[GivenImages, GivenImages]":
        """Some of the images, spread over all of them, and the others; all for both where they are few."""
        chosen = _spread(self.files, count)
        others = [file for file in self.files if file not in chosen]
        if len(others) < count:
            return GivenImages(chosen, "images of the calibration"), self
        return GivenImages(chosen, "images that were not calibrated on"), GivenImages(others)

    def fewer(self, count: int) -> "GivenImages":
        """At most so many of them, spread over all."""
        return GivenImages(_spread(self.files, count), self.origin)

    def has(self, port: Port) -> bool:
        """See `Content`: no folder holds several inputs."""
        return port.instead is None

    def array(self, port: Port, size: tuple[int, int], row: int) -> Array:
        """See `Content`. Raises UserError for a file that cannot be read as the port's kind."""
        item = FileItem(self.files[row % len(self.files)])
        prepared = kinds.prepare(kinds.decode(item, port), port, size)
        if port.condition is not None:
            prepared = _extracted(port.condition, change_type(prepared, np.uint8))
        return kinds.to_array(prepared, port.kind)[None]


def _spread(files: Sequence[Path], count: int) -> list[Path]:
    """At most so many, evenly: names that follow each other are often frames of one scene."""
    step = max(1.0, len(files) / count)
    return [files[int(number * step)] for number in range(min(count, len(files)))]


def _extracted(condition: Condition, image: Array) -> Array:
    from i2icli.extractors.extract import extractor  # only for conditions of videos

    return extractor(condition)(image)
