"""Augmented CycleGAN: translate between two collections without pairs, with many outputs per image.

Almahairi, Rajeswar, Sordoni, Bachman, Courville, "Augmented CycleGAN: Learning Many-to-Many Mappings
from Unpaired Data", ICML 2018, https://arxiv.org/abs/1802.10151. Names: G_AB, G_BA, E_A, E_B are the
paper's; D_z.B scores codes of B (its D_Zb). A code says what an image of B has that A does not show.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torch.optim import Adam, Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.partly_paired import PartlyPairedImages
from i2icli.data.options import DataOptions
from i2icli.data.pairing.pair import PairChoice
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.latent import gaussian_log_likelihood, kl_divergence, laplace_log_likelihood
from i2icli.losses.legend import CYCLE, GAN_OF_D, GAN_OF_G
from i2icli.losses.precision import at_least_float32
from i2icli.system import Batch, Evaluation, Inputs, Memory, Pairs, System, Update
from i2icli.systems.augmented_cyclegan.config import AugmentedCycleGANConfig
from i2icli.systems.augmented_cyclegan.latent import Codes, LatentDiscriminator, LatentEncoder
from i2icli.systems.augmented_cyclegan.maps import Maps
from i2icli.systems.augmented_cyclegan.networks import (
    Generator,
    ImageDiscriminator,
    SmallPatchDiscriminator,
    init_weights,
)
from i2icli.systems.augmented_cyclegan.showing import evaluate, preview
from i2icli.task import Task

LIKELIHOOD = {"gaussian": gaussian_log_likelihood, "laplace": laplace_log_likelihood}


class AugmentedCycleGAN(System[AugmentedCycleGANConfig]):
    """Batches hold "A", "B" and drawn codes "z_B", "z_A"; with supervision pairs "paired_A", "paired_B"."""

    inference_modules = ("G_AB", "G_BA", "E")
    legend: ClassVar[Mapping[str, str]] = {
        "G/gan_z_*": "How far the codes found in images are from passing for drawn ones.",
        "G/gan_*": GAN_OF_G,
        "G/cycle_z_*": "Difference between drawn codes and those found in their outputs; it falls.",
        "G/cycle_*": CYCLE,
        "G/kl_*": "How far codes found in images are from the normal distribution of drawn ones.",
        "G/paired_*": "Difference between outputs and the ground truth where it is known; it falls.",
        "D/gan_z_*": "How far the discriminator is from telling drawn codes and those found in images apart.",
        "D/gan_*": GAN_OF_D,
    }

    @staticmethod
    def open_data(
        folders: Sequence[Path], options: DataOptions, config: AugmentedCycleGANConfig
    ) -> DataFolder:
        """See `System.open_data`."""
        return PartlyPairedImages(
            folders,
            options,
            num_latents=config.num_latents,
            two_sided=config.two_sided,
            supervised_fraction=config.supervised_fraction,
            choice=PairChoice.of(config),
            name_domains="domains" not in config.model_fields_set,
        )

    def __init__(self, config: AugmentedCycleGANConfig) -> None:
        super().__init__(config)
        A, B = config.two_channels
        codes = config.num_latents
        self.G_AB = Generator(A, B, config.width, config.num_blocks, codes)
        self.G_BA = Generator(B, A, config.width, config.num_blocks, codes if config.two_sided else 0)
        self.D_A = self._discriminator(config.discriminator_a, A, config.discriminator_width_a)
        self.D_B = self._discriminator(config.discriminator_b, B, config.discriminator_width)
        coded = ("B", "A") if config.two_sided else ("B",)
        self.E = nn.ModuleDict({side: self._encoder(A, B, side) for side in coded})
        scored = coded if config.uses_latent_gan else ()
        self.D_z = nn.ModuleDict({side: self._latent_discriminator() for side in scored})
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_weights(self)

    @property
    def maps(self) -> Maps:
        """The networks as they are now: the engine may put averaged ones in their place."""
        return Maps(self.config, {"A": self.G_BA, "B": self.G_AB}, self.E)

    @staticmethod
    def _discriminator(kind: str, channels: int, width: int) -> nn.Module:
        return (ImageDiscriminator if kind == "image" else SmallPatchDiscriminator)(channels, width)

    def _encoder(self, A: int, B: int, side: str) -> LatentEncoder:
        config = self.config
        own = A if side == "A" else B
        channels = A + B if config.encoder_input == "pair" else own
        return LatentEncoder(channels, config.num_latents, config.encoder_width, config.norm)

    def _latent_discriminator(self) -> LatentDiscriminator:
        config = self.config
        batch_norm = config.norm == "batch"
        return LatentDiscriminator(config.num_latents, config.discriminator_width, batch_norm=batch_norm)

    # -- learning ------------------------------------------------------------------------

    def optimizers(self) -> dict[str, Optimizer]:
        """One for generators and encoders, one for discriminators; each network is clipped by itself."""
        slow = self.config.lr * self.config.discriminator_lr_factor
        return {
            "D": self._adam([self.D_A, self.D_B, *self.D_z.values()], slow),
            "G": self._adam([self.G_AB, self.G_BA, *self.E.values()], self.config.lr),
        }

    def _adam(self, networks: list[nn.Module], lr: float) -> Adam:
        idle = () if self.config.stochastic_encoder else self._variances()
        groups = [
            {"params": [weight for weight in network.parameters() if id(weight) not in idle]}
            for network in networks
        ]
        return Adam(groups, lr=lr, betas=self.config.betas, fused=True)

    def _variances(self) -> set[int]:
        """Which weights say how sure an encoder is: a deterministic one has no use for them."""
        ends = ("log_variance.weight", "log_variance.bias")
        return {id(weight) for name, weight in self.E.named_parameters() if name.endswith(ends)}

    def lr_factor(self, optimizer: str) -> float:
        """As the authors' program has it, discriminators lose their slower rate once it falls."""
        factor = super().lr_factor(optimizer)
        if optimizer == "D" and self.config.equal_lr_in_decay and factor < 1:
            return factor / self.config.discriminator_lr_factor
        return factor

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """Discriminators, then generators and encoders against the new discriminators."""
        real_A, real_B = batch["A"], batch["B"]  # (B, C, H, W) each
        maps, stochastic = self.maps, self.config.stochastic_encoder
        prior = {side: batch[f"z_{side}"] for side in maps.coded}  # (B, Z) each
        fake_B, fake_A = maps.to("B", real_A, prior["B"]), maps.to("A", real_B, prior.get("A"))
        # The codes with which the fakes lead back to the images they were made of.
        made = {"B": (fake_A, real_B), "A": (real_A, fake_B)}
        codes = {side: maps.encode(side, *made[side], stochastic=stochastic) for side in maps.coded}

        losses = {
            "gan_A": self._adversarial_loss(self.D_A, real_A, fake_A),
            "gan_B": self._adversarial_loss(self.D_B, real_B, fake_B),
        }
        for side, D in self.D_z.items():
            losses[f"gan_z_{side}"] = self._adversarial_loss(D, prior[side], codes[side].drawn)
        yield Update("D", losses)

        both = {"A": (fake_A, real_A), "B": (fake_B, real_B)}
        losses = self._marginal_losses(both, codes)
        cycled_A, cycled_B = maps.back("A", fake_B, codes), maps.back("B", fake_A, codes)
        cycled = {"cycle_A": (cycled_A, real_A), "cycle_B": (cycled_B, real_B)}
        losses |= self._distances(cycled) | self._code_losses(both, prior, codes)
        paired = self._paired(batch)
        losses |= self._distances(paired)
        yield Update("G", losses, fakes=both, reconstructed=cycled | paired)

    def _marginal_losses(self, both: Pairs, codes: dict[str, Codes]) -> dict[str, Tensor]:
        """The paper's marginal matching; `both`: fakes beside real images of the same side."""
        losses = {
            "gan_AB": self.gan.generator(self.D_B(both["B"][0])),
            "gan_BA": self.gan.generator(self.D_A(both["A"][0])),
        }
        for side, D in self.D_z.items():
            losses[f"gan_z_{side}"] = self.gan.generator(D(codes[side].drawn))
        return losses

    def _code_losses(
        self, both: Pairs, prior: dict[str, Tensor], codes: dict[str, Codes]
    ) -> dict[str, Tensor]:
        """The paper's cycle consistency of codes."""
        config, (fake_A, real_A), (fake_B, real_B) = self.config, both["A"], both["B"]
        losses: dict[str, Tensor] = {}
        for side, code in prior.items():
            found = self.maps.encode(side, *((real_A, fake_B) if side == "B" else (fake_A, real_B)))
            losses[f"cycle_z_{side}"] = config.latent_weight * self._code_distance(code, found)
            if config.stochastic_encoder:
                divergence = kl_divergence(codes[side].mean, codes[side].log_variance)
                losses[f"kl_{side}"] = config.latent_weight * divergence.mean()
        return losses

    def _adversarial_loss(self, D: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """Half the sum of both terms. The fake goes first: batch norm's running statistics feel the order."""
        score_fake, score_real = D(fake.detach()), D(real)
        return 0.5 * self.gan.discriminator(score_real, score_fake)

    def _code_distance(self, code: Tensor, found: Codes) -> Tensor:
        if not self.config.stochastic_encoder:
            return l1_loss(at_least_float32(found.mean), at_least_float32(code))
        likelihood = LIKELIHOOD[self.config.code_likelihood]
        return -likelihood(code, found.mean, found.log_variance).mean()

    def _paired(self, batch: Batch) -> Pairs:
        """Outputs beside the truth, of the examples whose counterpart is known (semi-supervised)."""
        if "paired_A" not in batch:
            return {}
        A, B = batch["paired_A"], batch["paired_B"]
        codes = self.maps.all_codes(A, B)
        return {
            "paired_A": (self.maps.back("A", B, codes), A),
            "paired_B": (self.maps.back("B", A, codes), B),
        }

    def _distances(self, shown: Pairs) -> dict[str, Tensor]:
        """L1 distances of the paper's cycle consistency of images, and to the truth where it is known."""
        weights = {"cycle": self.config.cycle_weight, "paired": self.config.supervised_weight}
        return {name: weights[name.split("_")[0]] * l1_loss(*pair) for name, pair in shown.items()}

    # -- using -----------------------------------------------------------------------------

    def encode(self, task: Task, conditions: Inputs, inputs: Inputs) -> Inputs:
        """The code of a style, (B, Z), of "reference"; "latent" is one already."""
        if "reference" not in conditions:
            return conditions
        return {"latent": self.maps.style(self._side(task), conditions["reference"])}

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["image"]: (B, C, H, W), with "latent" (B, Z) -> (B, C', H, W) in the domain `task.name`."""
        return self.maps.to(self._side(task), inputs["image"], inputs.get("latent")), {}

    def _side(self, task: Task) -> str:
        return "A" if task.name == self.config.domains[0] else "B"

    # -- showing ---------------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """See showing.preview."""
        return preview(self.maps, batch)

    def evaluate(self, batch: Batch) -> Evaluation:
        """See showing.evaluate."""
        return evaluate(self.maps, batch)
