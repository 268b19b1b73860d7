"""Splitting off a part of the examples for validation where the user gave no folder for it."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from i2icli.data.options import DataOptions

T = TypeVar("T")

TOO_FEW = "no validation: no val or test folder, and too few images to split some off"
SPLIT = "validation split"
_MOST = 50  # more add little information and take time


def split_off(items: Sequence[T], options: DataOptions) -> tuple[list[T], list[T]]:
    """-> (training, validation), both in order: a fraction, rounded down, at most 50, chosen by the seed."""
    wanted = int(len(items) * options.validation_fraction + 1e-9)  # 20 x 0.05 must be 1
    order = np.random.default_rng((options.seed, len(items))).permutation(len(items))
    chosen = set(order[: min(_MOST, wanted)].tolist())
    train = [item for index, item in enumerate(items) if index not in chosen]
    return train, [item for index, item in enumerate(items) if index in chosen]


def split_each(
    collections: Sequence[Sequence[T]], options: DataOptions
) -> tuple[list[list[T]], list[list[T]]] | None:
    """-> (training, validation), as `split_off` of every collection; None if one has too few for that."""
    split = [split_off(items, options) for items in collections]
    if not all(validation for _, validation in split):
        return None
    return [train for train, _ in split], [validation for _, validation in split]


def split_line(what: str, *, scored: bool = True) -> str:
    """The report of a split: `what` is "3 pairs"."""
    use = "" if scored else ", for sample sheets only"
    return f"{SPLIT}: {what}{use} (no val or test folder; --holdout 0 trains on all)"
