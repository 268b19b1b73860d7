"""Two collections, latent codes, and maybe some known pairs: for Augmented CycleGAN."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.images import ImageFile
from i2icli.data.kinds.paired import PairExamples
from i2icli.data.kinds.pairs import Pair
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.layouts import recognise
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import decoded_bytes
from i2icli.errors import UserError
from i2icli.image.finding import Collection


@runtime_checkable
class Augmented(Protocol):
    """Settings of a system whose examples are images with latent codes, some of them paired."""

    @property
    def num_latents(self) -> int: ...

    @property
    def two_sided(self) -> bool: ...

    @property
    def supervised_fraction(self) -> float: ...


class PartlyPairedImages(DataFolder):
    """Two folders of images, A and B, as `UnpairedImages` reads them.

    Training examples also hold "z_B", (Z,) from N(0, 1), with `two_sided` "z_A", and with a
    `supervised_fraction` "paired_A" and "paired_B": one of the chosen pairs, cut and flipped alike.
    """

    def look(self, folders: Sequence[Path]) -> None:
        """See `DataFolder.look`."""
        config = self.config
        if not isinstance(config, Augmented):
            raise TypeError(f"{type(config).__name__} has no latent codes")
        self.augmented = config
        self.unpaired = UnpairedImages(folders, config, strict=self.strict, cache_bytes=self.cache_bytes)
        self.settings, self.report = self.unpaired.settings, self.unpaired.report
        self.pairs = self._choose(recognise(folders, pairs=False).train)
        self.cached = self.unpaired.cached and self._needed() <= self.cache_bytes

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. Validation examples have no codes."""
        sides = ("A", "B") if self.augmented.two_sided else ("B",)
        pairs = self._pair_examples(Preprocess.of(self.config, resolution)) if self.pairs else None
        train = AugmentedExamples(self.unpaired.train(resolution), pairs, self.augmented.num_latents, sides)
        return train, self.unpaired.validation(resolution)

    def _pair_examples(self, preprocess: Preprocess) -> PairExamples:
        channels = self.unpaired.channels
        return PairExamples(self.pairs, preprocess, channels, False, self.cached, self.strict)

    def _choose(self, folders: tuple[Path, ...]) -> list[Pair]:
        """A fixed part, drawn by the seed, of the training images with equal names in both folders."""
        fraction = self.augmented.supervised_fraction
        if fraction == 0:
            return []
        a, b = (
            {Collection(folder, (), ()).key(file.path): file for file in files}
            for folder, files in zip(folders, self.unpaired.files, strict=True)
        )
        names = [name for name in a if name in b]
        if not names:
            raise UserError(
                f"--supervised-fraction {fraction:g}: no training images of equal names in {folders[0]} and "
                f"{folders[1]} (e.g. {next(iter(a))} and {next(iter(b))}); pairs need them, or set it to 0"
            )
        number = max(1, round(fraction * len(names)))
        chosen = np.random.default_rng(self.config.seed).permutation(len(names))[:number]
        self.report.append(
            f"{counted(number, 'pair')} of {len(names)} with equal names also learned from as pairs"
        )
        return [Pair(a[names[place]], b[names[place]]) for place in sorted(chosen)]

    def _needed(self) -> int:
        """Memory of all training images, the paired ones counted twice as they are kept twice."""
        a, b = self.unpaired.files
        sides: tuple[list[ImageFile], list[ImageFile]] = (
            a + [pair.a for pair in self.pairs],
            b + [pair.b for pair in self.pairs if pair.b is not None],
        )
        preprocess = Preprocess.of(self.config)
        return sum(
            decoded_bytes(files, channels, preprocess)
            for files, channels in zip(sides, self.unpaired.channels, strict=True)
        )


class AugmentedExamples(Examples):
    """Unpaired images with latent codes, and one of the known pairs beside them."""

    def __init__(
        self, unpaired: Examples, pairs: Examples | None, num_latents: int, sides: tuple[str, ...]
    ) -> None:
        self.unpaired = unpaired
        self.pairs = pairs
        self.num_latents = num_latents
        self.sides = sides  # that have codes

    def __len__(self) -> int:
        return len(self.unpaired)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """With `rng` the images, codes (Z,) and a pair; with None the images alone.

        Codes are part of the example, not noise of the step, so that they do not depend on how a
        batch is shared by processes.
        """
        example = self.unpaired.get(index, rng)
        if rng is None:
            return example
        for side in self.sides:
            code = rng.standard_normal(self.num_latents).astype(np.float32)
            example[f"z_{side}"] = torch.from_numpy(code)  # (Z,)
        if self.pairs is not None:
            pair = self.pairs.get(int(rng.integers(len(self.pairs))), rng)
            example |= {"paired_A": pair["source"], "paired_B": pair["target"]}
        return example
