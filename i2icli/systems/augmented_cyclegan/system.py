"""Augmented CycleGAN: translate between two collections without pairs, with many answers per image.

Almahairi, Rajeswar, Sordoni, Bachman, Courville, "Augmented CycleGAN: Learning Many-to-Many Mappings
from Unpaired Data", ICML 2018, https://arxiv.org/abs/1802.10151. Names: G_AB, G_BA, E_A, E_B are the
paper's; D_z.B judges codes of B (its D_Zb). A code tells what an image of B has that A does not show.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torch.optim import Adam, Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.partly_paired import PartlyPairedImages
from i2icli.data.options import DataOptions
from i2icli.errors import UserError, one_of
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.latent import gaussian_log_likelihood, kl_divergence, laplace_log_likelihood
from i2icli.losses.precision import at_least_float32
from i2icli.system import Answers, Batch, Pairs, Request, System, Update
from i2icli.systems.augmented_cyclegan.config import AugmentedCycleGANConfig
from i2icli.systems.augmented_cyclegan.latent import Codes, LatentDiscriminator, LatentEncoder
from i2icli.systems.augmented_cyclegan.maps import Maps
from i2icli.systems.augmented_cyclegan.networks import (
    Generator,
    ImageDiscriminator,
    PatchDiscriminator,
    init_weights,
)
from i2icli.systems.augmented_cyclegan.showing import answers, compare, measure, preview, samples

LIKELIHOOD = {"gaussian": gaussian_log_likelihood, "laplace": laplace_log_likelihood}


class AugmentedCycleGAN(System[AugmentedCycleGANConfig]):
    """Batches hold "A", "B" and drawn codes "z_B", "z_A"; with supervision pairs "paired_A", "paired_B"."""

    config_type = AugmentedCycleGANConfig
    accepts = frozenset({"image", "to", "latent", "reference"})
    inference_modules = ("G_AB", "G_BA", "E")

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
            name_domains="domains" not in config.model_fields_set,
        )

    def __init__(self, config: AugmentedCycleGANConfig) -> None:
        super().__init__(config)
        A, B = self._domain_channels()
        codes = config.num_latents
        self.G_AB = Generator(A, B, config.width, config.num_blocks, codes)
        self.G_BA = Generator(B, A, config.width, config.num_blocks, codes if config.two_sided else 0)
        self.D_A = self._discriminator(config.discriminator_a, A, config.discriminator_width_a)
        self.D_B = self._discriminator(config.discriminator_b, B, config.discriminator_width)
        coded = ("B", "A") if config.two_sided else ("B",)
        self.E = nn.ModuleDict({side: self._encoder(A, B, side) for side in coded})
        judged = coded if config.uses_latent_gan else ()
        self.D_z = nn.ModuleDict({side: self._latent_discriminator() for side in judged})
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_weights(self)

    @property
    def maps(self) -> Maps:
        """The networks as they are now: the engine may put averaged ones in their place."""
        return Maps(self.config, {"A": self.G_BA, "B": self.G_AB}, self.E)

    def _domain_channels(self) -> tuple[int, int]:
        found = self.config.channels or (3,)
        return found[0], found[-1]

    @staticmethod
    def _discriminator(kind: str, channels: int, width: int) -> nn.Module:
        return (ImageDiscriminator if kind == "image" else PatchDiscriminator)(channels, width)

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

    def lr_factor_of(self, optimizer: str) -> float:
        """As the authors' program has it, discriminators lose their slower rate once it falls."""
        factor = self.lr_factor()
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
            "gan_A": self._judge(self.D_A, real_A, fake_A),
            "gan_B": self._judge(self.D_B, real_B, fake_B),
        }
        for side, D in self.D_z.items():
            losses[f"gan_z_{side}"] = self._judge(D, prior[side], codes[side].drawn)
        yield Update("D", losses)

        fakes = {"A": fake_A, "B": fake_B}
        losses = self._generator_losses({"A": real_A, "B": real_B}, fakes, prior, codes)
        both = {"A": (fake_A, real_A), "B": (fake_B, real_B)}
        yield Update("G", losses | self._paired_losses(batch), fakes=both)

    def _generator_losses(
        self,
        real: dict[str, Tensor],
        fake: dict[str, Tensor],
        prior: dict[str, Tensor],
        codes: dict[str, Codes],
    ) -> dict[str, Tensor]:
        """The paper's marginal matching, then its cycle consistency of images and of codes."""
        maps, config = self.maps, self.config
        losses = {
            "gan_AB": self.gan.generator(self.D_B(fake["B"])),
            "gan_BA": self.gan.generator(self.D_A(fake["A"])),
        }
        for side, D in self.D_z.items():
            losses[f"gan_z_{side}"] = self.gan.generator(D(codes[side].drawn))
        losses["cycle_A"] = config.cycle_weight * l1_loss(maps.back("A", fake["B"], codes), real["A"])
        losses["cycle_B"] = config.cycle_weight * l1_loss(maps.back("B", fake["A"], codes), real["B"])
        for side, code in prior.items():
            found = maps.encode(side, *((real["A"], fake["B"]) if side == "B" else (fake["A"], real["B"])))
            losses[f"cycle_z_{side}"] = config.latent_weight * self._code_distance(code, found)
            if config.stochastic_encoder:
                divergence = kl_divergence(codes[side].mean, codes[side].log_variance)
                losses[f"kl_{side}"] = config.latent_weight * divergence.mean()
        return losses

    def _judge(self, D: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """Half the sum of both terms. The fake goes first: batch norm's running statistics feel the order."""
        score_fake, score_real = D(fake.detach()), D(real)
        return 0.5 * self.gan.discriminator(score_real, score_fake)

    def _code_distance(self, code: Tensor, found: Codes) -> Tensor:
        if not self.config.stochastic_encoder:
            return l1_loss(at_least_float32(found.mean), at_least_float32(code))
        likelihood = LIKELIHOOD[self.config.code_likelihood]
        return -likelihood(code, found.mean, found.log_variance).mean()

    def _paired_losses(self, batch: Batch) -> dict[str, Tensor]:
        """L1 distances to the truth, of the examples whose counterpart is known (semi-supervised)."""
        if "paired_A" not in batch:
            return {}
        A, B, weight = batch["paired_A"], batch["paired_B"], self.config.supervised_weight
        codes = self.maps.all_codes(A, B)
        return {
            "paired_A": weight * l1_loss(self.maps.back("A", B, codes), A),
            "paired_B": weight * l1_loss(self.maps.back("B", A, codes), B),
        }

    # -- using -----------------------------------------------------------------------------

    def translate(self, request: Request) -> Tensor:
        """request.image: (B, C, H, W), sides multiples of 4 -> (B, C', H, W) in the domain `request.to`.

        The look follows request.latent (B, Z), or else request.reference (B, C', h, w), or is drawn.
        """
        if request.image is None:
            raise UserError("augmented_cyclegan translates images, but the request holds none; give it one")
        side = "A" if self._to_A(request.to) else "B"
        return self.maps.to(side, request.image, self._asked_code(side, request))

    def reads(self, to: str | None = None) -> frozenset[str]:
        """No look where there is one answer only."""
        one = ("A" if self._to_A(to) else "B") not in self.maps.coded
        return self.accepts - {"latent", "reference"} if one else self.accepts

    def _asked_code(self, side: str, request: Request) -> Tensor | None:
        """(B, Z), or None where there is one answer only. Raises UserError for a look it cannot take."""
        assert request.image is not None
        if side not in self.maps.coded:
            if request.reference is not None or request.latent is not None:
                raise UserError(
                    f"translating to {self.config.domains[0]} has one answer only, so it takes no look; "
                    "train with --two-sided for more"
                )
            return None
        if request.latent is not None:
            return self._checked(request.latent)
        if request.reference is not None:
            return self.maps.look(side, request.reference).expand(len(request.image), -1)
        return torch.randn(len(request.image), self.config.num_latents).to(request.image)

    def _checked(self, code: Tensor) -> Tensor:
        if code.ndim != 2 or code.shape[1] != self.config.num_latents:
            raise UserError(
                f"a latent code of {code.shape[-1]} numbers; this model's have {self.config.num_latents}"
            )
        return code

    def _to_A(self, to: str | None) -> bool:
        """Whether the target is the first domain. Raises UserError if it is neither."""
        return to is not None and one_of(to, self.targets(), "target") == self.config.domains[0]

    def latent_size(self, to: str | None = None) -> int:
        """Z; 0 towards a domain that has no codes."""
        return self.config.num_latents if ("A" if self._to_A(to) else "B") in self.maps.coded else 0

    def channels(self, to: str | None = None) -> tuple[int, int]:
        """Channels of the images it reads and of those it answers with, for a target domain."""
        A, B = self._domain_channels()
        return (B, A) if self._to_A(to) else (A, B)

    def multiple_of(self) -> int:
        """The generators halve the image once and reflect three pixels at its border."""
        return Generator.multiple

    # -- showing ---------------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """See showing.preview."""
        return preview(self.maps, batch)

    def answers(self, batch: Batch) -> Answers:
        """See showing.answers."""
        return answers(self.maps, batch)

    def samples(self, batch: Batch, answers: Answers) -> Pairs:
        """See showing.samples."""
        return samples(self.maps, batch, answers)

    def compare(self, batch: Batch, answers: Answers) -> Pairs:
        """See showing.compare."""
        return compare(self.maps, batch, answers)

    def measure(self, batch: Batch, answers: Answers) -> dict[str, Tensor]:
        """See showing.measure."""
        return measure(self.maps, batch, answers)
