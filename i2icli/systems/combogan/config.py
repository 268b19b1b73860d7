"""ComboGAN's settings, with the paper's defaults. No torch here."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, model_validator

from i2icli.config import Config, Names
from i2icli.errors import about, one_of
from i2icli.stage import Stage
from i2icli.task import Task


class ComboGANConfig(Config):
    """ComboGAN options"""

    domains: Names = Field(
        ("A", "B"),
        min_length=2,
        max_length=64,
        description="folders to use as domains; default: all that are there",
    )
    learn: Names = Field(
        (), description="domains to learn; the others are kept as --init-from gives them; default: all"
    )
    width: int = Field(64, ge=1, le=4096, description="channels of the encoders' first layer")
    num_blocks: int = Field(
        9, ge=0, le=100, description="residual blocks from image to image, half before the code"
    )
    num_shared: int = Field(
        0, ge=0, le=100, description="how many of them all domains share; then none can be added later"
    )
    norm: Literal["instance", "batch", "none"] = Field(
        "instance", description="normalisation in encoders and decoders"
    )
    discriminator_norm: Literal["instance", "batch", "none"] | None = Field(
        None, description="normalisation in the discriminators; default: as --norm"
    )
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed", description="how the decoders upsample their features"
    )
    num_layers: int = Field(4, ge=1, le=8, description="layers of the patch discriminators")
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the discriminators' first layer"
    )
    gan_loss: Literal["lsgan", "vanilla"] = Field("lsgan", description="adversarial loss")
    cycle_weight: float = Field(10.0, ge=0, description="weight of the cycle loss")
    identity_weight: float = Field(
        0.0, ge=0, description="weight of the loss of an image encoded and decoded in its own domain"
    )
    forward_weight: float = Field(
        0.0, ge=0, description="weight of the difference between an image and its translation"
    )
    latent_weight: float = Field(
        0.0, ge=0, description="weight of the difference of both codes, reached at the end of training"
    )
    mismatch_share: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of what a discriminator rejects that are real images of the other drawn domain, "
        "not fakes; not in the paper",
    )
    discriminator_shift: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="how far the discriminators' images are moved at random, as a share of the sides",
    )
    pool_size: int = Field(50, ge=0, le=100000, description="past fakes kept per domain for D")

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """To every domain. Of three or more it has to be known which one the image is from."""
        image = replace(self.two_ports[0], multiple=4)
        requires = frozenset({"source"} if len(self.domains) > 2 else ())
        task = Task(
            None,
            {"image": image},
            image,
            reads=frozenset({"to", "source"}),
            requires=requires,
            sources=self.domains,
            tiling="free" if self.norm == "none" else "global-norm",
        )
        return tuple(replace(task, name=name, graph=name) for name in self.domains)

    def resolve(self, tasks: Sequence[Task], to: str | None, source: str | None = None) -> Task:
        """See `Config.resolve`."""
        if source is not None:
            with about(f"--from {source}"):
                source = one_of(source, self.domains, "source")
        return super().resolve(tasks, to, source)

    @property
    def smallest_side(self) -> int:
        """Residual blocks need two pixels after two halvings; the discriminators take any size."""
        return 8

    @property
    def learned(self) -> tuple[str, ...]:
        """The domains whose networks are trained."""
        return self.learn or self.domains

    @model_validator(mode="after")
    def _domains_differ(self) -> Self:
        seen: set[str] = set()
        for name in self.domains:
            if name.casefold() in seen:
                raise ValueError(f"two domains are called {name!r}; --to could not tell them apart")
            seen.add(name.casefold())
        return self

    @model_validator(mode="after")
    def _crop_fits_the_networks(self) -> Self:
        height, width = self.crop_size
        if height % 4 or width % 4:
            raise ValueError(f"crops of {width}x{height} do not suit the networks; choose multiples of 4")
        return self

    @model_validator(mode="after")
    def _blocks_can_be_shared(self) -> Self:
        if self.num_shared > self.num_blocks:
            raise ValueError(
                f"--num-shared {self.num_shared} of only {self.num_blocks} residual blocks; "
                "raise --num-blocks or lower --num-shared"
            )
        if self.num_shared and self.learn:
            raise ValueError(
                f"--learn {','.join(self.learn)}: a shared centre is built for its number of domains, "
                "and none can be added to it; use --num-shared 0, or learn all domains anew"
            )
        return self
