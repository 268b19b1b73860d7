"""Unpaired collections with latent codes and possibly some known pairs: for Augmented CycleGAN."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.kinds.paired import PairExamples
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.options import DataOptions
from i2icli.data.pairing.pair import AS_FOUND, Pair, PairChoice
from i2icli.data.pairing.reading import refuse_transposed
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import memory_needed
from i2icli.errors import UserError
from i2icli.stage import Shape


class PartlyPairedImages(DataFolder):
    """Two folders of images, A and B, as `UnpairedImages` reads them.

    Training examples also hold "z_B", (Z,) from N(0, 1), with `two_sided` "z_A", and with a
    `supervised_fraction` "paired_A" and "paired_B": one of the chosen pairs, cropped and flipped alike.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        num_latents: int,
        two_sided: bool = False,
        supervised_fraction: float = 0.0,
        choice: PairChoice = AS_FOUND,
        name_domains: bool = False,
    ) -> None:
        """supervised_fraction: of the pairs, by name or as chosen, those learned as pairs."""
        super().__init__(options)
        self.num_latents = num_latents
        self.coded = ("A", "B") if two_sided else ("B",)
        self.unpaired = UnpairedImages(folders, options, choice=choice, name_domains=name_domains)
        self.settings, self.report = self.unpaired.settings, self.unpaired.report
        self.pairs = self._choose_pairs(supervised_fraction) if supervised_fraction else []
        self.cached = self.unpaired.cached and self._memory_needed() <= options.cache_bytes

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. Validation examples have no codes."""
        pairs = self._pair_examples(self.options.preprocess.at(shape.resolution)) if self.pairs else None
        train = AugmentedExamples(self.unpaired.train(shape), pairs, self.num_latents, self.coded)
        return train, self.unpaired.validation(shape)

    def _pair_examples(self, preprocess: Preprocess) -> PairExamples:
        a, b = (self.read_spec(port, preprocess) for port in self.unpaired.ports)
        return PairExamples(self.pairs, a, b, backwards=False)

    def _choose_pairs(self, fraction: float) -> list[Pair]:
        """A fixed part, drawn by the seed, of the training images with the same names in both folders."""
        pairs = self.unpaired.pairs
        if not pairs:
            a, b = (Path(files[0].name).stem for files in self.unpaired.files)
            raise UserError(
                f"--supervised-fraction {fraction:g}: no training images with the same name in both folders "
                f"(e.g. {a} and {b}); rename them, name pairs with --pair or a list, or set it to 0"
            )
        refuse_transposed(pairs)
        number = max(1, round(fraction * len(pairs)))
        chosen = np.random.default_rng(self.options.seed).permutation(len(pairs))[:number]
        self.report.append(
            f"supervised: {counted(number, 'pair')} of {len(pairs)} with the same name in both folders"
        )
        return [Pair(*pairs[index]) for index in sorted(chosen)]

    def _memory_needed(self) -> int:
        """Memory of all training images; those of pairs count twice as they are kept twice."""
        a, b = self.unpaired.files
        paired = [pair.files for pair in self.pairs]
        sides = (a + [files[0] for files in paired], b + [files[1] for files in paired])
        return memory_needed(sides, (), self.unpaired.ports, self.options.preprocess)


class AugmentedExamples(Examples):
    """Unpaired images with latent codes, and possibly one of the known pairs."""

    def __init__(
        self, unpaired: Examples, pairs: Examples | None, num_latents: int, coded: tuple[str, ...]
    ) -> None:
        """coded: the sides that have latent codes."""
        self.unpaired = unpaired
        self.pairs = pairs
        self.num_latents = num_latents
        self.coded = coded

    def __len__(self) -> int:
        return len(self.unpaired)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """With `rng` the images, codes (Z,) and a pair; with None the images alone.

        Codes are part of the example, not noise of the step, so that they do not depend on how a
        batch is divided among processes.
        """
        example = self.unpaired.get(index, rng)
        if rng is None:
            return example
        for side in self.coded:
            code = rng.standard_normal(self.num_latents).astype(np.float32)
            example[f"z_{side}"] = torch.from_numpy(code)  # (Z,)
        if self.pairs is not None:
            pair = self.pairs.get(int(rng.integers(len(self.pairs))), rng)
            example |= {"paired_A": pair["source"], "paired_B": pair["target"]}
        return example
