"""Images with per-example noise, which follows from seed, epoch and index like all randomness in data."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.kinds.image_folder import ImageFolder
from i2icli.data.options import DataOptions
from i2icli.stage import Shape


class ImagesWithNoise(DataFolder):
    """What `ImageFolder` finds, and with each example "noise", (noise_size,) in [-1, 1]."""

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        noise_size: int,
        conditional: bool = False,
    ) -> None:
        super().__init__(options)
        self.noise_size = noise_size
        self.images = ImageFolder(folders, options, conditional=conditional)
        self.settings, self.report = self.images.settings, self.images.report
        self.cached = self.images.cached

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        train, validation = self.images.train(shape), self.images.validation(shape)
        size = self.noise_size
        return WithNoise(train, size), None if validation is None else WithNoise(validation, size)


class WithNoise(Examples):
    """Examples with uniform noise beside them."""

    def __init__(self, examples: Examples, size: int) -> None:
        self.examples = examples
        self.size = size

    def __len__(self) -> int:
        return len(self.examples)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The example with that index; without `rng` its noise follows from the index."""
        example = self.examples.get(index, rng)
        drawn = (rng or np.random.default_rng(index)).random(self.size, dtype=np.float32)  # (Z,)
        return example | {"noise": torch.from_numpy(drawn * 2 - 1)}
