"""CycleGAN: translate between two image collections without paired examples.

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017, https://arxiv.org/abs/1703.10593. Names: G_AB is the paper's G,
G_BA its F, D_A its D_X, D_B its D_Y.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.penalty import gradient_penalty
from i2icli.nn.growth import GrowingDiscriminator, GrowingGenerator
from i2icli.nn.init import init_normal
from i2icli.nn.patchgan import PatchDiscriminator
from i2icli.nn.pool import ImagePool
from i2icli.nn.resnet import ResnetGenerator
from i2icli.system import Answers, Batch, Pairs, Request, System, Update
from i2icli.systems.cyclegan.config import CycleGANConfig


class CycleGAN(System[CycleGANConfig]):
    """A generator and a discriminator per domain. Batches hold "A" and "B", one image of each per example."""

    config_type = CycleGANConfig
    accepts = frozenset({"image", "to"})
    inference_modules = ("G_AB", "G_BA")

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: CycleGANConfig) -> DataFolder:
        """See `System.open_data`."""
        return UnpairedImages(
            folders,
            options,
            name_domains="domains" not in config.model_fields_set,
            smallest_image=config.smallest_image,
        )

    def __init__(self, config: CycleGANConfig) -> None:
        super().__init__(config)
        A, B = self._domain_channels()
        self.G_AB = self._generator(A, B)
        self.G_BA = self._generator(B, A)
        self.D_A = self._discriminator(A)
        self.D_B = self._discriminator(B)
        self.pool_A = ImagePool(config.pool_size)
        self.pool_B = ImagePool(config.pool_size)
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_normal(self)

    def _domain_channels(self) -> tuple[int, int]:
        found = self.config.channels or (3,)
        return found[0], found[-1]

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
        )
        if not config.grown:
            return small
        return GrowingGenerator(
            small,
            config.grown,
            source,
            target,
            config.norm,
            lambda: self.standing(),
            upsampling=config.upsampling,
        )

    def _discriminator(self, channels: int) -> PatchDiscriminator | GrowingDiscriminator:
        config = self.config
        small = PatchDiscriminator(channels, config.discriminator_width, config.num_layers, config.norm)
        if not config.grown:
            return small
        return GrowingDiscriminator(small, config.grown, channels, lambda: self.standing())

    def optimizers(self) -> dict[str, Optimizer]:
        """One for both generators, one for both discriminators."""
        return {"G": self.adam(self.G_AB, self.G_BA), "D": self.adam(self.D_A, self.D_B)}

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """Both generators (Eq. (3) and section 5.2), then both discriminators on past and present fakes."""
        real_A, real_B = batch["A"], batch["B"]  # (B, C, H, W) each
        cycle = self.config.cycle_weight

        fake_B, fake_A = self.G_AB(real_A), self.G_BA(real_B)
        fakes = {"A": (fake_A, real_A), "B": (fake_B, real_B)}
        yield Update("G", {
            "gan_AB": self.gan.generator(self.D_B(fake_B)),
            "gan_BA": self.gan.generator(self.D_A(fake_A)),
            "cycle_A": cycle * l1_loss(self.G_BA(fake_B), real_A),
            "cycle_B": cycle * l1_loss(self.G_AB(fake_A), real_B),
        } | self._identity_losses(real_A, real_B), fakes=fakes)  # fmt: skip

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

    def translate(self, request: Request) -> Tensor:
        """request.image: (B, C, H, W), sides multiples of 4 -> (B, C', H, W) in the domain `request.to`."""
        if request.image is None:
            raise UserError("cyclegan translates images, but the request holds none; give it one")
        return (self.G_BA if self._to_A(request.to) else self.G_AB)(request.image)  # type: ignore[no-any-return]

    def _to_A(self, to: str | None) -> bool:
        """Whether the target is the first domain. Raises UserError if it is neither."""
        if to is not None and to not in self.config.domains:
            raise UserError(
                f"unknown domain {to!r}; this cyclegan translates to: {', '.join(self.targets())}"
            )
        return to == self.config.domains[0]

    def channels(self, to: str | None = None) -> tuple[int, int]:
        """Channels of the images it reads and of those it answers with, for a target domain."""
        A, B = self._domain_channels()
        return (B, A) if self._to_A(to) else (A, B)

    def multiple_of(self) -> int:
        """Both generators halve the image twice, and once more for each level that was grown."""
        return self.G_AB.multiple

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """Both directions, each with its way back."""
        fake_B, fake_A = self.G_AB(batch["A"]), self.G_BA(batch["B"])
        A, B = self.config.domains
        return {
            A: batch["A"], f"{A} to {B}": fake_B, f"and back to {A}": self.G_BA(fake_B),
            B: batch["B"], f"{B} to {A}": fake_A, f"and back to {B}": self.G_AB(fake_A),
        }  # fmt: skip

    def answers(self, batch: Batch) -> Answers:
        """Both directions: what looks like A, made of B, and like B, made of A."""
        return {"A": self.G_BA(batch["B"]), "B": self.G_AB(batch["A"])}

    def samples(self, batch: Batch, answers: Answers) -> Pairs:
        """Both directions, beside images of the other collection."""
        A, B = self.config.domains
        return {A: (answers["A"], batch["A"]), B: (answers["B"], batch["B"])}

    def compare(self, batch: Batch, answers: Answers) -> Pairs:
        """Both directions, of those examples whose images show the same scene; usually there are none.

        batch["truth"]: (B,) bool, or absent.
        """
        if "truth" not in batch or not batch["truth"].any():
            return {}
        A, B = ((answers[side][batch["truth"]], batch[side][batch["truth"]]) for side in ("A", "B"))
        first, second = self.config.domains
        return {f"{first}_to_{second}": B, f"{second}_to_{first}": A}  # (B', C, H, W) each
