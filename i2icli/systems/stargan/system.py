"""StarGAN: one generator for many domains or attributes.

Choi et al., "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image
Translation", CVPR 2018, https://arxiv.org/abs/1711.09020. Names: G and D are the paper's; D's two
outputs are its D_src and D_cls; a label is its c, a mask its m.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, l1_loss
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.label_sets import LabelChoice
from i2icli.data.kinds.labelled import LabelledImages
from i2icli.data.options import DataOptions
from i2icli.losses.adversarial import Wasserstein
from i2icli.losses.legend import CYCLE, GAN_OF_D, GAN_OF_G, PENALTY
from i2icli.losses.penalty import gradient_penalty
from i2icli.losses.precision import at_least_float32
from i2icli.nn.random_shift import RandomShift
from i2icli.system import Batch, Evaluation, Inputs, Memory, Pairs, System, Update
from i2icli.systems.stargan.config import StarGANConfig
from i2icli.systems.stargan.labels import LabelSet, flipped
from i2icli.systems.stargan.networks import Discriminator, Generator
from i2icli.task import Task


class StarGAN(System[StarGANConfig]):
    """One G, one D. Batches hold "image_0" (B, C, H, W) and "label_0" (B, L) of the first label set,
    "image_1" and "label_1" of the second, ...; for validation maybe "truth_0" (B, L, C, H, W): the same
    thing in every domain.
    """

    legend: ClassVar[Mapping[str, str]] = {
        "G/gan*": GAN_OF_G,
        "G/classification*": "How far outputs are from being classified as their target; it falls.",
        "G/cycle*": CYCLE,
        "G/identity*": "How much G changes images that have the target attributes already; it falls.",
        "G/accuracy*": "Fraction of outputs that the discriminator classifies as their target; it rises.",
        "D/gan*": GAN_OF_D,
        "D/classification*": "How far the discriminator is from classifying real images rightly; it falls.",
        "D/penalty*": PENALTY,
        "D/accuracy*": "Fraction of real images that the discriminator classifies rightly; it rises.",
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: StarGANConfig) -> DataFolder:
        """See `System.open_data`."""
        return LabelledImages(
            folders,
            options,
            LabelChoice(
                config.attributes,
                config.domains,
                config.exclusive,
                config.attribute_file,
                preferred=config.usual_attributes,
            ),
            centred=config.centred,
        )

    def __init__(self, config: StarGANConfig) -> None:
        super().__init__(config)
        self.label_sets = config.label_sets
        channels, _ = config.two_channels
        self.G = Generator(channels, config.label_size, config.width, config.num_blocks, config.upsampling)
        self.D = Discriminator(
            channels, config.num_labels, config.crop_size, config.discriminator_width, config.num_layers
        )
        self.shift = RandomShift(config.discriminator_shift)
        self.gan = Wasserstein()

    def optimizers(self) -> dict[str, Optimizer]:
        """One for G, one for D."""
        return {"D": self.adam(self.D), "G": self.adam(self.G)}

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """For each label set an update of D, Eq. (5); every few steps one of G as well, Eq. (6)."""
        turn_of_G = (self.clock.step + 1) % self.config.critic_steps == 0
        for number in range(len(self.label_sets)):
            real, label = batch[f"image_{number}"], batch[f"label_{number}"]  # (B, C, H, W), (B, L)
            target = self._targets(label)
            fake = self._fake(real, target, number, learning=turn_of_G)
            yield self._update_D(real, label, fake.detach(), number)
            if turn_of_G:
                yield self._update_G(real, label, fake, target, number)

    @staticmethod
    def _targets(label: Tensor) -> Tensor:
        """Labels to translate to: those of the batch in another order, (B, L)."""
        return label[torch.randperm(len(label), device=label.device)]

    def _fake(self, real: Tensor, target: Tensor, number: int, *, learning: bool) -> Tensor:
        """What G makes of images of one set; without a gradient unless G is to learn from it."""
        with torch.set_grad_enabled(learning):
            return self.G(real, self._condition(target, number))  # type: ignore[no-any-return]

    def _update_D(self, real: Tensor, label: Tensor, fake: Tensor, number: int) -> Update:
        config, end = self.config, self._suffix(number)
        real, fake = self.shift(real), self.shift(fake)
        (real_scores, logits), (fake_scores, _) = self.D(real), self.D(fake)
        logits = self._logits(logits, number)
        losses = {
            f"gan{end}": self.gan.discriminator(real_scores, fake_scores),
            f"classification{end}": config.classification_weight
            * self._classification(logits, label, number),
        }
        if config.penalty_weight:
            penalty = gradient_penalty(lambda points: self.D(points)[0], real, fake)
            losses[f"penalty{end}"] = config.penalty_weight * penalty
        return Update("D", losses, {f"accuracy{end}": self._accuracy(logits, label, number).mean()})

    def _update_G(self, real: Tensor, label: Tensor, fake: Tensor, target: Tensor, number: int) -> Update:
        config, end = self.config, self._suffix(number)
        scores, logits = self.D(self.shift(fake))
        logits = self._logits(logits, number)
        cycled = self.G(fake, self._condition(label, number))
        classification = self._classification(logits, target, number)
        losses = {
            f"gan{end}": self.gan.generator(scores),
            f"classification{end}": config.classification_weight * classification,
            f"cycle{end}": config.cycle_weight * l1_loss(cycled, real),
        }
        if config.identity_weight:
            same = (label == target).all(1)  # (B,)
            losses[f"identity{end}"] = config.identity_weight * _distance_of(fake, real, same)
        accuracy = {f"accuracy{end}": self._accuracy(logits, target, number).mean()}
        name = end.removeprefix("_")
        return Update("G", losses, accuracy, {name: (fake, real)}, {name: (cycled, real)})

    # -- labels ----------------------------------------------------------------------------

    def _condition(self, label: Tensor, number: int) -> Tensor:
        """A set's labels (B, l) -> what G reads (B, L): the labels of all sets, and a mask that names one.

        "Training with Multiple Datasets", Eq. (7): the labels of the other sets are unknown, and zero.
        """
        parts = [
            label if place == number else label.new_zeros(len(label), len(labels.names))
            for place, labels in enumerate(self.label_sets)
        ]
        if len(parts) > 1:
            mask = label.new_zeros(len(label), len(parts))
            mask[:, number] = 1
            parts.append(mask)
        return torch.cat(parts, dim=1)  # (B, L)

    def _logits(self, logits: Tensor, number: int) -> Tensor:
        """What D says about all labels -> about those of one set, (B, l)."""
        sizes = [len(labels.names) for labels in self.label_sets]
        return at_least_float32(torch.split(logits, sizes, dim=1)[number])

    def _classification(self, logits: Tensor, label: Tensor, number: int) -> Tensor:
        """Eq. (2) and (3): attributes one by one, summed, or one domain out of all; mean over the images."""
        if self.label_sets[number].kind == "domains":
            return cross_entropy(logits, label)
        return binary_cross_entropy_with_logits(logits, label, reduction="sum") / len(label)

    def _accuracy(self, logits: Tensor, label: Tensor, number: int) -> Tensor:
        """(B,): 1 where D sees the wanted domain, or the share of attributes that it sees as wanted."""
        if self.label_sets[number].kind == "domains":
            return (logits.argmax(1) == label.argmax(1)).float()
        return ((logits > 0) == (label > 0.5)).float().mean(1)

    def _suffix(self, number: int) -> str:
        """What tells the figures of several label sets apart."""
        return f"_{number + 1}" if len(self.label_sets) > 1 else ""

    def _vector(self, on: frozenset[str], labels: LabelSet, like: Tensor) -> Tensor:
        """Names that are on -> (B, l) of 0 and 1, one for each image in `like`."""
        row = [float(name in on) for name in labels.names]
        return like.new_tensor(row).expand(len(like), -1)

    def _flips(self, label: Tensor, number: int) -> dict[str, Tensor]:
        """For every label of a set the labels (B, l) that images are translated to, from those they have."""
        labels = self.label_sets[number]
        return {
            name: torch.cat([
                self._vector(flipped(_names(row, labels), frozenset({name}), labels), labels, row[None])
                for row in label
            ])
            for name in labels.names
        }  # fmt: skip

    # -- translating -------------------------------------------------------------------------

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["image"]: (B, C, H, W), inputs["label"]: (B, L) -> (B, C, H, W)."""
        return self.G(inputs["image"], inputs["label"]), {}

    # -- while training ----------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """Every image beside its translation to each domain, or with each attribute flipped."""
        columns: dict[str, Tensor] = {}
        for number, labels in enumerate(self.label_sets):
            columns[f"input{self._suffix(number)}"] = batch[f"image_{number}"]
            columns |= dict(zip(labels.names, self._translations(batch, number), strict=True))
        return columns

    def _translations(self, batch: Batch, number: int) -> Tensor:
        """Images of a set to each of its targets, (T, B, C, H, W)."""
        real, targets = batch[f"image_{number}"], self._flips(batch[f"label_{number}"], number)
        condition = self._condition(torch.cat(list(targets.values())), number)  # (T x B, L)
        outputs: Tensor = self.G(real.repeat(len(targets), 1, 1, 1), condition)  # (T x B, C, H, W)
        return outputs.reshape(len(targets), *real.shape)  # (T, B, C, H, W)

    def evaluate(self, batch: Batch) -> Evaluation:
        """Every translation of an image: beside the image, beside the truth where it is known, and how often
        D sees in it what it should show.
        """
        found = Evaluation()
        for number, labels in enumerate(self.label_sets):
            made = self._translations(batch, number)  # (T, B, C, H, W)
            reals = batch[f"image_{number}"].repeat(len(made), 1, 1, 1)  # (T x B, C, H, W)
            found.generated[self._suffix(number).removeprefix("_")] = made.flatten(0, 1), reals
            found.compared.update(self._compared(batch, number, labels, made))
            found.measured[f"accuracy{self._suffix(number)}"] = self._seen(batch, number, made)
        return found

    def _compared(self, batch: Batch, number: int, labels: LabelSet, made: Tensor) -> Pairs:
        """Translations to every other domain, where the data holds the same thing in all of them."""
        if f"truth_{number}" not in batch:
            return {}
        truth, label = batch[f"truth_{number}"], batch[f"label_{number}"]  # (B, L, C, H, W), (B, L)
        pairs: Pairs = {}
        for place, name in enumerate(labels.names):
            others = label[:, place] < 0.5  # (B,)
            if others.any():
                pairs[f"to_{name}"] = made[place, others], truth[others, place]
        return pairs

    def _seen(self, batch: Batch, number: int, made: Tensor) -> Tensor:
        """(B,): the share of the translations (T, B, C, H, W) in which D sees the labels they should show."""
        targets = self._flips(batch[f"label_{number}"], number)
        each = [
            self._accuracy(self._logits(self.D(output)[1], number), target, number)
            for output, target in zip(made, targets.values(), strict=True)
        ]
        return torch.stack(each).mean(0)


def _distance_of(fake: Tensor, real: Tensor, which: Tensor) -> Tensor:
    """Mean absolute distance of some of the images (B, C, H, W); `which` is (B,), 0 if it names none."""
    each = (fake - real).abs().flatten(1).mean(1)  # (B,)
    return (each * which).sum() / which.sum().clamp(min=1)


def _names(row: Tensor, labels: LabelSet) -> frozenset[str]:
    """Labels (l,) of one image -> the names of those that are on."""
    return frozenset(name for name, value in zip(labels.names, row.tolist(), strict=True) if value > 0.5)
