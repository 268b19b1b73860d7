"""Pairs of images that show the same scene twice: for pix2pix and its heirs."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.images import (
    ImageCache,
    count_channels,
    prepare,
    refuse_mixed_sizes,
    refuse_small_to_grow,
)
from i2icli.data.kinds.pairs import Pair, find_pairs
from i2icli.data.layouts import Layout, recognise
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import TRANSPARENCY_LINE
from i2icli.data.validation_split import split_off
from i2icli.errors import UserError
from i2icli.image import Pixels, to_tensor


@runtime_checkable
class Directed(Protocol):
    """Settings that say which half of a pair is given: "AtoB" or "BtoA"."""

    @property
    def direction(self) -> str: ...


class PairedImages(DataFolder):
    """Folders of pairs: side by side in one image, or two folders with the same names.

    Examples: "source" and "target", (C, H, W) in [-1, 1], cut and flipped alike.
    """

    def look(self, folders: Sequence[Path]) -> None:
        """See `DataFolder.look`."""
        config = self.config
        self.backwards = isinstance(config, Directed) and config.direction == "BtoA"
        layout = recognise(folders, pairs=True)
        train, skipped = find_pairs(layout.train, strict=self.strict)
        validation: list[Pair] = []
        if layout.validation:
            validation, more = find_pairs(layout.validation, strict=self.strict)
            skipped += more
        self._describe(layout, train, validation)
        self.report += skipped
        if not layout.validation:
            train, validation = self._hold_out(train)
        self.pairs, self.held_out = train, validation
        refuse_small_to_grow(((pair.a.path, pair.size) for pair in train), config)
        preprocess = Preprocess.of(config)
        sizes = [preprocess.example_size(pair.size) for pair in train]
        refuse_mixed_sizes([pair.a for pair in train], sizes, config.batch_size)
        self.channels = self._channels(train + validation)
        self.settings = {"channels": self.channels}
        self.plan_cache(self._memory_needed(preprocess))

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        preprocess = Preprocess.of(self.config, resolution)
        train = self._pair_examples(self.pairs, preprocess)
        validation = self._pair_examples(self.held_out, preprocess.for_validation())
        return train, validation if self.held_out else None

    def _pair_examples(self, pairs: list[Pair], preprocess: Preprocess) -> "PairExamples":
        return PairExamples(pairs, preprocess, self.channels, self.backwards, self.cached, self.strict)

    # -- looking at the folders ----------------------------------------------------------

    def _channels(self, pairs: list[Pair]) -> tuple[int, int]:
        wanted = self.config.channels
        if wanted is not None and len(wanted) > 2:
            raise UserError(f"--channels {','.join(map(str, wanted))}: expected one number, or source,target")
        b_files = [pair.b or pair.a for pair in pairs]
        sides = [[pair.a for pair in pairs], b_files]
        source, target = reversed(sides) if self.backwards else sides
        return (
            count_channels(source, wanted[0] if wanted else None),
            count_channels(target, wanted[-1] if wanted else None),
        )

    def _hold_out(self, pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
        kept, held_out = split_off(pairs, self.config.holdout, self.config.seed)
        if held_out:
            self.report.append(
                f"no val or test folder: {counted(len(held_out), 'pair')} held out for validation, "
                f"{len(kept)} left to train on (--holdout 0 to train on all)"
            )
        else:
            self.report.append(
                "no val or test folder, and too few pairs to hold some out: nothing to validate on"
            )
        return kept, held_out

    def _describe(self, layout: Layout, train: list[Pair], validation: list[Pair]) -> None:
        arrow = "B to A" if self.backwards else "A to B"
        if layout.side_by_side:
            line = f"pairs side by side in {layout.train[0]}: {counted(len(train), 'pair')}, A left, B right"
        else:
            line = f"pairs: A in {layout.train[0]}, B in {layout.train[1]}: {counted(len(train), 'pair')}"
        lines = [f"{line}; learning {arrow}"]
        if layout.validation:
            where = " and ".join(map(str, layout.validation))
            lines.append(f"validation: {counted(len(validation), 'pair')} from {where}")
        narrow = [pair for pair in train if pair.b is None and pair.size[0] > 1.5 * pair.size[1]]
        if narrow:
            height, width = narrow[0].a.header.size
            found = f"{narrow[0].a.path} is {width}x{height} pixels"
            if len(narrow) == len(train):
                raise UserError(
                    f"{found}, as are all here: not pairs, whose halves stand side by side; "
                    "give two folders with the same file names, or pictures twice as wide"
                )
            lines.append(f"{found}: is this really a pair, both halves side by side?")
        uneven = [pair for pair in train if pair.b is not None and pair.b.header.size != pair.size]
        if uneven:
            lines.append(
                f"{counted(len(uneven), 'pair')} of differing sizes (e.g. {uneven[0].a.path.name}): "
                "B is resized to A"
            )
        if any(pair.a.header.alpha or (pair.b is not None and pair.b.header.alpha) for pair in train):
            lines.append(TRANSPARENCY_LINE)
        self.report += lines

    def _memory_needed(self, preprocess: Preprocess) -> int:
        total = 0
        for pairs, frame in ((self.pairs, preprocess), (self.held_out, preprocess.for_validation())):
            for pair in pairs:
                height, width = frame.prepared_size(pair.size)
                sides = (pair.a, pair.b or pair.a)
                a, b = reversed(self.channels) if self.backwards else self.channels
                values = a * sides[0].header.dtype.itemsize + b * sides[1].header.dtype.itemsize
                total += height * width * values
        return total


class PairExamples(Examples):
    """Pairs as tensors: "source" and "target" (C, H, W) in [-1, 1]."""

    def __init__(
        self,
        pairs: list[Pair],
        preprocess: Preprocess,
        channels: tuple[int, int],
        backwards: bool,
        cached: bool,
        strict: bool,
    ) -> None:
        self.pairs = pairs
        self.preprocess = preprocess
        self.channels = channels
        self.backwards = backwards
        self.store = ImageCache(len(pairs), partial(PairExamples._load, self), cached=cached, strict=strict)

    def __len__(self) -> int:
        return len(self.pairs)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """One pair, both halves cut and flipped alike. Raises UserError if none can be read."""
        source, target = self.store.get(index)
        window = self.preprocess.window(source.shape[:2], rng)
        return {"source": to_tensor(window.crop(source)), "target": to_tensor(window.crop(target))}

    def _load(self, index: int) -> tuple[Pixels, Pixels]:
        """Source and target, prepared: (h, w, C) of one size."""
        a, b = self.pairs[index].read()
        size = self.preprocess.prepared_size(a.shape[:2])
        source, target = (b, a) if self.backwards else (a, b)
        return prepare(source, self.channels[0], size), prepare(target, self.channels[1], size)
