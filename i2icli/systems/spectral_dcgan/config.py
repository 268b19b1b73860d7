"""The spectral DCGAN's settings, with the paper's defaults. No torch here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from i2icli.config import Config, PreprocessMode, Size
from i2icli.stage import Stage
from i2icli.task import Task

SMALLEST = 16  # pixels a side: two doublings from 4x4


class SpectralDCGANConfig(Config):
    """Spectral DCGAN options"""

    reconstructs: ClassVar[bool] = False

    epochs: float = Field(
        10, gt=0, description="length in passes over the data, if neither of the above is given"
    )
    decay_from: float = Field(
        1.0, ge=0, le=1, description="fraction of training after which the learning rate falls to zero"
    )
    batch_size: int = Field(64, ge=1, description="images per forward pass, over all devices")
    crop_size: Size = Field((128, 128), description="size of the images: 16, 32, 64 ... pixels a side")
    preprocess: PreprocessMode = Field(
        "scale-width-and-crop", description="how images are brought to that size"
    )
    flip: bool = Field(False, description="flip half of the training images")
    spectral_weight: float = Field(
        1.0,
        ge=0,
        description="weight of the generator's spectral regularisation; 0: none. The 1e-5 of the published "
        "program goes with a term that has no gradient",
    )
    num_latents: int = Field(128, ge=1, le=65536, description="numbers in a latent code")
    width: int = Field(
        32, ge=1, le=4096, description="channels of the widest images' features, in both networks"
    )
    widest: int = Field(
        16, ge=1, le=64, description="channels of the widest layers over --width, at most; 16 as published"
    )
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed",
        description="how features are upsampled: transposed convolution (paper), or upsample, then convolve",
    )
    final_layers: int = Field(
        3,
        ge=0,
        le=8,
        description="5x5 convolutions after the last upsampling, nearest then; 0: it is like the others",
    )
    norm: Literal["batch", "instance", "layer", "none"] = Field(
        "batch", description="normalisation in both networks; in D layer where wgangp makes batch impossible"
    )
    gan_loss: Literal["vanilla", "lsgan", "wgangp", "hinge"] = Field(
        "vanilla", description="adversarial loss"
    )
    penalty_weight: float = Field(10.0, ge=0, description="weight of the gradient penalty; wgangp only")
    critic_steps: int = Field(1, ge=1, description="updates of D for each of G")

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Images from codes."""
        output = replace(self.two_ports[0], fixed=self.crop_size)
        return (Task(None, {}, output, reads=frozenset({"latent"}), latent_size=self.num_latents),)

    @property
    def resize_to(self) -> tuple[int, int]:
        """Images are brought to the size itself: nothing is cut off square ones."""
        return self.load_size or self.crop_size

    @property
    def smallest_batch(self) -> int:
        """Statistics of batch norm over a single image leave the generator nothing to vary."""
        return 2 if self.norm == "batch" else 1

    @property
    def smallest_side(self) -> int:
        """Two doublings from 4x4 features."""
        return SMALLEST

    @property
    def doublings(self) -> int:
        """From 4x4 features to the image."""
        return self.crop_size[0].bit_length() - 3

    @classmethod
    def told_by(cls, settings: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> dict[str, Any]:
        """See `Config.told_by`: version 0.1.0 was less wide at 128 px."""
        first = shapes.get("G.net.0.0.weight", ())
        width = settings.get("width", cls.model_fields["width"].default)
        if "widest" in settings or len(first) != 4 or not isinstance(width, int) or not 0 < width <= first[1]:
            return {}
        widest = first[1] // width
        levels = sum(f"G.net.{level}.0.weight" in shapes for level in range(len(shapes)))
        return {"widest": widest} if widest < 2 ** (levels - 1) else {}

    @property
    def discriminator_norm(self) -> Literal["batch", "instance", "layer", "none"]:
        """A gradient penalty is about one image alone, which batch norm does not know."""
        return "layer" if self.gan_loss == "wgangp" and self.norm == "batch" else self.norm

    @model_validator(mode="after")
    def _size_is_a_power_of_two(self) -> Self:
        height, width = self.crop_size
        if height != width or height & (height - 1):
            raise ValueError(
                f"crops of {width}x{height} do not suit networks that upsample by 2: choose a power of two, "
                "such as 64 or 128"
            )
        return self
