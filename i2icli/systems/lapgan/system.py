"""LAPGAN: images from coarse to fine, one adversarial pair for each level of a Laplacian pyramid.

Denton, Chintala, Szlam, Fergus, "Deep Generative Image Models using a Laplacian Pyramid of Adversarial
Networks", NIPS 2015, https://arxiv.org/abs/1506.05751. Names: the paper counts levels from the
finest, I_0, to the coarsest, I_K; here "8 px", "16 px", ... from the coarsest on. G.first is its G_K,
G.levels[-1] its G_0, likewise D. Noise, residual h and coarse image l are the paper's z, h and l.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import l1_loss
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.noise import ImagesWithNoise
from i2icli.data.options import DataOptions
from i2icli.losses.adversarial import Vanilla
from i2icli.losses.legend import GAN_OF_D, GAN_OF_G
from i2icli.losses.precision import at_least_float32
from i2icli.nn.pyramid import Level, downsample, pyramid, upsample
from i2icli.nn.spectrum import spectral_distance
from i2icli.system import Batch, Evaluation, Inputs, Memory, Pairs, System, Update
from i2icli.systems.lapgan.cascade import Discriminators, Generators
from i2icli.systems.lapgan.config import LAPGANConfig
from i2icli.systems.lapgan.schedule import lr_at, momentum_at, momentum_descent
from i2icli.task import Task


class LAPGAN(System[LAPGANConfig]):
    """Batches hold "image" and its "noise", and "label" where classes are learned. A stage for each level."""

    legend: ClassVar[Mapping[str, str]] = {
        "G/gan": GAN_OF_G,
        "G/pixels": "Difference between generated and real detail of the level that learns; it falls.",
        "D/gan": GAN_OF_D,
        "D/*": "Fraction of images that the discriminator knows for what they are; near 0.5 it has to guess.",
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: LAPGANConfig) -> DataFolder:
        """See `System.open_data`."""
        return ImagesWithNoise(folders, options, noise_size=config.noise_size, conditional=config.conditional)

    def __init__(self, config: LAPGANConfig) -> None:
        super().__init__(config)
        channels, _ = config.two_channels
        self.G = Generators(config, channels)
        self.D = Discriminators(config, channels)
        self.gan = Vanilla()

    @property
    def _level(self) -> int | None:
        """The level that is learned now, as a place in G.levels; None for the images of the lowest level."""
        side = int(self.clock.stage.name.removesuffix(" px"))
        place = self.config.pyramid.index(side)
        return place - 1 if place else None

    @property
    def _reached(self) -> int:
        """How many levels of G.levels are learned or being learned."""
        return 0 if self._level is None else self._level + 1

    def optimizers(self) -> dict[str, Optimizer]:
        """One for D and one for G of the level that is learned."""
        return {
            name: self.adam(network)
            if self.config.optimizer == "adam"
            else momentum_descent(network.parameters(), self.config.lr, self._momentum)
            for name, network in (("D", self.D.at(self._level)), ("G", self.G.at(self._level)))
        }

    def _epoch(self) -> int:
        config = self.config
        return self.clock.step * config.batch_size * config.accumulate // config.epoch_images

    def _momentum(self) -> float:
        return momentum_at(self._epoch(), self.config.momentum, self.config.most_momentum)

    def lr_factor(self, optimizer: str) -> float:
        """Divided a little at each epoch; constant, then to zero, at each level, for Adam."""
        if self.config.optimizer == "adam":
            return super().lr_factor(optimizer)
        return lr_at(self._epoch(), self.config.lr, self.config.lr_divisor) / self.config.lr

    # -- learning ------------------------------------------------------------------------

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """D, then G, of the level that is learned, section 2.3; every image serves as real one and as l."""
        place, noise, label = self._level, self.G.split(batch["noise"]), batch.get("label")
        context: tuple[Tensor, ...] = ()
        if place is None:
            real = self._shrunk(batch["image"], 0)  # (B, C, h, w)
            fake = self.G.first_image(noise, label)  # (B, C, h, w)
        else:
            level = self._level_images(batch["image"], place)
            context, real = (level.coarse,), level.residual
            fake = self.G.residual(place, level.coarse, noise, label)  # (B, C, h, w)
        D = self.D.at(place)
        if self.config.gan_weight:
            scores = D(*context, real, label), D(*context, fake.detach(), label)
            # Half, as the authors average over a batch of which half is real.
            yield Update("D", {"gan": 0.5 * self.gan.discriminator(*scores)}, _hits(*scores))
        losses = {}
        if self.config.gan_weight:
            losses["gan"] = self.config.gan_weight * self.gan.generator(D(*context, fake, label))
        if self.config.pixel_weight and place is not None:
            distance = l1_loss(at_least_float32(fake), at_least_float32(real))
            losses["pixels"] = self.config.pixel_weight * distance
        coarse = context[0] if context else 0.0
        yield Update("G", losses, fakes={"": (coarse + fake, coarse + real)})

    def _shrunk(self, images: Tensor, place: int) -> Tensor:
        """The images (B, C, S, S) as that image of the pyramid, step by step: (B, C, s, s)."""
        for side in reversed(self.config.pyramid[place:-1]):
            images = downsample(images, (side, side))  # (B, C, s, s)
        return images

    def _level_images(self, images: Tensor, place: int) -> Level:
        """Level `place` of the pyramid of the images (B, C, S, S)."""
        image = self._shrunk(images, place + 1)  # (B, C, s, s)
        smaller, side = self.config.pyramid[place : place + 2]
        _, (level,) = pyramid(image, [(smaller, smaller), (side, side)], self.config.interpolation)
        return level

    # -- inference -----------------------------------------------------------------------

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Without an image samples (B, C, S, S); else inputs["image"]: (B, C, H, W) -> (B, C, f H, f W).

        f is the factor in `task.name`, by default the smallest. inputs["latent"]: (B, N), the noise of all
        levels; for larger images than it was learned from, a level's noise is repeated side by side. With
        classes inputs["label"]: (B, L).
        """
        noise, label = self.G.split(uniform(inputs["latent"])), inputs.get("label")
        if task.generates:
            image, number = self.G.first_image(noise, label), len(self.G.levels)
        else:
            image, (number, _) = inputs["image"], self.config.asked(task.name)
        return self._upscaled(image, number, noise, label).clamp(-1, 1), {}

    def _upscaled(
        self, image: Tensor, number: int, noise: tuple[Tensor, ...], label: Tensor | None
    ) -> Tensor:
        """(B, C, h, w) through the last `number` levels of the pyramid -> (B, C, f h, f w).

        Levels whose stage has not started only upscale: what they would add is not learned yet.
        """
        sides, height, width = self.config.pyramid, image.shape[-2], image.shape[-1]
        for place in range(len(self.G.levels) - number, len(self.G.levels)):
            factor = Fraction(sides[place + 1], sides[len(self.G.levels) - number])
            size = times(height, factor), times(width, factor)
            image = upsample(image, size, self.config.interpolation)  # (B, C, H, W)
            if place < self._reached:
                image = image + self.G.residual(place, image, noise, label)
        return image

    # -- looking at it -------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """The level that is learned: its image, made and real; and samples at all levels so far."""
        noise, label, place = self.G.split(batch["noise"]), batch.get("label"), self._level
        if place is None:
            return {"generated": self.G.first_image(noise, label), "real": self._shrunk(batch["image"], 0)}
        image, coarse = self._level_images(batch["image"], place)
        columns = {
            "coarse": coarse,
            "with its residual": coarse + self.G.residual(place, coarse, noise, label),
            "real": image,
        }
        if self.config.coarsest:
            for number in range(place + 2):
                made = self._generated(noise, label, number)  # (B, C, s, s)
                columns[f"generated, {made.shape[-1]} px"] = made
        return columns

    def _generated(self, noise: tuple[Tensor, ...], label: Tensor | None, number: int) -> Tensor:
        """Samples (B, C, s, s) up to a level."""
        image = self.G.first_image(noise, label)  # (B, C, h, w)
        for place in range(number):
            side = self.config.pyramid[place + 1]
            coarse = upsample(image, (side, side), self.config.interpolation)  # (B, C, s, s)
            image = coarse + self.G.residual(place, coarse, noise, label)
        return image.clamp(-1, 1)

    def evaluate(self, batch: Batch) -> Evaluation:
        """Of the level that is learned: images shrunk once and upscaled again, and such as are generated as
        far as it is learned. Scored at the last level only, so that the best model has learned all levels.

        measured: spectral distance to the truth of the upscaled images and of plain interpolation.
        """
        noise, label, place = self.G.split(batch["noise"]), batch.get("label"), self._level
        generated: Pairs = {}
        if self.config.coarsest:
            sample = self._generated(noise, label, self._reached)
            generated = {"": (sample, self._shrunk(batch["image"], self._reached))}
        if place is None:
            return Evaluation(generated)
        truth, coarse = self._level_images(batch["image"], place)
        enlarged = (coarse + self.G.residual(place, coarse, noise, label)).clamp(-1, 1)
        pair = {"": (enlarged, truth)}
        measured = {
            "enlarged_distance": spectral_distance(enlarged, truth),
            "interpolated_distance": spectral_distance(coarse, truth),
        }
        return Evaluation(generated or pair, pair if place == len(self.G.levels) - 1 else {}, measured)


def uniform(latent: Tensor) -> Tensor:
    """Numbers from N(0, 1) -> from U(-1, 1), in the same order: the noise that the authors draw."""
    return torch.erf(latent / sqrt(2))


def times(side: int, factor: Fraction) -> int:
    """A side times a factor, rounded as Python does; whole numbers alone, for a symbol while exporting."""
    number, of = factor.as_integer_ratio()
    if of == 1:
        return side * number
    whole, rest = side * number // of, side * number % of
    return whole + (2 * rest + whole % 2) // (of + 1)  # half a pixel goes to the even side


def _hits(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """Parts of the real and of the made images that D takes for what they are."""
    return {"real_seen": (real > 0).float().mean(), "fake_seen": (fake < 0).float().mean()}
