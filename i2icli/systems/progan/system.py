"""Progressive GAN: images out of nothing, learned coarse to fine by networks that grow.

Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation", ICLR 2018,
https://arxiv.org/abs/1710.10196. Names: the paper's resolutions are levels from 4x4 on.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.image_folder import ImageFolder
from i2icli.data.options import DataOptions
from i2icli.losses.adversarial import Wasserstein
from i2icli.losses.drift import drift
from i2icli.losses.legend import CRITIC, CRITIC_OF_G, PENALTY
from i2icli.losses.penalty import gradient_penalty
from i2icli.losses.precision import at_least_float32
from i2icli.nn.upsampling import upsample_2x
from i2icli.system import Batch, Evaluation, Inputs, Memory, System, Update
from i2icli.systems.progan.config import SMALLEST, ProGANConfig
from i2icli.systems.progan.conventions import convention_of
from i2icli.systems.progan.networks import Discriminator, Generator, fade_reals
from i2icli.task import Task

SAMPLES = 6  # in a row of a sample sheet


class ProGAN(System[ProGANConfig]):
    """Batches hold "image" (B, C, H, W), at the resolution of the stage, and "codes" (B, 2, Z), one for D's
    turn and one for G's; with classes "label" (B, L).
    """

    legend: ClassVar[Mapping[str, str]] = {
        "G/gan": CRITIC_OF_G,
        "G/class": "Cross entropy of the classes that the discriminator sees in samples.",
        "D/gan": CRITIC,
        "D/penalty": PENALTY,
        "D/drift": "Mean square of the scores of real images, which keeps them from drifting away from 0.",
        "D/class": "Cross entropy of the classes that the discriminator sees in real images and in samples.",
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: ProGANConfig) -> DataFolder:
        """See `System.open_data`."""
        return ImageFolder(folders, options, conditional=config.conditional, num_latents=config.num_latents)

    def __init__(self, config: ProGANConfig) -> None:
        super().__init__(config)
        channels, labels = config.two_channels[0], len(config.labels)
        convention = convention_of(config)
        widths = config.level_widths
        self.G = Generator(config.num_latents + labels, widths, channels, convention)
        self.D = Discriminator(channels, widths, config.width, labels, config.stddev_group, convention)
        self.gan = Wasserstein()
        self.summed = convention.summed

    # -- growing -------------------------------------------------------------------------

    @property
    def growth(self) -> tuple[int, float]:
        """The level in use, and alpha: how much its layers count."""
        return self.clock.stage.level, self.clock.alpha

    def optimizers(self) -> dict[str, Optimizer]:
        """Those of the layers in use; they begin anew with each stage, as in the authors' program."""
        stage = self.clock.stage
        lr = self.config.lr_at(SMALLEST << stage.level)
        return {
            name: self.adam(*network.used(stage.level, fading=stage.fading), lr=lr)
            for name, network in (("D", self.D), ("G", self.G))
        }

    # -- one step ------------------------------------------------------------------------

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """Appendix A.1: one update of D, one of G, each with codes of its own."""
        growth = self.growth
        real = fade_reals(batch["image"], self.clock.alpha)  # (B, C, H, W)
        label = batch.get("label")
        with torch.no_grad():
            fake = self.G(self._code(batch, 0), *growth)
        yield Update("D", self._critic_losses(real, fake, label, growth))
        fake = self.G(self._code(batch, 1), *growth)  # (B, C, H, W)
        scored = self.D(fake, *growth)  # (B, 1 + L)
        losses = {"gan": self._reduced(self.gan.generator(scored[:, 0]), scored)}
        if label is not None:
            losses["class"] = self.config.class_weight * self._classified(scored, label)
        yield Update("G", losses, fakes={"": (fake, real)})

    def _critic_losses(
        self, real: Tensor, fake: Tensor, label: Tensor | None, growth: tuple[int, float]
    ) -> dict[str, Tensor]:
        """Wasserstein distance, gradient penalty and drift (appendix A.1); classes as in the program."""
        config = self.config
        scored, scored_fake = self.D(real, *growth), self.D(fake, *growth)  # (B, 1 + L)
        score = scored[:, 0]
        losses = {"gan": self.gan.discriminator(score, scored_fake[:, 0])}
        if config.penalty_weight > 0:
            losses["penalty"] = config.penalty_weight * gradient_penalty(
                lambda images: self.D(images, *growth)[:, 0], real, fake
            )
        if config.drift_weight > 0:
            losses["drift"] = config.drift_weight * drift(score)
        losses = {name: self._reduced(loss, scored) for name, loss in losses.items()}
        if label is not None:
            classified = self._classified(scored, label) + self._classified(scored_fake, label)
            losses["class"] = config.class_weight * classified
        return losses

    @staticmethod
    def _code(batch: Batch, turn: int) -> Tensor:
        """One of the codes of a batch, with its labels after it: (B, Z + L)."""
        code = batch["codes"][:, turn]
        return torch.cat([code, batch["label"]], dim=1) if "label" in batch else code

    def _reduced(self, mean: Tensor, scored: Tensor) -> Tensor:
        return mean * len(scored) if self.summed else mean

    def _classified(self, scored: Tensor, label: Tensor) -> Tensor:
        """Cross-entropy of the classes: the authors' program, after Odena et al., ICML 2017 (AC-GAN)."""
        loss = cross_entropy(at_least_float32(scored[:, 1:]), at_least_float32(label))
        return self._reduced(loss, scored)

    # -- making images -------------------------------------------------------------------

    def encode(self, task: Task, conditions: Inputs, inputs: Inputs) -> Inputs:
        """The mean of the first features of some codes, (1, width, 4, 4), where samples are truncated.

        What StyleGAN (Karras et al., CVPR 2019, appendix B) truncates towards is the mean of its styles.
        There are none here, and pixel norm undoes bounds on the codes, so the first features stand for them.
        """
        if "mean_codes" not in conditions:
            return conditions
        rest = {name: value for name, value in conditions.items() if name != "mean_codes"}
        codes = _labelled(conditions["mean_codes"], conditions.get("label"))
        return rest | {"mean": self.G.mapping(codes).mean(0, keepdim=True)}

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["latent"]: (B, Z), with classes ["label"]: (B, L) -> (B, C, H, W) at the resolution reached.

        inputs["truncate"]: how near to the features inputs["mean"] those of an image are brought; 1: not.
        """
        features = self.G.mapping(_labelled(inputs["latent"], inputs.get("label")))  # (B, width, 4, 4)
        features = torch.lerp(inputs["mean"].to(features), features, inputs["truncate"].to(features))
        images: Tensor = self.G.synthesis(features, *self.growth)
        return images.clamp(-1, 1), {}

    def evaluate(self, batch: Batch) -> Evaluation:
        """As many samples as images, beside these, which are faded like them."""
        fake = self.G(self._code(batch, 0), *self.growth)
        return Evaluation({"": (fake, fade_reals(batch["image"], self.clock.alpha))})

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """Samples whose codes stay the same all through training; while a level fades in, both ways first."""
        (level, alpha), real = self.growth, batch["image"]
        code = self._code(batch, 0)
        shown: dict[str, Tensor] = {}
        if alpha < 1:
            below = self.G(code, level - 1).clamp(-1, 1)  # (B, C, H / 2, W / 2)
            shown[f"{SMALLEST << level - 1} px"] = upsample_2x(below)
            shown[f"{SMALLEST << level} px"] = self.G(code, level).clamp(-1, 1)
        for turn in range(SAMPLES):
            other = code.clone()
            other[:, : self.config.num_latents] = batch["codes"][:, 0].roll(turn, dims=-1)  # another order
            name = f"{alpha:.0%} faded in" if alpha < 1 and turn == 0 else f"sample {turn + 1}"
            shown[name] = self.G(other, level, alpha).clamp(-1, 1)
        return shown | {"real": real}


def _labelled(codes: Tensor, label: Tensor | None) -> Tensor:
    """Codes (B, Z) with the class after them, (B, Z + L); as they are where no classes are learned."""
    return codes if label is None else torch.cat([codes, label.to(codes).expand(codes.shape[0], -1)], 1)
