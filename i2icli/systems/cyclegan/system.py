"""CycleGAN: translate between two image collections without paired examples.

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017, https://arxiv.org/abs/1703.10593. Names: G_AB is the paper's G,
G_BA its F, D_A its D_X, D_B its D_Y.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.options import DataOptions
from i2icli.data.pairing.pair import PairChoice
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.legend import CYCLE, GAN_OF_D, GAN_OF_G, PENALTY
from i2icli.losses.penalty import gradient_penalty
from i2icli.nn.growth import GrowingDiscriminator, GrowingGenerator
from i2icli.nn.init import init_normal
from i2icli.nn.patchgan import PatchDiscriminator
from i2icli.nn.pool import ImagePool
from i2icli.nn.resnet import ResnetGenerator
from i2icli.system import Batch, Evaluation, Inputs, Memory, System, Update, aligned
from i2icli.systems.cyclegan.config import CycleGANConfig
from i2icli.task import Task


class CycleGAN(System[CycleGANConfig]):
    """A generator and a discriminator per domain. Batches hold "A" and "B", one image of each per example."""

    inference_modules = ("G_AB", "G_BA")
    legend: ClassVar[Mapping[str, str]] = {
        "G/gan_*": GAN_OF_G,
        "G/cycle_*": CYCLE,
        "G/identity_*": "How much a generator changes images of its target domain; it falls.",
        "D/gan_*": GAN_OF_D,
        "D/penalty_*": PENALTY,
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: CycleGANConfig) -> DataFolder:
        """See `System.open_data`."""
        return UnpairedImages(
            folders,
            options,
            choice=PairChoice.of(config),
            name_domains="domains" not in config.model_fields_set,
            smallest_image=config.smallest_image,
        )

    def __init__(self, config: CycleGANConfig) -> None:
        super().__init__(config)
        A, B = config.two_channels
        self.G_AB = self._generator(A, B)
        self.G_BA = self._generator(B, A)
        self.D_A = self._discriminator(A)
        self.D_B = self._discriminator(B)
        self.pool_A = ImagePool(config.pool_size)
        self.pool_B = ImagePool(config.pool_size)
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_normal(self)

    def _generator(self, source: int, target: int) -> ResnetGenerator | GrowingGenerator:
        config = self.config
        small = ResnetGenerator(
            source,
            target,
            config.width,
            config.num_blocks,
            config.norm,
            config.dropout,
            upsampling=config.upsampling,
            down_padding=config.down_padding,
        )
        if not config.grown:
            return small
        return GrowingGenerator(
            small,
            config.grown,
            source,
            target,
            config.norm,
            lambda: self.clock,
            upsampling=config.upsampling,
        )

    def _discriminator(self, channels: int) -> PatchDiscriminator | GrowingDiscriminator:
        config = self.config
        small = PatchDiscriminator(channels, config.discriminator_width, config.num_layers, config.norm)
        if not config.grown:
            return small
        return GrowingDiscriminator(small, config.grown, channels, lambda: self.clock)

    def optimizers(self) -> dict[str, Optimizer]:
        """One for both generators, one for both discriminators."""
        return {"G": self.adam(self.G_AB, self.G_BA), "D": self.adam(self.D_A, self.D_B)}

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """Both generators (Eq. (3) and section 5.2), then both discriminators on past and present fakes."""
        real_A, real_B = batch["A"], batch["B"]  # (B, C, H, W) each
        cycle = self.config.cycle_weight

        fake_B, fake_A = self.G_AB(real_A), self.G_BA(real_B)
        cycled_A, cycled_B = self.G_BA(fake_B), self.G_AB(fake_A)
        fakes = {"A": (fake_A, real_A), "B": (fake_B, real_B)}
        cycled = {"A": (cycled_A, real_A), "B": (cycled_B, real_B)}
        yield Update("G", {
            "gan_AB": self.gan.generator(self.D_B(fake_B)),
            "gan_BA": self.gan.generator(self.D_A(fake_A)),
            "cycle_A": cycle * l1_loss(cycled_A, real_A),
            "cycle_B": cycle * l1_loss(cycled_B, real_B),
        } | self._identity_losses(real_A, real_B), fakes=fakes, reconstructed=cycled)  # fmt: skip

        yield Update("D", (
            self._discriminator_losses("A", self.D_A, real_A, self.pool_A(fake_A))
            | self._discriminator_losses("B", self.D_B, real_B, self.pool_B(fake_B))
        ))  # fmt: skip

    def _identity_losses(self, real_A: Tensor, real_B: Tensor) -> dict[str, Tensor]:
        """A generator should leave images of its target domain alone, section 5.2."""
        weight = self.config.cycle_weight * self.config.identity_weight
        if weight == 0 or real_A.shape[1] != real_B.shape[1]:
            return {}
        return {
            "identity_A": weight * l1_loss(self.G_BA(real_A), real_A),
            "identity_B": weight * l1_loss(self.G_AB(real_B), real_B),
        }

    def _discriminator_losses(
        self, domain: str, D: nn.Module, real: Tensor, fake: Tensor
    ) -> dict[str, Tensor]:
        """Half the sum of both terms, so that D learns slower than G. `fake` carries no gradient."""
        losses = {f"gan_{domain}": 0.5 * self.gan.discriminator(D(real), D(fake))}
        if self.config.gan_loss == "wgangp":
            losses[f"penalty_{domain}"] = self.config.penalty_weight * gradient_penalty(D, real, fake)
        return losses

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["image"]: (B, C, H, W) -> (B, C', H, W) in the domain `task.name`."""
        G = self.G_BA if task.name == self.config.domains[0] else self.G_AB
        return G(inputs["image"], [inputs[name] for name in task.noise]), {}

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """Both directions, each with its way back."""
        fake_B, fake_A = self.G_AB(batch["A"]), self.G_BA(batch["B"])
        A, B = self.config.domains
        return {
            A: batch["A"], f"{A} to {B}": fake_B, f"and back to {A}": self.G_BA(fake_B),
            B: batch["B"], f"{B} to {A}": fake_A, f"and back to {B}": self.G_AB(fake_A),
        }  # fmt: skip

    def evaluate(self, batch: Batch) -> Evaluation:
        """Both directions, compared where the images of both domains show the same scene.

        batch["truth"]: (B,) bool, or absent.
        """
        (A, B), real_A, real_B = self.config.domains, batch["A"], batch["B"]
        fake_A, fake_B = self.G_BA(real_B), self.G_AB(real_A)
        to_A, to_B = (fake_A, real_A), (fake_B, real_B)
        compared = aligned(batch, {f"{A}_to_{B}": to_B, f"{B}_to_{A}": to_A})
        return Evaluation({A: to_A, B: to_B}, compared)
