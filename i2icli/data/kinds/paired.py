"""Pairs of images that show the same scene: for pix2pix and its successors."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import two_sides
from i2icli.data.options import DataOptions
from i2icli.data.pairing.finding import find_pairs
from i2icli.data.pairing.inputs import of_stack, settings_of, stack
from i2icli.data.pairing.pair import AS_FOUND, FoundPairs, Pair, PairChoice, known_again
from i2icli.data.pairing.reading import readable, size_lines
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ReadSpec
from i2icli.data.sizes import Size, check_sizes, refuse_small_images
from i2icli.data.validation_split import TOO_FEW, split_line, split_off
from i2icli.image import Pixels
from i2icli.image.kinds import pixel_bytes, prepare
from i2icli.stage import Shape
from i2icli.task import StackPart


class PairedImages(DataFolder):
    """Pairs: side by side in one image, in two folders, in one by their names, or in a list.

    Examples: "source" and "target", (C, H, W) in [-1, 1], cropped and flipped alike.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        backwards: bool = False,
        choice: PairChoice = AS_FOUND,
        smallest_image: Size = (1, 1),
    ) -> None:
        """backwards: B is the source, A the target; choice: how images are paired; smallest_image: smaller
        ones are an error.
        """
        super().__init__(options)
        self.backwards = backwards
        found = find_pairs(folders, choice)
        self.pairs, skipped = self._readable(found.train, choice)
        self.held_out: list[Pair] = []
        if found.validation:
            self.held_out, more = self._readable(found.validation, choice)
            skipped += more
        self._describe(found)
        self.report += [*found.skipped, *skipped]
        parts: tuple[StackPart, ...] = ()
        if found.stacked:
            (self.pairs, self.held_out), parts, lines = stack(
                self._splits, found.stacked, choice.inputs, options
            )
            self.report += lines
        if found.validation is None:
            self._split_off()
        train, validation = ([(pair.a.name, pair.size) for pair in each] for each in self._splits)
        refuse_small_images(train, smallest_image)
        check_sizes(train, validation, options)
        source, target = ([pair.files[side] for pair in self.pairs + self.held_out] for side in self._order)
        both = two_sides(source, target, of_stack(options, parts), ("source", "target"), pairs=True)
        self.settings = both.settings | known_again(found, self.pairs)
        self.settings |= settings_of(parts, both.settings, options)
        self.ports = both.ports
        self.report += both.report
        self.plan_cache(self._memory_needed())

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        preprocess = self.options.preprocess.at(shape.resolution)
        train = self._pair_examples(self.pairs, preprocess)
        validation = self._pair_examples(self.held_out, preprocess.for_validation())
        return train, validation if self.held_out else None

    @property
    def _order(self) -> tuple[int, int]:
        """Of A and B the source and the target, as indices."""
        return (1, 0) if self.backwards else (0, 1)

    @property
    def _splits(self) -> tuple[list[Pair], list[Pair]]:
        return self.pairs, self.held_out

    def _pair_examples(self, pairs: list[Pair], preprocess: Preprocess) -> "PairExamples":
        source, target = (self.read_spec(port, preprocess) for port in self.ports)
        return PairExamples(pairs, source, target, self.backwards)

    def _split_off(self) -> None:
        self.pairs, self.held_out = split_off(self.pairs, self.options)
        number = counted(len(self.held_out), "pair")
        self.report.append(split_line(number) if self.held_out else TOO_FEW)

    def _readable(
        self, files: Sequence[tuple[Path, Path | None]], choice: PairChoice
    ) -> tuple[list[Pair], list[str]]:
        how = self.options
        return readable(files, side_by_side=choice.side_by_side, strict=how.strict, reading=how.reading)

    def _describe(self, found: FoundPairs) -> None:
        number, arrow = counted(len(self.pairs), "pair"), "B to A" if self.backwards else "A to B"
        halves = ", A left, B right" if self.pairs[0].b is None else ""
        self.report.append(f"{found.how}: {number}{halves}; learning {arrow}")
        if found.validation:
            number = counted(len(self.held_out), "pair")
            self.report.append(f"validation: {number} from {found.validation_from}")
        self.report += size_lines(self.pairs + self.held_out)

    def _memory_needed(self) -> int:
        total, preprocess = 0, self.options.preprocess
        for pairs, how in zip(self._splits, (preprocess, preprocess.for_validation()), strict=True):
            for pair in pairs:
                height, width = how.prepared_size(pair.size)
                sides = zip(self._order, self.ports, strict=True)
                per_pixel = (pixel_bytes(port, pair.files[side].header().dtype) for side, port in sides)
                total += height * width * sum(per_pixel)
        return total


class PairExamples(Examples):
    """Pairs as tensors: "source" and "target" (C, H, W) in [-1, 1]."""

    def __init__(self, pairs: list[Pair], source: ReadSpec, target: ReadSpec, backwards: bool) -> None:
        self.pairs = pairs
        self.source = source
        self.target = target
        self.backwards = backwards
        self.cache = source.cache(len(pairs), partial(PairExamples._load, self))

    def __len__(self) -> int:
        return len(self.pairs)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """One pair, both halves cropped and flipped alike. Raises UserError if no pair can be read."""
        source, target = self.cache.get(index)
        crop = self.source.preprocess.window(source.shape[:2], rng)
        return {"source": self.source.example(source, crop), "target": self.target.example(target, crop)}

    def _load(self, index: int) -> tuple[Pixels, Pixels]:
        """Source and target, prepared: (h, w, C) of one size."""
        ports = self.source.port, self.target.port
        a, b = self.pairs[index].read(ports[::-1] if self.backwards else ports)
        size = self.source.preprocess.prepared_size(a.shape[:2])
        source, target = (b, a) if self.backwards else (a, b)
        return prepare(source, self.source.port, size), prepare(target, self.target.port, size)
