"""The values that images hold: read before training, so that none are trained on unseen."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from i2icli.data.images import threads
from i2icli.errors import UserError
from i2icli.image import Header, Item
from i2icli.image.values import is_finite
from i2icli.reading import AS_FOUND, Reading

SAMPLED = 64  # images that are read where not all have to be
KEPT = 2**22  # values that percentiles are taken of, at most, evenly spread over the images
WIDE = 0.25  # share of the type's range from which on integers use enough of it


@runtime_checkable
class HasValues(Protocol):
    """An image in a file, or a part of one. See `image.FileItem` for the methods."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def header(self) -> Header:
        """Its type."""

    def values(self, reading: Reading = AS_FOUND) -> NDArray[Any]:
        """What is stored, NaN among it. Raises UserError."""


@dataclass
class Values:
    """What the images of a side hold. Videos are left out: the values of their frames span their type."""

    dtypes: tuple[np.dtype[Any], ...]  # of all images, each once
    total: int  # images that there are
    complete: bool  # whether all of them were to be read
    read: int = 0  # of them those that were read
    low: float = np.inf
    high: float = -np.inf
    farthest: str = ""  # which image reaches beyond all others
    lost: dict[int, str] = field(default_factory=dict)  # index of an image -> why it cannot be used
    _kept: list[NDArray[Any]] = field(default_factory=list)

    @property
    def is_constant(self) -> bool:
        """Whether there is but one value, or none."""
        return self.low >= self.high

    @property
    def span(self) -> float:
        """From the lowest value to the highest."""
        return self.high - self.low

    @property
    def share(self) -> float:
        """Of the range of the type, that which the values use."""
        low, high = type_range(self.dtypes[0])
        return self.span / (high - low)

    def kept(self) -> NDArray[Any]:
        """(N,) values, evenly spread over the images."""
        return np.concatenate(self._kept)

    def add(self, index: int, name: str, found: "NDArray[Any] | str", keep: int) -> None:
        """Count an image, or why it cannot be used: not readable, or NaN; `keep` of its values are kept."""
        self.read += 1
        if isinstance(found, str):
            self.lost[index] = found
            return
        low, high = float(found.min()), float(found.max())
        if low < self.low or high > self.high:
            self.farthest = name
        self.low, self.high = min(self.low, low), max(self.high, high)
        flat = found.reshape(-1)
        self._kept.append(flat[:: max(1, -(-flat.size // keep))].copy())


def look_at(images: Sequence[Item], *, every: bool, reading: Reading = AS_FOUND) -> Values | None:
    """What images hold; None where they are frames of videos.

    Of integers some images tell enough, unless `every` one is to be read; floats are all read, as they may
    hold NaN.
    """
    files = [image for image in images if isinstance(image, HasValues)]
    if not files:
        return None
    dtypes = tuple(dict.fromkeys(file.header().number_type for file in files))
    every = every or any(dtype.kind == "f" for dtype in dtypes)
    count = len(files) if every else min(len(files), SAMPLED)
    chosen = [number * len(files) // count for number in range(count)]
    values = Values(dtypes, len(files), every)
    with ThreadPoolExecutor(threads()) as pool:
        for start in range(0, count, threads()):  # not all at once: they would pile up
            some = chosen[start : start + threads()]
            read = pool.map(partial(_read, reading=reading), (files[index] for index in some))
            for index, found in zip(some, read, strict=True):
                values.add(index, files[index].name, found, max(1, KEPT // count))
            if not every and not values.is_constant and (len(dtypes) > 1 or values.share >= WIDE):
                break  # nothing more could be said of them
    return values


def type_range(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The range of values that is meant where none is given."""
    if dtype.kind == "f":
        return -1.0, 1.0
    return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)


def _read(file: HasValues, reading: Reading) -> NDArray[Any] | str:
    try:
        values = file.values(reading)
    except UserError as error:
        return str(error)
    return values if is_finite(values) else f"cannot read {file.name}: NaN or infinite values"
