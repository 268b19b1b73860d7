"""Keeping a part of the examples for validation where the user set none aside."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_MOST = 50  # more tell little more and cost time


def hold_out(items: Sequence[T], fraction: float, seed: int) -> tuple[list[T], list[T]]:
    """-> (kept, held out), both in order: a fraction, rounded down, at most 50, chosen by the seed."""
    number = min(_MOST, int(len(items) * fraction + 1e-9))  # 20 x 0.05 must be 1
    chosen = set(np.random.default_rng((seed, len(items))).permutation(len(items))[:number].tolist())
    kept = [item for place, item in enumerate(items) if place not in chosen]
    return kept, [item for place, item in enumerate(items) if place in chosen]
