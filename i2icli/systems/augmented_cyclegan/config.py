"""Augmented CycleGAN's settings, with the paper's defaults. No torch here."""

from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, model_validator

from i2icli.config import PreprocessMode, Size, TwoNames
from i2icli.pair_config import PairConfig
from i2icli.stage import Stage
from i2icli.task import Port, Task


class AugmentedCycleGANConfig(PairConfig):
    """Augmented CycleGAN options"""

    domains: TwoNames = Field(
        ("A", "B"),
        description="names of the two collections; each image of the first has many outputs in the second",
    )
    num_latents: int = Field(16, ge=1, le=4096, description="numbers in a latent code")
    two_sided: bool = Field(
        False,
        description="codes for both domains, as in the paper's equations; the authors' program, and the "
        "default here, has one output only towards the first",
    )
    width: int = Field(32, ge=1, le=4096, description="channels of the generators' first layer")
    num_blocks: int = Field(3, ge=1, le=100, description="residual blocks per generator")
    encoder_width: int = Field(32, ge=1, le=4096, description="channels of the latent encoder's first layer")
    norm: Literal["batch", "instance", "none"] = Field(
        "batch", description="normalisation in the latent encoder and the discriminator of codes"
    )
    encoder_input: Literal["pair", "own"] = Field(
        "pair", description="the latent encoder sees the image and its counterpart, or the image alone"
    )
    stochastic_encoder: bool = Field(
        False,
        description="codes are drawn from Gaussians that the encoder predicts; KL replaces --latent-gan",
    )
    code_likelihood: Literal["gaussian", "laplace"] = Field(
        "gaussian", description="how a stochastic encoder's guess of a code is scored"
    )
    discriminator_a: Literal["image", "patch"] = Field(
        "image", description="the first domain is scored 64 px at a time (edges) or by small patches"
    )
    discriminator_b: Literal["image", "patch"] = Field("patch", description="the same for the second domain")
    discriminator_width_a: int = Field(
        32, ge=1, le=4096, description="channels of the first layer of the first domain's discriminator"
    )
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the first layer of the other discriminators"
    )
    gan_loss: Literal["lsgan", "vanilla"] = Field("lsgan", description="adversarial loss")
    latent_gan: bool = Field(
        True, description="a discriminator tells encoded codes from drawn ones; for deterministic encoders"
    )
    cycle_weight: float = Field(1.0, ge=0, description="weight of returning to the image")
    latent_weight: float = Field(
        0.025, ge=0, description="weight of returning to the code, and of the KL divergence"
    )
    supervised_fraction: float = Field(
        0.0,
        ge=0,
        le=1,
        description="part of the images of equal names in both domains to learn from as pairs",
    )
    supervised_weight: float = Field(0.1, ge=0, description="weight of the two losses on those pairs")
    discriminator_lr_factor: float = Field(
        0.2, gt=0, description="learning rate of the discriminators relative to --lr"
    )
    equal_lr_in_decay: bool = Field(
        True, description="while the rate falls, discriminators learn with all of --lr (the authors' program)"
    )
    epochs: float = Field(
        50, gt=0, description="length in passes over the data, if neither of the above is given"
    )
    batch_size: int = Field(32, ge=1, description="images per forward pass, over all devices")
    max_grad_norm: float | None = Field(500.0, gt=0, description="clip each network's gradients to this norm")
    crop_size: Size = Field((64, 64), description="size of the training images: 64, or WIDTHxHEIGHT")
    preprocess: PreprocessMode = Field("resize", description="how images are brought to the crop size")
    flip: bool = Field(False, description="mirror half of the training images")

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Both directions, to the second domain by default; a style where the target has codes."""

        def task(to: str, source: Port, target: Port, side: int, coded: bool) -> Task:
            return Task(
                to,
                {"image": replace(source, multiple=4)},
                target,
                reads=frozenset({"to", "latent", "reference"} if coded else {"to"}),
                latent_size=self.num_latents if coded else 0,
                reference=target if coded else None,
                pair=self.pair_side(side, self.domains, aligned=False),
                tiling="global-norm",
                graph=to,
            )

        (first, second), (A, B) = self.domains, self.two_ports
        return task(second, A, B, 0, coded=True), task(first, B, A, 1, coded=self.two_sided)

    @property
    def smallest_batch(self) -> int:
        """Batch norm in the latent encoder normalises single numbers over the batch."""
        return 2 if self.norm == "batch" else 1

    @property
    def smallest_side(self) -> int:
        """Leaves norms of the discriminators more than one pixel, which batches of one image need."""
        return 20

    @property
    def uses_latent_gan(self) -> bool:
        """Whether there are discriminators of codes: a predicted Gaussian has its KL divergence instead."""
        return self.latent_gan and not self.stochastic_encoder

    @model_validator(mode="after")
    def _crop_fits_the_networks(self) -> Self:
        height, width = self.crop_size
        if height % 4 or width % 4:
            raise ValueError(f"crops of {width}x{height} do not suit the generators; choose multiples of 4")
        return self
