"""How images become training examples: resized once, then cropped and flipped at random in every epoch."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from i2icli.config import Config, PreprocessMode
from i2icli.errors import UserError
from i2icli.image import Pixels


class Crop(NamedTuple):
    """The part of an image that becomes an example, possibly flipped."""

    top: int
    left: int
    height: int
    width: int
    flipped: bool

    def crop(self, pixels: Pixels) -> Pixels:
        """(H, W, C) -> (height, width, C), a view."""
        part = pixels[self.top : self.top + self.height, self.left : self.left + self.width]
        return part[:, ::-1] if self.flipped else part


@dataclass(frozen=True)
class Preprocess:
    """The modes of `--preprocess`, as in the papers and the code that followed them.

    resize-and-crop: to the load size, ignoring the aspect ratio, then a random crop (pix2pix, CycleGAN);
    resize: straight to the crop size; crop: a random crop at the original size;
    scale-width: to the load width, keeping the aspect ratio; scale-width-and-crop: the same, then a crop;
    none: sides are only rounded to what the networks need. Images too small for a crop are upscaled.
    """

    mode: PreprocessMode
    load_size: tuple[int, int]  # (height, width)
    crop_size: tuple[int, int]  # (height, width)
    flip: bool
    multiple: int = 4  # sides of uncropped images are rounded to it
    training: bool = True
    centred: bool = False  # centre crops, in training too

    @classmethod
    def of(cls, config: Config) -> Self:
        """As configured. Raises UserError if crops do not fit into the load size."""
        crop, load = config.crop_size, config.resize_to
        if config.preprocess == "resize-and-crop" and (load[0] < crop[0] or load[1] < crop[1]):
            raise UserError(
                f"--load-size {load[1]}x{load[0]} is smaller than --crop-size {crop[1]}x{crop[0]}; "
                "raise the first or lower the second"
            )
        return cls(config.preprocess, load, crop, config.flip, config.multiple)

    def at(self, resolution: int | None) -> Self:
        """The same at another width of the crops, everything else scaled along; None: unchanged."""
        if resolution is None:
            return self
        factor = resolution / self.crop_size[1]
        load_height, load_width = (round(side * factor) for side in self.load_size)
        return replace(
            self,
            load_size=(load_height, load_width),
            crop_size=(round(self.crop_size[0] * factor), resolution),
        )

    def for_validation(self) -> Self:
        """The same without randomness: the whole image where the mode resizes, else the centre crop."""
        return replace(self, training=False)

    def prepared_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) to which an image of `size` is resized before it is cropped; always the same."""
        if self.mode == "resize-and-crop":
            return self.load_size if self.training else self.crop_size
        if self.mode == "resize":
            return self.crop_size
        if self.mode == "none":
            return self._rounded(size[0]), self._rounded(size[1])
        if self.mode == "crop":
            return self._upscaled(size)
        width = self.load_size[1]
        height = max(1, round(size[0] * width / size[1]))
        if self.mode == "scale-width":
            return self._rounded(height), self._rounded(width)
        return self._upscaled((height, width))

    def window(self, size: tuple[int, int], rng: np.random.Generator | None) -> Crop:
        """The crop of a prepared image: drawn from `rng`, or the centre, not flipped, if that is None."""
        height, width = min(size[0], self.crop_size[0]), min(size[1], self.crop_size[1])
        if self.mode in ("scale-width", "none"):
            height, width = size
        room_down, room_across = size[0] - height, size[1] - width
        if rng is None:
            return Crop(room_down // 2, room_across // 2, height, width, False)
        top = room_down // 2 if self.centred else int(rng.integers(room_down + 1))
        left = room_across // 2 if self.centred else int(rng.integers(room_across + 1))
        flipped = bool(rng.random() < 0.5)
        return Crop(top, left, height, width, flipped and self.flip)

    def example_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the example made from an image of `size`."""
        window = self.window(self.prepared_size(size), None)
        return window.height, window.width

    def _upscaled(self, size: tuple[int, int]) -> tuple[int, int]:
        """Upscaled, keeping the aspect ratio, until a crop fits; unchanged if it does already."""
        factor = max(self.crop_size[0] / size[0], self.crop_size[1] / size[1])
        if factor <= 1:
            return size
        height, width = round(size[0] * factor), round(size[1] * factor)
        return max(height, self.crop_size[0]), max(width, self.crop_size[1])

    def _rounded(self, side: int) -> int:
        return max(self.multiple, round(side / self.multiple) * self.multiple)
