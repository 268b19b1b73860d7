"""Which images a detector was fitted to: hashes of their pixels, without names or paths."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.image import Pixels

MAX_HASHES = 100_000  # in a detector file: 800 kB

Hashes: TypeAlias = NDArray[np.uint64]


def pixel_hash(pixels: Pixels) -> int:
    """64 bits of the pixels (H, W, C) of an image: the same whatever its name, format or metadata."""
    found = blake2b(repr((pixels.shape, pixels.dtype.str)).encode(), digest_size=8)
    found.update(np.ascontiguousarray(pixels).data)
    return int.from_bytes(found.digest(), "little")


def kept_hashes(hashes: Sequence[int]) -> Hashes:
    """What a detector file keeps, (N,), ascending: each once, of more than MAX_HASHES the smallest.

    Those are a random sample of the images.
    """
    return np.unique(np.array(hashes, np.uint64))[:MAX_HASHES]


def count_fitted(kept: Hashes, hashes: Hashes) -> int:
    """How many of the images with these hashes (M,) a detector was fitted to.

    An estimate if it was fitted to more images than it keeps hashes of.
    """
    found = int(np.isin(hashes, kept).sum())
    if len(kept) < MAX_HASHES or not found:
        return found
    decidable = int((hashes <= kept.max()).sum())
    return round(found * len(hashes) / decidable)


def checked(array: NDArray[np.generic]) -> Hashes:
    """The hashes of a detector file. Raises ValueError for anything else."""
    if array.dtype != np.uint64 or array.ndim != 1 or len(array) > MAX_HASHES:
        raise ValueError(f"hashes of shape {array.shape}")
    return array.astype(np.uint64)
