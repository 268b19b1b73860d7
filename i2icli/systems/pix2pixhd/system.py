"""pix2pixHD: photos of label and instance maps, at high resolution, in styles that a user chooses.

Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", CVPR 2018,
https://arxiv.org/abs/1711.11585. Names: G is the paper's generator (G1 is G.small, its enhancers G2 ... are
G.levels), D its discriminators D1, D2 ... from the coarsest scale up, E its encoder of features.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.label_maps import LabelMaps
from i2icli.data.options import DataOptions
from i2icli.data.pairing.pair import PairChoice
from i2icli.image.label_colours import colours_of
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.legend import GAN_OF_D, GAN_OF_G, MATCHING
from i2icli.losses.multiscale import discriminator_loss, generator_loss, matching_loss
from i2icli.nn.init import init_normal
from i2icli.nn.instance_pooling import pool_regions
from i2icli.nn.label_maps import boundaries, paint
from i2icli.nn.map_planes import MapPlanes
from i2icli.stage import level_progress
from i2icli.system import (
    Batch,
    Evaluation,
    Inputs,
    Memory,
    System,
    Update,
    linear_decay,
)
from i2icli.systems.pix2pixhd.clusters import Samples
from i2icli.systems.pix2pixhd.config import Pix2PixHDConfig
from i2icli.systems.pix2pixhd.networks import build_discriminators, build_encoder, build_generator
from i2icli.systems.pix2pixhd.styles import Styles
from i2icli.task import Task


class Pix2PixHD(System[Pix2PixHDConfig]):
    """A generator and discriminators that also see the label map.

    Batches hold "labels" (B, 1, H, W), "image" (B, C, H, W) and perhaps "instances" (B, 1, H, W).
    """

    inference_modules = ("G", "E", "styles")
    legend: ClassVar[Mapping[str, str]] = {
        "G/gan": GAN_OF_G,
        "G/matching": MATCHING,
        "D/gan": GAN_OF_D,
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: Pix2PixHDConfig) -> DataFolder:
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

    def __init__(self, config: Pix2PixHDConfig) -> None:
        super().__init__(config)
        self.G = build_generator(config, lambda: self.clock)
        self.E = build_encoder(config)
        self.D = build_discriminators(config, lambda: self.clock)
        self.styles: nn.Module = nn.Identity()
        if config.feature_channels:
            self.styles = Styles(config.num_styled, config.num_clusters, config.feature_channels)
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_normal(self, zero_biases=False)

    def optimizers(self) -> dict[str, Optimizer]:
        """One for the generator and the encoder, which learn together, and one for the discriminators."""
        return {"G": self.adam(self.G, self.E), "D": self.adam(self.D)}

    def lr_factor(self, optimizer: str) -> float:
        """Constant, then falling to zero: over each level, an enhancer alone and with all below it."""
        start = self.config.decay_from
        return linear_decay(level_progress(self.clock, self.config.stages()), start, 1.0 - start)

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """G and E, then D with the fake that G was updated for (Eq. (5); order as in the authors' code)."""
        image, planes = batch["image"], self._map(batch).dense()  # (B, C, H, W), (B, N, H, W)
        features = self._features_of(image, batch)  # (B, F, H, W)
        fake = self.G(planes if features is None else torch.cat([planes, features.to(planes)], 1))
        real_scores = self.D(torch.cat([planes, image], 1))
        fake_scores = self.D(torch.cat([planes, fake], 1))
        losses = {"gan": generator_loss(self.gan, fake_scores)}
        if self.config.matching_weight:
            losses["matching"] = self.config.matching_weight * matching_loss(fake_scores, real_scores)
        pairs = {"": (fake, image)}
        yield Update("G", losses, fakes=pairs, reconstructed=pairs)

        fake_scores = self.D(torch.cat([planes, fake.detach()], 1))
        yield Update("D", {"gan": discriminator_loss(self.gan, real_scores, fake_scores)})

    def finish(self, batches: Iterable[Batch]) -> None:
        """The clusters of each class, of the features of all photos."""
        if not isinstance(self.styles, Styles):
            return
        samples = Samples()
        for batch in batches:
            samples.add(self.E(batch["image"]), batch["labels"], self._regions(batch))
        self.styles.fit(samples)

    # -- inference -----------------------------------------------------------------------

    @property
    def facts(self) -> dict[str, Any]:
        """How many styles each class has."""
        return (
            {"cluster_counts": self.styles.cluster_counts.tolist()} if isinstance(self.styles, Styles) else {}
        )

    def encode(self, task: Task, conditions: Inputs, inputs: Inputs) -> Inputs:
        """The planes of features: a photo's own, or of clusters that a code draws; where chosen, of those."""
        if not isinstance(self.styles, Styles):
            return conditions
        labels, instances = inputs["labels"], inputs.get("instances")
        chosen = conditions["chosen"]  # (B, 1, H, W)
        if "latent" in conditions:
            differ = instances if self.config.features == "instance" else None
            drawn = self.styles.draw(labels, conditions["latent"], differ)  # (N, 1, H, W)
            return {"features": self.styles.features(labels, torch.where(chosen < 0, drawn, chosen))}
        image = conditions["reference"].expand(labels.shape[0], -1, -1, -1)
        own = pool_regions(self.E(image), self._regions(inputs))  # (B, F, H, W)
        styled = self.styles.features(labels, chosen.clamp(min=0)).to(own)
        return {"features": torch.where(chosen < 0, own, styled)}

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["labels"], ["instances"] if there are any: (B, 1, H, W) -> (B, C, H, W).

        inputs["features"]: (B, F, H, W), where they are learned.
        """
        return self._translated(self._map(inputs, inputs.get("features"))), {}

    # -- looking at it -------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """The classes, what comes out with the features of the photo, the photo."""
        return {
            "labels": paint(batch["labels"], colours_of(self.config.label_set)),
            "fake": self._fake(batch),
            "truth": batch["image"],
        }

    def evaluate(self, batch: Batch) -> Evaluation:
        """Every map has its photo, whose features are given."""
        pair = {"": (self._fake(batch), batch["image"])}
        return Evaluation(generated=pair, compared=pair, labels=batch["labels"])

    # -- inside --------------------------------------------------------------------------

    def _map(self, maps: Inputs, features: Tensor | None = None) -> MapPlanes:
        """One-hot planes of the classes, the boundaries of instances, else of classes, and features.

        features: (B, F, H, W), where maps may have one row for all.
        """
        labels = maps["labels"]
        edges = boundaries(maps.get("instances", labels), torch.bool) if self.config.boundaries else None
        if features is not None:
            count = features.shape[0]  # len would fix it in an export
            labels = labels.expand(count, -1, -1, -1)
            edges = None if edges is None else edges.expand(count, -1, -1, -1)
        dtype = next(self.G.parameters()).dtype  # zeros and ones are exact in each
        return MapPlanes(labels, self.config.label_set.count, edges, features, dtype)

    def _translated(self, planes: MapPlanes) -> Tensor:
        """The generator's output (B, C, H, W) for inference: planes are made where they are used."""
        return self.G(planes.dense() if torch.compiler.is_compiling() else planes)  # type: ignore[no-any-return]

    def _features_of(self, image: Tensor, maps: Inputs) -> Tensor | None:
        """The features of photos, one for each region: (B, F, H, W), where they are learned."""
        if not self.config.feature_channels:
            return None
        return pool_regions(self.E(image), self._regions(maps))

    def _regions(self, maps: Inputs) -> Tensor:
        """Ids of what has features of its own, (B, 1, H, W): the pixels of a class, or those of an instance.

        An instance map may have one id for all that is no object; so instances are told apart in each class.
        """
        labels = maps["labels"]
        if self.config.features == "class" or "instances" not in maps:
            return labels
        return labels + (len(self.config.label_set.classes) + 1) * maps["instances"]

    def _fake(self, batch: Batch) -> Tensor:
        return self._translated(self._map(batch, self._features_of(batch["image"], batch)))
