"""What training asks of data: examples by index, and what a scan of the folders found."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from torch import Tensor

from i2icli.data.describe import cache_line
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ReadSpec, scan
from i2icli.image import FileItem
from i2icli.image.finding import Collection
from i2icli.stage import Shape
from i2icli.task import Port

Example = dict[str, Tensor]
AS_CONFIGURED = Shape()


class Examples(ABC):
    """Training or validation examples by index."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """One example: tensors without a batch axis, images (C, H, W) in [-1, 1].

        `rng` supplies every random draw of augmentation (crop, flip, partner); None means none:
        the same result every time, for validation. Safe to call from several threads.
        """

    def of_batch(self, rng: np.random.Generator) -> "Examples":  # noqa: ARG002 - for those that override it
        """The examples that one batch is drawn from: these, unless a batch has a draw in common.

        `rng` follows from the number of the step alone, so it is the same in all processes (ComboGAN's
        pair of domains). The result must be as long as these, and as safe to call from threads.
        """
        return self


class DataFolder(ABC):
    """A user's folders, scanned. Every kind of data (pairs, collections, ...) is a subclass.

    A kind is constructed from folders, `DataOptions` and parameters of its own. Its constructor scans the
    folders and fills in `settings` and `report`. It raises UserError naming the folder, what is
    missing and what would work.
    """

    settings: dict[str, Any]
    """Settings that only the data can tell, e.g. {"channels": (3, 3)}."""
    report: list[str]
    """What was recognised, how many, what was skipped and why: one line each."""
    cached: bool
    """Whether decoded images are kept in memory."""

    def __init__(self, options: DataOptions) -> None:
        self.options = options
        self.settings = {}
        self.report = []
        self.cached = False
        self._made: dict[Shape, tuple[Examples, Examples | None]] = {}

    @abstractmethod
    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """Training and validation examples as a stage asks for them; called once for each shape."""

    def train(self, shape: Shape = AS_CONFIGURED) -> Examples:
        """The training examples, as a stage asks for them."""
        return self._examples(shape)[0]

    def validation(self, shape: Shape = AS_CONFIGURED) -> Examples | None:
        """The validation examples, None where there are none."""
        return self._examples(shape)[1]

    def read_headers(self, collection: Collection, expected: str = "images") -> list[FileItem]:
        """The readable images of a collection; what is skipped is reported. Raises UserError as `scan`."""
        files, lines = scan(
            collection, strict=self.options.strict, expected=expected, reading=self.options.reading
        )
        self.report += lines
        return files

    def read_spec(self, port: Port, preprocess: Preprocess) -> ReadSpec:
        """How images of one side are read, once `plan_cache` was called."""
        return ReadSpec(port, preprocess, self.cached, self.options.strict)

    def plan_cache(self, needed: int) -> None:
        """Decide whether decoded images, of `needed` bytes, are kept in memory, and report it."""
        self.cached = needed <= self.options.cache_bytes
        self.report.append(cache_line(needed, self.options.cache_bytes))

    def _examples(self, shape: Shape) -> tuple[Examples, Examples | None]:
        if shape not in self._made:
            self._made[shape] = self.make(shape)
        return self._made[shape]
