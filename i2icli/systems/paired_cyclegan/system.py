"""PairedCycleGAN: put the style of a reference on an image, and take styles off again.

Chang, Lu, Yu and Finkelstein, "PairedCycleGAN: Asymmetric Style Transfer for Applying and Removing Makeup",
CVPR 2018, https://openaccess.thecvf.com/content_cvpr_2018/html/Chang_PairedCycleGAN_Asymmetric_Style_CVPR_2018_paper.html.
Names: G, F, D_X, D_Y, D_S, x (bare), y (styled) and W(x, y) as in the paper; L_G, L_F, L_P, L_I and L_S are
the losses "gan" of G, "gan" of F, "pair", "identity" and "style". The authors published no code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.styled import StyledImages
from i2icli.data.options import DataOptions
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.legend import GAN_OF_D, GAN_OF_G
from i2icli.nn.init import init_normal
from i2icli.nn.patchgan import PatchDiscriminator
from i2icli.nn.resizing import resized
from i2icli.system import Batch, Evaluation, Inputs, Memory, Pairs, System, Update
from i2icli.systems.paired_cyclegan.config import REMOVAL, TRANSFER, WHOLE, PairedCycleGANConfig
from i2icli.systems.paired_cyclegan.networks import DeltaGenerator
from i2icli.systems.paired_cyclegan.regions import blend_regions
from i2icli.task import Task


@dataclass(frozen=True)
class Example:
    """What one part (the whole image, or a region) learns from in a step; (B, C, H, W) each."""

    part: str
    x: Tensor  # bare
    y: Tensor  # styled
    W: Tensor | None  # x as it may look in the style of y, if the data tells


class PairedCycleGAN(System[PairedCycleGANConfig]):
    """G applies the style of a reference, F removes styles. Each part has networks of its own.

    Batches hold "bare", "styled" and, for a style discriminator that asks the data, "synthetic"; with
    regions instead "bare_lips", ... for each.
    """

    inference_modules = ("G", "F")
    legend: ClassVar[Mapping[str, str]] = {
        "G/gan*": GAN_OF_G,
        "F/gan*": GAN_OF_G,
        "[GF]/identity*": "Difference between bare images and themselves, styled and bared again; it falls.",
        "[GF]/style*": "Difference between styled images and themselves, bared and styled again; it falls.",
        "G/pair*": "How far an output and its reference are from passing for two images of one style.",
        "F/keep*": "How much F changes images that are bare already; it falls.",
        "D/gan_*": GAN_OF_D,
        "D/pair*": "How far the discriminator is from telling pairs of one style from those of outputs.",
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: PairedCycleGANConfig) -> DataFolder:
        """See `System.open_data`."""
        return StyledImages(
            folders,
            options,
            synthetic=config.synthetic,
            regions=config.regions,
            region_size=config.region_size,
            name_domains="domains" not in config.model_fields_set,
        )

    def __init__(self, config: PairedCycleGANConfig) -> None:
        super().__init__(config)
        C = config.two_channels[0]
        self.G = self._generators(C, images=2)
        self.F = self._generators(C, images=1)
        self.D_X = self._discriminators(C)
        self.D_Y = self._discriminators(C)
        self.D_S = self._discriminators(2 * C) if config.synthetic != "none" else None
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_normal(self)
        for generator in (*self.G.values(), *self.F.values()):
            assert isinstance(generator, DeltaGenerator)
            generator.begin_small()

    def _generators(self, channels: int, images: int) -> nn.ModuleDict:
        config = self.config
        return nn.ModuleDict({
            part: DeltaGenerator(channels, images, config.width, config.norm, config.delta_scale)
            for part in config.parts
        })  # fmt: skip

    def _discriminators(self, channels: int) -> nn.ModuleDict:
        config = self.config
        return nn.ModuleDict({
            part: PatchDiscriminator(channels, config.discriminator_width, config.num_layers, config.norm)
            for part in config.parts
        })  # fmt: skip

    def lr_factor(self, optimizer: str) -> float:
        """Constant while F learns alone; then as usual."""
        return 1.0 if self.clock.stage.name == REMOVAL else super().lr_factor(optimizer)

    def optimizers(self) -> dict[str, Optimizer]:
        """One for each generator, one for all discriminators."""
        if self.clock.stage.name == REMOVAL:
            return {"F": self.adam(self.F), "D": self.adam(self.D_X, lr=self.config.discriminator_lr)}
        discriminators = [self.D_X, self.D_Y] + ([self.D_S] if self.D_S is not None else [])
        D = self.adam(*discriminators, lr=self.config.discriminator_lr)
        return {"G": self.adam(self.G), "F": self.adam(self.F), "D": D}

    # -- training ------------------------------------------------------------------------

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """First stage: F, D_X. Second stage: G, then F against the new G, then all discriminators."""
        examples = self._examples(batch)
        bare = {each.part: self.F[each.part](each.y) for each in examples}
        taken_off = {_suffix(each.part).removeprefix("_"): (bare[each.part], each.x) for each in examples}
        if self.clock.stage.name == REMOVAL:
            removal = _merged(self._losses_removal(each, bare) for each in examples)
            yield Update("F", removal, fakes=taken_off)
            yield Update(
                "D", {_name("gan_X", each): self._discriminator_loss_X(each, bare) for each in examples}
            )
            return

        styled = {each.part: self.G[each.part](each.x, each.y) for each in examples}
        put_on = {_suffix(each.part).removeprefix("_"): (styled[each.part], each.y) for each in examples}
        cycled = self._cycled(examples, _detached(bare), styled)
        losses = _merged(self._losses_G(each, styled, cycled) for each in examples)
        yield Update("G", losses, fakes=put_on, reconstructed=cycled)
        cycled = self._cycled(examples, bare, _detached(styled))
        losses = _merged(self._losses_F(each, bare, cycled) for each in examples)
        yield Update("F", losses, fakes=taken_off, reconstructed=cycled)
        yield Update("D", _merged(self._losses_D(each, bare, styled) for each in examples))

    def _losses_G(self, each: Example, styled: dict[str, Tensor], cycled: Pairs) -> dict[str, Tensor]:
        """0.1 L_G + L_I + L_S + 0.1 L_P for G; F and what it made stand still."""
        losses = {
            _name("gan", each): self.config.transfer_weight * self._generator_loss(self.D_Y, each, styled),
            **self._cycle_losses(each, cycled),
        }
        if self.D_S is not None:
            scores = self.D_S[each.part](_pair(each.y, styled[each.part]))
            losses[_name("pair", each)] = self.config.pair_weight * self.gan.generator(scores)
        return losses

    def _losses_F(self, each: Example, bare: dict[str, Tensor], cycled: Pairs) -> dict[str, Tensor]:
        """0.1 L_F + L_I + L_S for F; G and what it made stand still."""
        return self._losses_removal(each, bare) | self._cycle_losses(each, cycled)

    def _losses_removal(self, each: Example, bare: dict[str, Tensor]) -> dict[str, Tensor]:
        """0.1 L_F; and, if asked for, what is bare should stay as it is (CycleGAN, section 5.2)."""
        losses = {_name("gan", each): self.config.removal_weight * self._generator_loss(self.D_X, each, bare)}
        if self.config.keep_weight > 0:
            same = self.F[each.part](each.x)
            losses[_name("keep", each)] = self.config.keep_weight * l1_loss(same, each.x)
        return losses

    def _cycled(
        self, examples: Sequence[Example], bare: dict[str, Tensor], styled: dict[str, Tensor]
    ) -> Pairs:
        """F(G(x, y)) beside x and G(F(y), G(x, y)) beside y, of each part. bare: F(y), styled: G(x, y)."""
        pairs: Pairs = {}
        for each in examples:
            part = each.part
            pairs[_name("identity", each)] = self.F[part](styled[part]), each.x
            pairs[_name("style", each)] = self.G[part](bare[part], styled[part]), each.y
        return pairs

    def _cycle_losses(self, each: Example, cycled: Pairs) -> dict[str, Tensor]:
        """L_I = |F(G(x, y)) - x| and L_S = |G(F(y), G(x, y)) - y|."""
        identity, style = _name("identity", each), _name("style", each)
        return {
            identity: self.config.identity_weight * l1_loss(*cycled[identity]),
            style: self.config.style_weight * l1_loss(*cycled[style]),
        }

    def _losses_D(
        self, each: Example, bare: dict[str, Tensor], styled: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Bare against F(y), styled against G(x, y), and (y, W(x, y)) against (y, G(x, y))."""
        D_Y, fake = self.D_Y[each.part], styled[each.part].detach()
        losses = {
            _name("gan_X", each): self._discriminator_loss_X(each, bare),
            _name("gan_Y", each): self.gan.discriminator(D_Y(each.y), D_Y(fake)),
        }
        if self.D_S is not None:
            D_S, W = self.D_S[each.part], self._synthetic(each, bare)
            real, false = D_S(_pair(each.y, W)), D_S(_pair(each.y, fake))
            losses[_name("pair", each)] = self.gan.discriminator(real, false)
        return losses

    @staticmethod
    def _synthetic(each: Example, bare: dict[str, Tensor]) -> Tensor:
        """W(x, y) from the data; else x with what F takes off y, laid over it as it is."""
        if each.W is not None:
            return each.W
        return (each.x + each.y - bare[each.part].detach()).clamp(-1, 1)

    def _discriminator_loss_X(self, each: Example, bare: dict[str, Tensor]) -> Tensor:
        D = self.D_X[each.part]
        return self.gan.discriminator(D(each.x), D(bare[each.part].detach()))

    def _generator_loss(self, D: nn.ModuleDict, each: Example, fakes: dict[str, Tensor]) -> Tensor:
        return self.gan.generator(D[each.part](fakes[each.part]))

    def _examples(self, batch: Batch) -> list[Example]:
        return [
            Example(
                part,
                batch["bare" + _suffix(part)],
                batch["styled" + _suffix(part)],
                batch.get("synthetic" + _suffix(part)),
            )
            for part in self.config.parts
        ]

    # -- translating ---------------------------------------------------------------------

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["image"]: (B, C, H, W) -> the same shape, styled as inputs["reference"], or bare."""
        image, bare = inputs["image"], task.name == self.config.domains[0]
        generators = self.F if bare else self.G
        references = [] if bare else [inputs["reference"].to(image.dtype)]
        if not self.config.regions:
            return generators[WHOLE](image, *(_fitted(each, image) for each in references)), {}
        faces = [inputs["face"]] if bare else [inputs["face"], inputs["reference_face"]]
        together = [image, *(each.expand(len(image), -1, -1, -1) for each in references)]
        return blend_regions(generators, self.config.region_size, faces, *together), {}

    # -- looking -------------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """Every part: bare, reference, transfer and its removal; the reference without its style."""
        columns: dict[str, Tensor] = {}
        for each in self._examples(batch):
            G, F, name = self.G[each.part], self.F[each.part], "" if each.part == WHOLE else f"{each.part}: "
            styled = G(each.x, each.y)
            columns |= {
                f"{name}bare": each.x, f"{name}reference": each.y, f"{name}transfer": styled,
                f"{name}and removed": F(styled), f"{name}reference bare": F(each.y),
            }  # fmt: skip
            if self.D_S is not None:
                columns[f"{name}synthetic"] = self._synthetic(each, {each.part: F(each.y)})
        return columns

    def evaluate(self, batch: Batch) -> Evaluation:
        """Removal of every part beside bare images, and once G learns transfer beside styled ones.

        Compared where the data knows what should come out; whole images only.
        """
        found = Evaluation()
        for each in self._examples(batch):
            end, learning = _suffix(each.part), self.clock.stage.name != REMOVAL
            removed = self.F[each.part](each.y)
            found.generated[REMOVAL + end] = removed, each.x
            if "truth_bare" in batch:
                found.compared[REMOVAL] = removed, batch["truth_bare"]
            if learning or "truth_styled" in batch:
                styled = self.G[each.part](each.x, each.y)
                if learning:
                    found.generated[TRANSFER + end] = styled, each.y
                if "truth_styled" in batch:
                    found.compared[TRANSFER] = styled, batch["truth_styled"]
        return found


def _name(loss: str, each: Example) -> str:
    return loss + _suffix(each.part)


def _suffix(part: str) -> str:
    return "" if part == WHOLE else f"_{part}"


def _detached(images: dict[str, Tensor]) -> dict[str, Tensor]:
    return {part: image.detach() for part, image in images.items()}


def _merged(losses: Iterator[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: loss for each in losses for name, loss in each.items()}


def _pair(y: Tensor, image: Tensor) -> Tensor:
    """A reference and an image in its style: (B, C, H, W) twice -> (B, 2C, H, W)."""
    return torch.cat([y, image], 1)


def _fitted(reference: Tensor, image: Tensor) -> Tensor:
    """The reference at the size, and as many times, as there are images: (B, C, H, W)."""
    height, width = image.shape[-2:]
    reference = resized(reference, (height, width))  # (b, C, H, W)
    return reference.to(image.dtype).expand(image.shape[0], -1, -1, -1)  # (B, C, H, W)
