"""Progressive GAN: images out of nothing, learned coarse to fine by networks that grow.

Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation", ICLR 2018,
https://arxiv.org/abs/1710.10196. Names: the paper's fade weight alpha is `share`, its resolutions are
levels from 4x4 on.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.image_folder import ImageFolder
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.losses.adversarial import Wasserstein
from i2icli.losses.drift import drift
from i2icli.losses.penalty import gradient_penalty
from i2icli.losses.precision import at_least_float32
from i2icli.system import Answers, Batch, Pairs, Request, Stage, System, Update
from i2icli.systems.progan.config import SMALLEST, Growth, ProGANConfig
from i2icli.systems.progan.conventions import convention_of
from i2icli.systems.progan.networks import Discriminator, Generator, enlarge, fade_reals

SAMPLES = 6  # in a row of a sample sheet
USUAL_OF = 1000  # codes whose mean features are what is usual


class Place(NamedTuple):
    """Where growth stands."""

    level: int  # images have 4 * 2^level pixels a side
    share: float  # how much the newest layers count


class ProGAN(System[ProGANConfig]):
    """Batches hold "image" (B, C, H, W), at the resolution of the stage, and "codes" (B, 2, Z), one for D's
    turn and one for G's; with classes "label" (B, L).
    """

    config_type = ProGANConfig
    accepts = frozenset({"latent", "to"})
    truncates = True
    inference_modules = ("G",)

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: ProGANConfig) -> DataFolder:
        """See `System.open_data`."""
        return ImageFolder(folders, options, conditional=config.conditional, num_latents=config.num_latents)

    def __init__(self, config: ProGANConfig) -> None:
        super().__init__(config)
        channels, labels = self.channels()[0], len(self.targets())
        convention = convention_of(config)
        widths = config.level_widths
        self.G = Generator(config.num_latents + labels, widths, channels, convention)
        self.D = Discriminator(channels, widths, config.width, labels, config.stddev_group, convention)
        self.gan = Wasserstein()
        self.summed = convention.summed

    # -- growing -------------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """Each resolution twice, but for the first: while it is faded in, and once it is."""
        return [
            Stage(
                stretch.name,
                stretch.steps,
                stretch.batch_size,
                stretch.resolution,
                fading=stretch.fading,
            )
            for stretch in self.config.growth(self.config.steps)
        ]

    def stretch(self) -> Growth:
        """The stretch of growth that the clock's stage is."""
        growth = {stretch.name: stretch for stretch in self.config.growth()}
        return growth[self.clock.stage.name]

    def place(self) -> Place:
        """The level, and how much its layers count: a fade begins at 0 and is over when its stage is."""
        stretch = self.stretch()
        share = min(1.0, self.clock.step / stretch.planned) if stretch.fading else 1.0
        return Place(stretch.level, share)

    def optimizers(self) -> dict[str, Optimizer]:
        """Those of the layers in use; they begin anew with each stage, as in the authors' program."""
        stretch = self.stretch()
        lr = self.config.lr_at(stretch.resolution)
        return {
            name: self.adam(*network.used(stretch.level, fading=stretch.fading), lr=lr)
            for name, network in (("D", self.D), ("G", self.G))
        }

    # -- one step ------------------------------------------------------------------------

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """Appendix A.1: one update of D, one of G, each with codes of its own."""
        place = self.place()
        real = fade_reals(batch["image"], place.share)  # (B, C, H, W)
        label = batch.get("label")
        with torch.no_grad():
            fake = self.G(self._code(batch, 0), *place)
        yield Update("D", self._critic_losses(real, fake, label, place))
        fake = self.G(self._code(batch, 1), *place)  # (B, C, H, W)
        judged = self.D(fake, *place)  # (B, 1 + L)
        losses = {"gan": self._reduced(self.gan.generator(judged[:, 0]), judged)}
        if label is not None:
            losses["class"] = self.config.class_weight * self._classified(judged, label)
        yield Update("G", losses, fakes={"": (fake, real)})

    def _critic_losses(
        self, real: Tensor, fake: Tensor, label: Tensor | None, place: Place
    ) -> dict[str, Tensor]:
        """Wasserstein distance, gradient penalty and drift (appendix A.1); classes as in the program."""
        config = self.config
        judged, judged_fake = self.D(real, *place), self.D(fake, *place)  # (B, 1 + L)
        score = judged[:, 0]
        losses = {"gan": self.gan.discriminator(score, judged_fake[:, 0])}
        if config.penalty_weight > 0:
            losses["penalty"] = config.penalty_weight * gradient_penalty(
                lambda images: self.D(images, *place)[:, 0], real, fake
            )
        if config.drift_weight > 0:
            losses["drift"] = config.drift_weight * drift(score)
        losses = {name: self._reduced(loss, judged) for name, loss in losses.items()}
        if label is not None:
            classified = self._classified(judged, label) + self._classified(judged_fake, label)
            losses["class"] = config.class_weight * classified
        return losses

    @staticmethod
    def _code(batch: Batch, turn: int) -> Tensor:
        """One of the codes of a batch, with its labels after it: (B, Z + L)."""
        code = batch["codes"][:, turn]
        return torch.cat([code, batch["label"]], dim=1) if "label" in batch else code

    def _reduced(self, mean: Tensor, judged: Tensor) -> Tensor:
        return mean * len(judged) if self.summed else mean

    def _classified(self, judged: Tensor, label: Tensor) -> Tensor:
        """Cross-entropy of the classes: the authors' program, after Odena et al., ICML 2017 (AC-GAN)."""
        loss = cross_entropy(at_least_float32(judged[:, 1:]), at_least_float32(label))
        return self._reduced(loss, judged)

    # -- making images -------------------------------------------------------------------

    def resolve_target(self, to: str) -> str:
        """The class of that name. Raises UserError."""
        if not self.targets():
            raise UserError(f"this model was trained without classes, so there is no {to!r}; leave it out")
        return super().resolve_target(to)

    def latent_size(self, to: str | None = None) -> int:  # noqa: ARG002 - the same for all
        """Numbers in a code."""
        return self.config.num_latents

    def translate(self, request: Request) -> Tensor:
        """request.latent: (B, Z), drawn if there is none -> (B, C, H, W) at the resolution reached."""
        weight = next(self.G.parameters())
        code = request.latent
        if code is None:
            code = torch.randn(1, self.config.num_latents).to(weight)
        features = self._begun(code, request.to)
        if request.truncate is not None and request.truncate < 1:
            features = torch.lerp(self._usual(request.to, weight), features, request.truncate)
        images: Tensor = self.G.paint(features, *self.place())
        return images.clamp(-1, 1)

    def _begun(self, code: Tensor, to: str | None) -> Tensor:
        """Codes (B, Z) -> first features (B, width, 4, 4), of a class if there are any."""
        names, named = self.targets(), self.resolve_target(to) if to is not None else None
        if names:
            number = names.index(named) if named is not None else 0
            label = one_hot(torch.tensor(number, device=code.device), len(names)).to(code)
            code = torch.cat([code, label.expand(len(code), -1)], dim=1)  # (B, Z + L)
        return self.G.begin(code)

    def _usual(self, to: str | None, weight: Tensor) -> Tensor:
        """The mean of the first features, (1, width, 4, 4), always of the same codes.

        What StyleGAN (Karras et al., CVPR 2019, appendix B) truncates towards is the mean of its styles.
        There are none here, and pixel norm undoes bounds on the codes, so the first features stand for them.
        """
        codes = torch.randn(USUAL_OF, self.config.num_latents, generator=torch.Generator().manual_seed(0))
        return self._begun(codes.to(weight), to).mean(0, keepdim=True)

    def answers(self, batch: Batch) -> Answers:
        """As many samples as images."""
        return {"fake": self.G(self._code(batch, 0), *self.place())}

    def samples(self, batch: Batch, answers: Answers) -> Pairs:
        """Samples beside images, these faded like them."""
        return {"": (answers["fake"], fade_reals(batch["image"], self.place().share))}

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """Samples whose codes stay the same all through training; while a level fades in, both ways first."""
        (level, share), real = self.place(), batch["image"]
        code = self._code(batch, 0)
        shown: dict[str, Tensor] = {}
        if share < 1:
            below = self.G(code, level - 1).clamp(-1, 1)  # (B, C, H / 2, W / 2)
            shown[f"{SMALLEST << level - 1} px"] = enlarge(below)
            shown[f"{SMALLEST << level} px"] = self.G(code, level).clamp(-1, 1)
        for turn in range(SAMPLES):
            other = code.clone()
            other[:, : self.config.num_latents] = batch["codes"][:, 0].roll(turn, dims=-1)  # another order
            name = f"{share:.0%} faded in" if share < 1 and turn == 0 else f"sample {turn + 1}"
            shown[name] = self.G(other, level, share).clamp(-1, 1)
        return shown | {"real": real}
