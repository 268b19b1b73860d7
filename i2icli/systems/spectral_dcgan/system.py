"""Spectral DCGAN: images out of nothing, with the spectrum of real ones.

Durall, Keuper, Keuper, "Watch your Up-Convolution: CNN Based Generative Deep Neural Networks are Failing to
Reproduce Spectral Distributions", CVPR 2020, https://arxiv.org/abs/2003.01826. The spectral term of section
4.1 is the engine's (`losses.spectral`), as every system may have it; here it is on by default.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.image_folder import ImageFolder
from i2icli.data.options import DataOptions
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.legend import GAN_OF_D, GAN_OF_G, PENALTY
from i2icli.losses.penalty import gradient_penalty
from i2icli.nn.init import init_normal
from i2icli.system import Batch, Evaluation, Inputs, Memory, System, Update
from i2icli.systems.spectral_dcgan.config import SpectralDCGANConfig
from i2icli.systems.spectral_dcgan.networks import Discriminator, Generator
from i2icli.task import Task

SAMPLES = 6  # in a row of a sample sheet


class SpectralDCGAN(System[SpectralDCGANConfig]):
    """Batches hold "image" (B, C, S, S) and "codes" (B, 2, Z), one for D's turn and one for G's."""

    legend: ClassVar[Mapping[str, str]] = {
        "G/gan": GAN_OF_G,
        "D/gan": GAN_OF_D,
        "D/penalty": PENALTY,
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: SpectralDCGANConfig) -> DataFolder:
        """See `System.open_data`."""
        return ImageFolder(folders, options, num_latents=config.num_latents)

    def __init__(self, config: SpectralDCGANConfig) -> None:
        super().__init__(config)
        channels, levels = config.two_channels[0], config.doublings
        self.G = Generator(
            config.num_latents,
            channels,
            config.width,
            levels,
            config.norm,
            config.upsampling,
            config.final_layers,
            config.widest,
        )
        self.D = Discriminator(channels, config.width, levels, config.discriminator_norm, config.widest)
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_normal(self)

    def optimizers(self) -> dict[str, Optimizer]:
        """One Adam for each network."""
        return {"D": self.adam(self.D), "G": self.adam(self.G)}

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """D, then every few steps G against the new D, each with codes of its own."""
        real, codes = batch["image"], batch["codes"]  # (B, C, S, S), (B, 2, Z)
        with torch.no_grad():
            fake = self.G(codes[:, 0])
        yield Update("D", self._critic_losses(real, fake))
        if (self.clock.step + 1) % self.config.critic_steps == 0:
            fake = self.G(codes[:, 1])  # (B, C, S, S)
            yield Update("G", {"gan": self.gan.generator(self.D(fake))}, fakes={"": (fake, real)})

    def _critic_losses(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        losses = {"gan": self.gan.discriminator(self.D(real), self.D(fake))}
        if self.config.gan_loss == "wgangp":
            losses["penalty"] = self.config.penalty_weight * gradient_penalty(self.D, real, fake)
        return losses

    # -- making images -------------------------------------------------------------------

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["latent"]: (B, Z) -> (B, C, S, S)."""
        return self.G(inputs["latent"]), {}

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """Samples whose codes stay the same all through training."""
        code = batch["codes"][:, 0]
        shown = {f"sample {turn + 1}": self.G(code.roll(turn, dims=1)) for turn in range(SAMPLES)}
        return shown | {"real": batch["image"]}

    def evaluate(self, batch: Batch) -> Evaluation:
        """As many samples as images, beside these."""
        return Evaluation({"": (self.G(batch["codes"][:, 0]), batch["image"])})
