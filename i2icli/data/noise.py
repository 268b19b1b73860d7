"""Images with the noise of their making: so it follows from seed, epoch and index, as all chance in data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from i2icli.config import Config
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_folder import ImageFolder


@runtime_checkable
class Noisy(Protocol):
    """Settings of a system whose examples come with noise."""

    @property
    def noise_size(self) -> int: ...


class ImagesWithNoise(DataFolder):
    """What `ImageFolder` finds, and with each example "noise", (Z,) in [-1, 1], Z as the settings say."""

    def __init__(
        self, folders: Sequence[Path], config: Config, *, strict: bool = False, cache_bytes: int = 0
    ) -> None:
        assert isinstance(config, Noisy)
        self.size = config.noise_size
        self.images = ImageFolder(folders, config, strict=strict, cache_bytes=cache_bytes)
        self.settings: dict[str, Any] = self.images.settings
        self.report = self.images.report

    def train(self, resolution: int | None = None, clip_length: int | None = None) -> Examples:
        """The training images, with noise drawn anew each time."""
        return WithNoise(self.images.train(resolution, clip_length), self.size)

    def validation(self, resolution: int | None = None, clip_length: int | None = None) -> Examples | None:
        """The images set aside, each with noise of its own; None where there are none."""
        found = self.images.validation(resolution, clip_length)
        return None if found is None else WithNoise(found, self.size)


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
