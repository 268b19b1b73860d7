"""Images with the noise of their making: so it follows from seed, epoch and index, as all chance in data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.kinds.image_folder import ImageFolder


@runtime_checkable
class Noisy(Protocol):
    """Settings of a system whose examples come with noise."""

    @property
    def noise_size(self) -> int: ...


class ImagesWithNoise(DataFolder):
    """What `ImageFolder` finds, and with each example "noise", (Z,) in [-1, 1], Z as the settings say."""

    def look(self, folders: Sequence[Path]) -> None:
        """See `DataFolder.look`."""
        self.images = ImageFolder(folders, self.config, strict=self.strict, cache_bytes=self.cache_bytes)
        self.settings, self.report = self.images.settings, self.images.report
        self.cached = self.images.cached

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        assert isinstance(self.config, Noisy)
        size = self.config.noise_size
        train, validation = self.images.make(resolution)
        return WithNoise(train, size), None if validation is None else WithNoise(validation, size)


class WithNoise(Examples):
    """Examples with uniform noise beside them."""

    def __init__(self, examples: Examples, size: int) -> None:
        self.examples = examples
        self.size = size

    def __len__(self) -> int:
        return len(self.examples)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The example at that place; without `rng` its noise follows from the place."""
        example = self.examples.get(index, rng)
        drawn = (rng or np.random.default_rng(index)).random(self.size, dtype=np.float32)  # (Z,)
        return example | {"noise": torch.from_numpy(drawn * 2 - 1)}
