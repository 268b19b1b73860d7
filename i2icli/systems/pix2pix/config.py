"""pix2pix's settings, with the paper's defaults. No torch here."""

from dataclasses import replace
from math import gcd
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from i2icli.config import Names, next_multiple
from i2icli.growable import GrowableConfig
from i2icli.pair_config import PairConfig
from i2icli.setting_types import Name
from i2icli.stage import Stage
from i2icli.task import Noise, StackPart, Task, Tiling, noise_planes

SHALLOW = 4  # a U-Net with fewer halvings sees too little of the image; it has to be asked for


class Pix2PixConfig(PairConfig, GrowableConfig):
    """pix2pix options"""

    may_change: ClassVar[frozenset[str]] = PairConfig.may_change | {"statistics"}

    found_only: ClassVar[frozenset[str]] = PairConfig.found_only | {"stack"}

    inputs: Names = Field(
        (),
        description="folders that are read together, their channels stacked: rgb,depth; the other folder of "
        "the data has the targets",
    )
    stack: Annotated[tuple[Name, ...], Field(max_length=64)] = Field(
        (), description="the inputs' names, channels and ranges; found from the data"
    )
    direction: Literal["AtoB", "BtoA"] = Field(
        "AtoB", description="which side of a pair is given, which is wanted"
    )
    generator: Literal["unet", "resnet"] = Field("unet", description="network that translates")
    width: int = Field(64, ge=1, le=4096, description="channels of the generator's first layer")
    depth: int | None = Field(
        None,
        ge=2,
        le=16,
        description="down-samplings in the U-Net; default: as many as the crop allows, at most 8",
    )
    num_blocks: int = Field(
        9, ge=1, le=100, description="residual blocks of the ResNet generator (6 suit 128 px)"
    )
    dropout: float = Field(
        0.5, ge=0, lt=1, description="noise: part of the features dropped, also when translating"
    )
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed",
        description="how features are upsampled: transposed convolution (paper), or upsample, then convolve",
    )
    down_padding: Literal["zeros", "reflect"] = Field(
        "zeros", description="borders where the ResNet generator downsamples: zeros (paper) or reflected"
    )
    norm: Literal["batch", "instance", "affine-instance", "none"] = Field(
        "batch", description="normalisation in both networks; affine: with learned scales and shifts"
    )
    statistics: Literal["auto", "image", "running"] = Field(
        "auto",
        description="batch norm when translating: statistics of each image (paper) or running ones; "
        "auto: image after training with batches of one, else running",
    )
    discriminator: Literal["patch", "pixel"] = Field("patch", description="score patches or single pixels")
    num_layers: int = Field(
        3, ge=1, le=8, description="layers of the patch discriminator; 3 see 70x70 pixels"
    )
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the discriminator's first layer"
    )
    gan_loss: Literal["vanilla", "lsgan", "wgangp", "hinge"] = Field(
        "vanilla", description="adversarial loss"
    )
    l1_weight: float = Field(
        100.0, ge=0, description="lambda of the L1 distance to the ground truth, Eq. (4)"
    )
    penalty_weight: float = Field(10.0, ge=0, description="weight of the gradient penalty; wgangp only")

    @property
    def unet_depth(self) -> int:
        """Halvings in the U-Net: as asked, else as many as both sides of the crop allow, at most 8."""
        return self.depth or self._halvings()

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """The one translation it learned."""
        source, target = self.two_ports
        image = replace(
            source, multiple=self.multiple_at(stage), parts=tuple(map(StackPart.parse, self.stack))
        )
        tiling: Tiling = "whole"
        if self.generator == "resnet":
            tiling = "free" if self.norm == "none" else "global-norm"
        noise = noise_planes(self._noise(stage.level) if self.dropout else ())
        pair = self.pair_side(int(self.direction == "BtoA"), self.pair_names)
        return (Task(None, {"image": image}, target, noise=noise, tiling=tiling, pair=pair),)

    def _noise(self, level: int) -> list[Noise]:
        """What its dropout reads, in the order of the network; see nn.unet, nn.resnet and nn.growth."""
        if self.generator == "resnet":
            return [Noise(4 * self.width, 0.25 / 2**level)] * self.num_blocks
        sizes = range(self.unet_depth - 2, 3, -1)
        return [Noise(8 * self.width, 0.5 ** (halvings + level)) for halvings in sizes]

    @property
    def multiple(self) -> int:
        """2^depth for the U-Net, 4 for the ResNet; doubled with each level that was grown."""
        return (2**self.unet_depth if self.generator == "unet" else 4) << self.grown

    @property
    def smallest_side(self) -> int:
        """The U-Net needs one pixel after all halvings, residual blocks two after two of them, a patch
        discriminator three after all of its own.
        """
        multiple = self.multiple >> self.grown
        generator = multiple if self.generator == "unet" else 8
        discriminator = 3 * 2**self.num_layers if self.discriminator == "patch" else 1
        return next_multiple(max(generator, discriminator), multiple) << self.grown

    @property
    def translating_statistics(self) -> Literal["image", "running"]:
        """What batch norm uses when translating: that which is closest to what it saw in training."""
        if self.statistics != "auto":
            return self.statistics
        return "image" if self.batch_size == 1 else "running"

    def _halvings(self) -> int:
        common = gcd(*self.first_size)
        return max(0, min(8, (common & -common).bit_length() - 1))  # twos in the common divisor

    @model_validator(mode="after")
    def _inputs_are_the_source(self) -> Self:
        if len(self.inputs) == 1:
            raise ValueError("one input needs no --inputs; name several, such as rgb,depth, or leave it out")
        if self.inputs and (self.direction == "BtoA" or self.pair or self.side_by_side):
            raise ValueError("--inputs are the source; leave out --direction, --pair and --side-by-side")
        try:
            parts = [StackPart.parse(each) for each in self.stack]
        except ValueError:
            raise ValueError("stack: expected texts like 3 type - rgb") from None
        if parts and sum(part.channels for part in parts) != self.two_channels[0]:
            raise ValueError(f"stack: its channels do not add up to {self.two_channels[0]}")
        return self

    @model_validator(mode="after")
    def _crop_fits_the_generator(self) -> Self:
        height, width = self.first_size
        if self.generator == "unet":
            multiple = 2 ** max(2, self.unet_depth)
            advice = f"choose sides that are multiples of {multiple}, or another --depth"
        else:
            multiple = 4
            advice = "choose sides that are multiples of 4"
        if self.generator == "unet" and self.depth is None and self.unet_depth < SHALLOW:
            raise ValueError(
                f"crops of {width}x{height} leave the U-Net {self.unet_depth} down-samplings; "
                f"choose sides that are multiples of {2**SHALLOW} or more, or give --depth"
            )
        if height % multiple or width % multiple:
            raise ValueError(
                f"crops of {width}x{height} do not suit this {self.generator} generator; {advice}"
            )
        return self
