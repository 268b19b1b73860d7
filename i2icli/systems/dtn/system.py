"""DTN, Domain Transfer Network: carry what images show to the look of another, unlabelled collection.

Taigman, Polyak, Wolf, "Unsupervised Cross-Domain Image Generation", ICLR 2017,
https://arxiv.org/abs/1611.02200. Names as in the paper: G = g(f(x)); f describes images of both
collections, g draws images of the target, D tells its kinds apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.classes import ClassesAndTarget
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.losses.legend import GAN_OF_G
from i2icli.losses.precision import at_least_float32
from i2icli.losses.total_variation import total_variation
from i2icli.nn.resizing import resized
from i2icli.system import Batch, Evaluation, Inputs, Memory, System, Update, aligned
from i2icli.systems.dtn.adversaries import Adversaries, Binary, Losses, Sides, Ternary
from i2icli.systems.dtn.config import DTNConfig
from i2icli.systems.dtn.features import ClassHead
from i2icli.systems.dtn.layers import init_xavier
from i2icli.systems.dtn.networks import build_discriminator, build_extractor, build_generator
from i2icli.task import Task


class DTN(System[DTNConfig]):
    """Batches hold "source" with "label", and "target", which has none. f learns first, then g and D."""

    inference_modules = ("f", "g")
    criterion = (
        "accuracy"  # rarely is there ground truth, and outputs should be classified as their source is
    )
    legend: ClassVar[Mapping[str, str]] = {
        "f/classes": "Cross entropy of the classes that f sees in labelled source images; it falls.",
        "f/accuracy": "Fraction of the training images whose class f names rightly; it rises to 1.",
        "f/const": "How much translation changes what f sees in source images.",
        "g/gan_*": GAN_OF_G,
        "g/const": "How much translation changes what f sees in source images; it falls.",
        "g/tv": "Total variation of the outputs, which keeps them smooth.",
        "g/identity": "How much g changes target images; it falls.",
        "D/fake_*": "How far the discriminator is from knowing outputs of source or target images.",
        "D/real": "How far the discriminator is from knowing real target images as such.",
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: DTNConfig) -> DataFolder:
        """See `System.open_data`."""
        return ClassesAndTarget(folders, options, classes=config.classes)

    def __init__(self, config: DTNConfig) -> None:
        super().__init__(config)
        source, target = config.two_channels
        self.f = build_extractor(config, source)
        self.head = ClassHead(self.f.num_features, config.num_classes)
        self.g = build_generator(config, self.f.num_features, target)
        self.D = build_discriminator(config, target)
        self.adversaries: Adversaries = Ternary() if config.discriminator == "ternary" else Binary()
        init_xavier(self)

    def optimizers(self) -> dict[str, Optimizer]:
        """One for f and its head; then one for D, one for g, and one for f if it goes on learning."""
        if self._learning_features():
            return {"f": self.adam(self.f, self.head)}
        optimizers: dict[str, Optimizer] = {"D": self.adam(self.D), "g": self.adam(self.g)}
        if self.config.f_interval:
            optimizers["f"] = self.adam(self.f)
        return optimizers

    def _learning_features(self) -> bool:
        return self.clock.stage.name == "features"

    def check_start(self, loaded: frozenset[str]) -> None:
        """An f that does not learn here has to come from elsewhere."""
        own = {f"f.{name}" for name, _ in self.f.named_parameters()}
        if not self.config.learning_steps and not own <= loaded:
            raise UserError(
                "--feature-steps 0 leaves f as --init-from gives it, but f was not given; add --init-from "
                "with a model whose f fits, or let f learn with more --feature-steps"
            )

    # -- training ------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """As usual, but once f has learned it stays in evaluation: its statistics are final."""
        super().train(mode)
        if not self._learning_features():
            self.f.eval()
        return self

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """f and its head on labelled source images; later D and g, on both collections at once or in turn."""
        if self._learning_features():
            logits = at_least_float32(self.head(self.f(batch["source"])))  # (B, L)
            hits = (logits.argmax(1) == batch["label"]).float().mean()
            yield Update("f", {"classes": cross_entropy(logits, batch["label"])}, {"accuracy": hits})
            return
        source, target = {"source": batch["source"]}, {"target": batch["target"]}
        updates = self.config.updates
        if len(updates) == 2:
            yield from self._round(source | target, batch["target"], *updates)
            yield from self._feature_update(source)
        else:
            yield from self._round(source, batch["target"], *updates[:2])
            yield from self._feature_update(source)
            yield from self._round(target, batch["target"], *updates[2:])

    def _round(
        self, images: Sides, real: Tensor, critic_updates: int, generator_updates: int
    ) -> Iterator[Update]:
        """So many updates of D, then of g, on the images (B, C, H, W) of one side or of both.

        real: target images, which the outputs should look like.
        """
        features = self._features(images)
        fakes = {side: self.g(code) for side, code in features.items()}
        for _ in range(critic_updates):
            yield Update("D", self._critic_losses(fakes, images.get("target")))
        for number in range(generator_updates):
            if number:  # g has moved on
                fakes = {side: self.g(code) for side, code in features.items()}
            pairs = {side: (fake, real) for side, fake in fakes.items()}
            kept = {side: (fakes[side], images[side]) for side in fakes.keys() & {"target"}}
            losses = self._generator_losses(fakes, features, images)
            yield Update("g", losses, fakes=pairs, reconstructed=kept)

    @torch.no_grad()
    def _features(self, images: Sides) -> Sides:
        """f of the images of each side, (B, Z, 1, 1); nothing of g or D depends on it that could learn."""
        return {side: self.f(each) for side, each in images.items()}

    def _critic_losses(self, fakes: Sides, real: Tensor | None) -> Losses:
        """L_D, Eq. (3); `real` are target images, None where the target takes no part."""
        logits = {side: self.D(fake.detach()) for side, fake in fakes.items()}
        return self.adversaries.critic(logits, None if real is None else self.D(real))

    def _generator_losses(self, fakes: Sides, features: Sides, images: Sides) -> Losses:
        """L_GANG, Eq. (4), and what ties outputs to their inputs: Eq. (5) to (7)."""
        config = self.config
        losses = self.adversaries.generator({side: self.D(fake) for side, fake in fakes.items()})
        if "source" in fakes:
            if config.const_weight:
                losses["const"] = config.const_weight * _distance(self.f(fakes["source"]), features["source"])
            if config.tv_weight:
                losses["tv"] = config.tv_weight * total_variation(fakes["source"])
        if "target" in fakes and config.identity_weight:
            losses["identity"] = config.identity_weight * _distance(fakes["target"], images["target"])
        return losses

    def _feature_update(self, source: Sides) -> Iterator[Update]:
        """Every few steps f learns by Eq. (5), if it is not fixed; section 5.1 keeps it fixed for digits."""
        if not self.config.f_interval or self.clock.step % self.config.f_interval:
            return
        features = self.f(source["source"])  # (B, Z, 1, 1)
        again = self.f(self.g(features))  # (B, Z, 1, 1)
        yield Update("f", {"const": self.config.const_weight * _distance(again, features)})

    # -- translating ---------------------------------------------------------------------

    def G(self, images: Tensor) -> Tensor:
        """The paper's G: (B, C, H, W) of the training size -> (B, C', H, W) in [-1, 1]."""
        return self.g(self.f(images))  # type: ignore[no-any-return]

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["image"]: (B, C, H, W) of any size -> (B, C', H, W).

        f describes an image as a whole, so it is resized to the training size and the output back.
        """
        image = inputs["image"]
        height, width = image.shape[2:]
        return resized(self.G(resized(image, self.config.crop_size)), (height, width)), {}

    # -- looking at it -------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """The source and its output, the target and what g makes of it; outputs once g is learning."""
        source, target = batch["source"], batch["target"]
        if self._learning_features():
            return {"source": source, "target": target}
        return {
            "source": source, "source to target": self.G(source),
            "target": target, "target to target": self.G(target),
        }  # fmt: skip

    def evaluate(self, batch: Batch) -> Evaluation:
        """Whether f's classifier reads the right class from source images and, once g learns, from what g
        makes of them; these beside images of the target, compared where both show the same.
        """
        features = self.f(batch["source"])  # (B, Z, 1, 1)
        measured = {"source_accuracy": self._read(features, batch)}
        if self._learning_features():
            return Evaluation(measured=measured)
        fake = self.g(features)
        measured["accuracy"] = self._read(self.f(fake), batch)
        pair = {"": (fake, batch["target"])}
        return Evaluation(pair, aligned(batch, pair), measured)

    def _read(self, features: Tensor, batch: Batch) -> Tensor:
        """(B,): 1 where the classifier reads the right class from features (B, Z, 1, 1), else 0."""
        hits: Tensor = self.head(features).argmax(1) == batch["label"]
        return hits.float()


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared error, the paper's d and d2."""
    return mse_loss(at_least_float32(a), at_least_float32(b))
