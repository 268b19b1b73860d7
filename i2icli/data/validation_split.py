"""Keeping a part of the examples for validation where the user set none aside."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from i2icli.config import Config

T = TypeVar("T")

TOO_FEW = "no val or test folders, and too few images to hold some out: nothing to validate on"
_MOST = 50  # more tell little more and cost time


def split_off(items: Sequence[T], fraction: float, seed: int) -> tuple[list[T], list[T]]:
    """-> (kept, held out), both in order: a fraction, rounded down, at most 50, chosen by the seed."""
    number = min(_MOST, int(len(items) * fraction + 1e-9))  # 20 x 0.05 must be 1
    chosen = set(np.random.default_rng((seed, len(items))).permutation(len(items))[:number].tolist())
    kept = [item for place, item in enumerate(items) if place not in chosen]
    return kept, [item for place, item in enumerate(items) if place in chosen]


def split_each(
    collections: Sequence[Sequence[T]], config: Config
) -> tuple[list[list[T]], list[list[T]]] | None:
    """-> (kept, held out), as `split_off` of every collection; None if one has too few for that."""
    split = [split_off(items, config.holdout, config.seed) for items in collections]
    if not all(held_out for _, held_out in split):
        return None
    return [kept for kept, _ in split], [held_out for _, held_out in split]
