"""SPADE's settings, with the paper's defaults. No torch here."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from i2icli.config import Betas
from i2icli.label_config import LabelConfig
from i2icli.pair_config import PairConfig
from i2icli.stage import Stage
from i2icli.task import Task, Tiling

NumUpsampling = Literal["normal", "more", "most"]

MORE: dict[NumUpsampling, int] = {"normal": 0, "more": 1, "most": 2}
"""Up-samplings besides the one of the first block and one for each level."""

ENCODER_SIDE = 256  # largest size in which the encoder sees photos, appendix A
ENCODER_END = 4  # side of its last features


class SPADEConfig(LabelConfig, PairConfig):
    """SPADE (GauGAN) options"""

    found_only: ClassVar[frozenset[str]] = LabelConfig.found_only | PairConfig.found_only

    may_change: ClassVar[frozenset[str]] = (
        LabelConfig.may_change
        | PairConfig.may_change
        | {
            "discriminator_lr",
            "checkpoint_activations",
        }
    )

    vae: bool = Field(
        False,
        description="learn styles: an encoder of photos beside the generator, which then makes images of the "
        "crop size only",
    )
    num_latents: int = Field(256, ge=1, le=4096, description="numbers in a latent code, with --vae")
    kl_weight: float = Field(
        0.05, ge=0, description="weight of the KL divergence of the codes, added up over a batch, with --vae"
    )
    norm: Literal["batch", "instance"] = Field(
        "batch", description="what the label map modulates: batch norm over all GPUs, or instance norm"
    )
    num_upsampling: NumUpsampling = Field(
        "normal", description="upsamplings in the generator: 5 (normal), 6 (more) or 7 (most) at 4 levels"
    )
    num_levels: int = Field(
        4, ge=1, le=8, description="blocks of the generator that halve the channels and follow an upsampling"
    )
    width: int = Field(64, ge=1, le=4096, description="channels of the generator's last level")
    modulation_width: int = Field(
        128, ge=1, le=4096, description="channels between label map and modulation in each SPADE layer"
    )
    kernel: Literal[1, 3, 5, 7] = Field(
        3, description="side of the kernels with which SPADE layers read the label map"
    )
    spectral_norm: bool = Field(True, description="spectral normalisation in all networks")
    num_scales: int = Field(2, ge=1, le=8, description="scales of an image, with a discriminator for each")
    num_layers: int = Field(4, ge=2, le=8, description="layers of each discriminator before the scores")
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the discriminators' first layers"
    )
    gan_loss: Literal["hinge", "lsgan", "vanilla"] = Field("hinge", description="adversarial loss")
    matching_weight: float = Field(
        10.0, ge=0, description="weight of the distance between the discriminators' features"
    )
    checkpoint_activations: bool = Field(
        False,
        description="compute activations of the generator twice instead of keeping them: less memory; "
        "without --compile, which decides that itself",
    )
    lr: float = Field(1e-4, gt=0, description="learning rate of Adam for generator and encoder")
    discriminator_lr: float = Field(4e-4, gt=0, description="learning rate of Adam for the discriminators")
    betas: Betas = Field((0.0, 0.9), description="decay rates of Adam's two averages")

    @property
    def multiple(self) -> int:
        """Every upsampling doubles the sides of the generator's first map."""
        return 1 << 1 + self.num_levels + MORE[self.num_upsampling]

    @property
    def smallest_side(self) -> int:
        """The first map needs two pixels: norms of a single one leave nothing."""
        return 2 * self.multiple

    @property
    def label_channels(self) -> int:
        """Planes of a label map: classes, and boundaries of instances where there are instance maps."""
        return self.label_set.count + bool(self.instances)

    @property
    def first_size(self) -> tuple[int, int]:
        """(height, width) of the generator's first map for a training image."""
        return self.crop_size[0] // self.multiple, self.crop_size[1] // self.multiple

    @property
    def encoder_side(self) -> int:
        """Photos are brought to this size for the encoder: the paper's 256 px, less for smaller crops."""
        return 1 << min(ENCODER_SIDE, *self.crop_size).bit_length() - 1

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Photos of label maps, in the style of a code or a reference with --vae."""
        sides = {"multiple": self.multiple, "minimum": self.smallest_side}
        inputs = self.label_inputs(**({"fixed": self.crop_size} if self.vae else sides))
        output = self.two_ports[1]
        tiling: Tiling = "whole" if self.vae else "free" if self.norm == "batch" else "global-norm"
        if not self.vae:
            return (Task(None, inputs, output, pair=self.label_side(), tiling=tiling),)
        return (
            Task(
                None,
                inputs,
                output,
                reads=frozenset({"latent", "reference"}),
                latent_size=self.num_latents,
                reference=output,
                pair=self.label_side(),
                tiling=tiling,
                broadcasts=True,
            ),
        )

    @model_validator(mode="after")
    def _crop_fits_the_networks(self) -> Self:
        height, width = self.crop_size
        if height % self.multiple or width % self.multiple:
            raise ValueError(
                f"crops of {width}x{height} do not suit the generator; choose multiples of {self.multiple}, "
                "or fewer --num-levels"
            )
        if self.vae and self.encoder_side < 2 * ENCODER_END:
            raise ValueError(f"crops of {width}x{height} are too small for the encoder; choose 8 px or more")
        return self
