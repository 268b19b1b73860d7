"""pix2pix: translate between two looks of the same scene, learned from pairs.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
https://arxiv.org/abs/1611.07004. Names: G and D are the paper's; source is its x, target its y;
its noise z is the dropout inside G.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import l1_loss
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.paired import PairedImages
from i2icli.data.options import DataOptions
from i2icli.data.pairing.pair import PairChoice
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.legend import GAN_OF_D, GAN_OF_G, PENALTY
from i2icli.losses.penalty import gradient_penalty
from i2icli.nn.init import init_normal
from i2icli.system import Batch, Evaluation, Inputs, Memory, System, Update
from i2icli.systems.pix2pix.config import Pix2PixConfig
from i2icli.systems.pix2pix.networks import build_discriminator, build_generator
from i2icli.task import Task


class Pix2Pix(System[Pix2PixConfig]):
    """One generator and one discriminator that also sees the source. Batches hold "source" and "target"."""

    legend: ClassVar[Mapping[str, str]] = {
        "G/gan": GAN_OF_G,
        "G/l1": "Mean absolute difference between outputs and the ground truth; it falls, fast at first.",
        "D/gan": GAN_OF_D,
        "D/penalty": PENALTY,
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: Pix2PixConfig) -> DataFolder:
        """See `System.open_data`."""
        return PairedImages(
            folders,
            options,
            backwards=config.direction == "BtoA",
            choice=PairChoice.of(config),
            smallest_image=config.smallest_image,
        )

    def __init__(self, config: Pix2PixConfig) -> None:
        super().__init__(config)
        source, target = config.two_channels
        self.G = build_generator(config, source, target, lambda: self.clock)
        self.D = build_discriminator(config, source + target, lambda: self.clock)
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_normal(self)

    def optimizers(self) -> dict[str, Optimizer]:
        """One for each network."""
        return {"D": self.adam(self.D), "G": self.adam(self.G)}

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """D, then G against the new D with the same fake (Eq. (4), section 3.3)."""
        source, target = batch["source"], batch["target"]  # (B, C, H, W) each
        fake = self.G(source)  # (B, C_target, H, W)
        yield Update("D", self._discriminator_losses(source, target, fake.detach()))

        score = self.D(torch.cat([source, fake], dim=1))
        pair = {"": (fake, target)}
        yield Update("G", {
            "gan": self.gan.generator(score),
            "l1": self.config.l1_weight * l1_loss(fake, target),
        }, fakes=pair, reconstructed=pair)  # fmt: skip

    def _discriminator_losses(self, source: Tensor, target: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Half the sum of both terms: D learns slower than G, section 3.3."""
        real_pair = torch.cat([source, target], dim=1)  # (B, C_source + C_target, H, W)
        fake_pair = torch.cat([source, fake], dim=1)
        # The fake goes first, as in the authors' code: batch norm's running statistics feel the order.
        score_fake, score_real = self.D(fake_pair), self.D(real_pair)
        losses = {"gan": 0.5 * self.gan.discriminator(score_real, score_fake)}
        if self.config.gan_loss == "wgangp":
            penalty = gradient_penalty(self.D, real_pair, fake_pair)
            losses["penalty"] = self.config.penalty_weight * penalty
        return losses

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["image"]: (B, C_source, H, W) -> (B, C_target, H, W)."""
        return self.G(inputs["image"], [inputs[name] for name in task.noise]), {}

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """What is given, what comes out, what was wanted."""
        return {"input": batch["source"], "fake": self.G(batch["source"]), "truth": batch["target"]}

    def evaluate(self, batch: Batch) -> Evaluation:
        """Every pair holds its truth."""
        pair = {"": (self.G(batch["source"]), batch["target"])}
        return Evaluation(generated=pair, compared=pair)
