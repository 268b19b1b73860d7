"""What the engine asks of data: examples by index, and what a folder tells about itself."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from i2icli.config import Config
from i2icli.data.describe import cache_line

Example = dict[str, Tensor]


class Examples(ABC):
    """Training or validation examples by index."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """One example: tensors without a batch axis, images (C, H, W) in [-1, 1].

        `rng` supplies every random draw of augmentation (crop, flip, partner); None means
        none: the same answer each time, for validation. Safe to call from several threads.
        """

    def of_batch(self, rng: np.random.Generator) -> "Examples":  # noqa: ARG002 - for those that override it
        """The examples that one batch is drawn from: these, unless a batch has a draw in common.

        `rng` follows from the number of the step alone, so it is alike in all processes (ComboGAN's
        pair of domains). The answer must be as long as these, and as safe to call from threads.
        """
        return self


class DataFolder(ABC):
    """A user's folders, recognised. Every kind of data (pairs, collections, ...) is a subclass."""

    settings: dict[str, Any]
    """Settings that only the data can tell, e.g. {"channels": (3, 3)}."""
    report: list[str]
    """What was recognised, how many, what was skipped and why: one line each."""
    cached: bool = False
    """Whether decoded images are kept in memory."""

    def __init__(
        self, folders: Sequence[Path], config: Config, *, strict: bool = False, cache_bytes: int = 0
    ) -> None:
        """Look at one or more folders. Raises UserError naming the folder, what is missing and what works.

        strict: the first broken image is an error, it is not skipped.
        """
        self.config = config
        self.strict = strict
        self.cache_bytes = cache_bytes
        self.settings = {}
        self.report = []
        self._made: dict[int | None, tuple[Examples, Examples | None]] = {}
        self.look(folders)

    @abstractmethod
    def look(self, folders: Sequence[Path]) -> None:
        """Recognise the folders: fill in `settings` and `report`. Raises UserError as above."""

    @abstractmethod
    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """Training and validation examples at a stage's resolution; called once for each."""

    def train(self, resolution: int | None = None, clip_length: int | None = None) -> Examples:
        """The training examples, at a stage's resolution (None: as configured)."""
        return self._examples(resolution, clip_length)[0]

    def validation(self, resolution: int | None = None, clip_length: int | None = None) -> Examples | None:
        """The validation examples, None where there are none."""
        return self._examples(resolution, clip_length)[1]

    def plan_cache(self, needed: int) -> None:
        """Decide whether decoded images, of `needed` bytes, are kept in memory, and report it."""
        self.cached = needed <= self.cache_bytes
        self.report.append(cache_line(needed, self.cache_bytes))

    def _examples(self, resolution: int | None, clip_length: int | None) -> tuple[Examples, Examples | None]:
        if clip_length is not None:
            raise ValueError(f"these are single images; they cannot give clips of {clip_length} frames")
        if resolution not in self._made:
            self._made[resolution] = self.make(resolution)
        return self._made[resolution]
