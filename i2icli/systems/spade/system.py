"""SPADE (GauGAN): photos of label maps, which set scale and shift in every normalisation layer.

Park, Liu, Wang, Zhu, "Semantic Image Synthesis with Spatially-Adaptive Normalization", CVPR 2019,
https://arxiv.org/abs/1903.07291. Names: G, D, E and z (a latent code) are the paper's; its m is "labels".
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.label_maps import LabelMaps
from i2icli.data.options import DataOptions
from i2icli.data.pairing.pair import PairChoice
from i2icli.image.label_colours import colours_of
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.feature_matching import Features, feature_matching
from i2icli.losses.latent import kl_divergence
from i2icli.losses.legend import GAN_OF_D, GAN_OF_G, MATCHING
from i2icli.nn.label_conv import LabelPlanes
from i2icli.nn.label_maps import boundaries, paint
from i2icli.system import Batch, Evaluation, Inputs, Memory, System, Update
from i2icli.systems.spade.config import SPADEConfig
from i2icli.systems.spade.networks import build_discriminator, build_encoder, build_generator, init_weights
from i2icli.task import Task


class SPADE(System[SPADEConfig]):
    """A generator, discriminators that also see the label map and, with styles, an encoder of photos.

    Batches hold "labels" (B, 1, H, W), "image" (B, C, H, W) and perhaps "instances" (B, 1, H, W).
    """

    inference_modules = ("G", "E")
    legend: ClassVar[Mapping[str, str]] = {
        "G/gan": GAN_OF_G,
        "G/matching": MATCHING,
        "G/kl": "How far the codes of photos are from the normal distribution that samples are drawn from.",
        "D/gan": GAN_OF_D,
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: SPADEConfig) -> DataFolder:
        """See `System.open_data`."""
        labels = config.label_set if config.classes else None
        return LabelMaps(
            folders,
            options,
            labels=labels,
            ignored=config.ignore,
            instances=config.instances,
            choice=PairChoice.of(config),
        )

    def __init__(self, config: SPADEConfig) -> None:
        super().__init__(config)
        self.G = build_generator(config)
        self.E = build_encoder(config)
        self.D = build_discriminator(config)
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_weights(self)

    # -- learning ------------------------------------------------------------------------

    def optimizers(self) -> dict[str, Optimizer]:
        """Two time scales: the discriminators learn four times as fast (section 4)."""
        return {"G": self.adam(self.G, self.E), "D": self.adam(self.D, lr=self.config.discriminator_lr)}

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """G and E, then D with a fake of the new G (order as in the authors' code)."""
        image, labels = batch["image"], self._planes(batch)  # (B, C, H, W), (B, H, W)
        code, losses = self._drawn_code(image)
        fake = self.G(labels, code)  # (B, C, H, W)
        fake_maps, real_maps = self._discriminated(labels, fake, image)
        losses["gan"] = torch.stack([self.gan.generator(maps[-1]) for maps in fake_maps]).mean()
        if self.config.matching_weight:
            losses["matching"] = self.config.matching_weight * feature_matching(fake_maps, real_maps)
        pairs = {"": (fake, image)}
        yield Update("G", losses, fakes=pairs, reconstructed=pairs)

        with torch.no_grad():
            code, _ = self._drawn_code(image)
            fake = self.G(labels, code)
        fake_maps, real_maps = self._discriminated(labels, fake, image)
        scales = zip(real_maps, fake_maps, strict=True)
        each = [self.gan.discriminator(real[-1], fake[-1]) for real, fake in scales]
        yield Update("D", {"gan": torch.stack(each).mean()})

    def _drawn_code(self, image: Tensor) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Codes (B, Z) drawn from the Gaussians of photos, and the divergence of those from N(0, 1)."""
        if not self.config.vae:
            return None, {}
        mean, log_variance = self.E(image)  # (B, Z) each
        divergence = kl_divergence(mean, log_variance).sum()
        code = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return code, {"kl": self.config.kl_weight * divergence}

    def _discriminated(self, labels: LabelPlanes, fake: Tensor, real: Tensor) -> tuple[Features, Features]:
        """The maps that D gives fakes and real images, in one batch so that norms treat them alike."""
        planes = labels.planes(fake.dtype)  # (B, L, H, W)
        pairs = torch.cat([torch.cat([planes, image], 1) for image in (fake, real)])  # (2B, L + C, H, W)
        count = len(fake)
        scales = self.D(pairs)
        fakes = [[each[:count] for each in maps] for maps in scales]
        return fakes, [[each[count:] for each in maps] for maps in scales]

    def _planes(self, maps: Inputs) -> LabelPlanes:
        """The label map and, if the networks know instances, their boundaries, else those of the classes."""
        labels, edges = maps["labels"], None
        if self.config.instances:
            edges = boundaries(maps.get("instances", labels), torch.bool)
        return LabelPlanes(labels, self.config.label_set.count, edges)

    # -- using ---------------------------------------------------------------------------

    def encode(self, task: Task, conditions: Inputs, inputs: Inputs) -> Inputs:
        """The code of a style, (B, Z): the mean of the reference's; "latent" is one already."""
        if "reference" not in conditions:
            return conditions
        return {"latent": self.E(conditions["reference"])[0]}

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["labels"], ["instances"] if there are any: (B, 1, H, W) -> (B, C, H, W).

        inputs["latent"]: (B, Z), where styles are learned; or (K, Z) for a single map: its image in K styles.
        """
        return self.G(self._planes(inputs), inputs.get("latent")), {}

    # -- showing -------------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """The classes, what comes out in the style of the photo, the photo."""
        return {
            "labels": paint(batch["labels"], colours_of(self.config.label_set)),
            "fake": self._reconstructed(batch),
            "truth": batch["image"],
        }

    def evaluate(self, batch: Batch) -> Evaluation:
        """Every map has its photo, whose style is given."""
        pair = {"": (self._reconstructed(batch), batch["image"])}
        return Evaluation(generated=pair, compared=pair, labels=batch["labels"])

    def _reconstructed(self, batch: Batch) -> Tensor:
        code = self.E(batch["image"])[0] if self.config.vae else None
        return self.G(self._planes(batch), code)  # type: ignore[no-any-return]
