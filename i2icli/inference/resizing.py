"""The size at which inputs are translated: their own, another, or that of the images a model learned from."""

from dataclasses import dataclass
from math import sqrt
from typing import Self

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.setting_types import NewSize
from i2icli.stage import Stage
from i2icli.written import TRAINED

Size = tuple[int, int]
"""(height, width)"""

FAR = 2.0  # times larger or smaller than the training images: from here on results suffer
FAR_LINES = 1.5  # the same where lines are drawn into them, whose width stays


@dataclass(frozen=True)
class LearnedScale:
    """How large the scenes were that a model learned from, in pixels."""

    size: Size  # of a typical training image before it was cropped
    by_width: bool = False  # whether all had one width, whatever their height

    @classmethod
    def of(cls, config: Config, stage: Stage | None = None) -> Self | None:
        """What the settings of a model tell for a stage of its training, None for the last.

        None where images were not resized and the model does not say how large they were, as models of
        earlier versions do not.
        """
        stage = stage or config.stages()[-1]
        by_width = config.preprocess in ("scale-width", "scale-width-and-crop")
        size = config.learned_size
        if size is None and config.preprocess not in ("crop", "none"):
            size = config.crop_size if config.preprocess == "resize" else config.resize_to
        if size is None:
            return None
        factor = 1.0 if stage.resolution is None else stage.resolution / config.crop_size[1]
        return cls((max(1, round(size[0] * factor)), max(1, round(size[1] * factor))), by_width)

    def factor(self, size: Size) -> float:
        """How many times larger an image is: of scenes of one width by that, else by the area."""
        if self.by_width:
            return size[1] / self.size[1]
        return sqrt(size[0] * size[1] / (self.size[0] * self.size[1]))


@dataclass(frozen=True)
class Resizing:
    """What `--size` and `--detail` ask for."""

    size: NewSize | None = None  # the shorter side, (height, width), "trained"; None: as inputs are
    detail: bool = False  # whether results get the fine detail of the inputs
    learned: LearnedScale | None = None  # of the model

    @classmethod
    def checked(cls, size: NewSize | None, learned: LearnedScale | None, *, detail: bool) -> Self:
        """Raises UserError where it is not known how large the training images were."""
        if size == TRAINED and learned is None:
            raise UserError(
                "--size trained: this model learned from images at their own size, and does not say how "
                "large they were; give --size in pixels"
            )
        return cls(size, detail, learned)

    @property
    def back(self) -> bool:
        """Whether results are brought back to the size of the inputs."""
        return self.size == TRAINED or self.detail

    def of(self, size: Size) -> Size:
        """(height, width) at which an input of a size is translated."""
        if self.size is None:
            return size
        if isinstance(self.size, tuple):
            return self.size
        if isinstance(self.size, int):
            return _scaled(size, min(size) / self.size)
        assert self.learned is not None
        return _scaled(size, self.learned.factor(size))

    def of_result(self, size: Size, scale: float = 1.0) -> Size:
        """(height, width) of the result for an input of a size; scale: of the output, see `Port.scale`."""
        height, width = size if self.back else self.of(size)
        return round(height * scale), round(width * scale)


AS_IT_IS = Resizing()


def _scaled(size: Size, factor: float) -> Size:
    """A size so many times smaller, its proportions kept."""
    return max(1, round(size[0] / factor)), max(1, round(size[1] / factor))
