"""CycleGAN's settings, with the paper's defaults. No torch here."""

from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, model_validator

from i2icli.config import TwoNames, next_multiple
from i2icli.growable import GrowableConfig
from i2icli.pair_config import PairConfig
from i2icli.stage import Stage
from i2icli.task import Noise, Port, Task, noise_planes


class CycleGANConfig(PairConfig, GrowableConfig):
    """CycleGAN options"""

    domains: TwoNames = Field(("A", "B"), description="names of the two collections")
    width: int = Field(64, ge=1, le=4096, description="channels of the generators' first layer")
    num_blocks: int = Field(9, ge=1, le=100, description="residual blocks per generator (6 suit 128 px)")
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed",
        description="how features are upsampled: transposed convolution (paper), or upsample, then convolve",
    )
    down_padding: Literal["zeros", "reflect"] = Field(
        "zeros", description="borders where the generators downsample: zeros (paper) or reflected"
    )
    norm: Literal["instance", "affine-instance", "batch", "none"] = Field(
        "instance", description="normalisation in all networks; affine: with learned scales and shifts"
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="noise: part of the features dropped, also when translating"
    )
    num_layers: int = Field(
        3, ge=1, le=8, description="layers of the patch discriminators; 3 see 70x70 pixels"
    )
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the discriminators' first layer"
    )
    gan_loss: Literal["lsgan", "vanilla", "wgangp", "hinge"] = Field("lsgan", description="adversarial loss")
    cycle_weight: float = Field(10.0, ge=0, description="lambda of the cycle loss, Eq. (3)")
    identity_weight: float = Field(
        0.5, ge=0, description="identity loss relative to the cycle loss, section 5.2; needs equal channels"
    )
    penalty_weight: float = Field(10.0, ge=0, description="weight of the gradient penalty; wgangp only")
    pool_size: int = Field(50, ge=0, le=100000, description="past fakes kept per domain for D, section 4")

    @property
    def multiple(self) -> int:
        """4, doubled with each level that was grown."""
        return 4 << self.grown

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Both directions, to the second domain by default."""
        noise = [Noise(4 * self.width, 0.25 / 2**stage.level)] * self.num_blocks if self.dropout else ()

        def task(to: str, source: Port, target: Port, side: int) -> Task:
            return Task(
                to,
                {"image": replace(source, multiple=self.multiple_at(stage))},
                target,
                reads=frozenset({"to"}),
                noise=noise_planes(noise),
                pair=self.pair_side(side, self.domains, aligned=False),
                tiling="free" if self.norm == "none" else "global-norm",
                graph=to,
            )

        (first, second), (A, B) = self.domains, self.two_ports
        return task(second, A, B, 0), task(first, B, A, 1)

    @property
    def smallest_side(self) -> int:
        """Residual blocks need two pixels after two halvings, discriminators three after all of theirs."""
        return next_multiple(max(8, 3 * 2**self.num_layers), 4) << self.grown

    @model_validator(mode="after")
    def _crop_fits_the_networks(self) -> Self:
        height, width = self.first_size
        if height % 4 or width % 4:
            raise ValueError(f"crops of {width}x{height} do not suit the generators; choose multiples of 4")
        return self
