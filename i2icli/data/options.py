"""The options that all kinds of data have in common."""

from dataclasses import dataclass
from typing import Self

from i2icli.config import Config
from i2icli.data.preprocess import Preprocess
from i2icli.reading import AS_FOUND, Reading
from i2icli.value_range import TYPE


@dataclass(frozen=True)
class DataOptions:
    """How images are read and cropped, what is split off for validation, what is an error."""

    preprocess: Preprocess
    channels: tuple[int, ...] | None = None  # to read images with, one number or one per side; None: as found
    batch_size: int = 1
    smallest_side: int = 1  # pixels: examples with a shorter side do not fit the networks
    validation_fraction: float = 0.0  # split off where there is no val or test folder
    seed: int = 0
    strict: bool = False  # a broken image is an error instead of being skipped
    cache_bytes: int = 0  # memory for decoded images
    range: str = TYPE  # of the values, for all or for each side; see `value_range`
    reading: Reading = AS_FOUND  # of files, where they leave it open

    @classmethod
    def of(cls, config: Config, *, strict: bool = False, cache_bytes: int = 0) -> Self:
        """As configured. Raises UserError for sizes that contradict each other."""
        return cls(
            Preprocess.of(config),
            config.channels,
            config.batch_size,
            config.smallest_side,
            config.holdout,
            config.seed,
            strict,
            cache_bytes,
            config.range,
            config.reading,
        )
