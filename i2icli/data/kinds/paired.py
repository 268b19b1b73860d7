"""Pairs of images that show the same scene: for pix2pix and its successors."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import two_sides
from i2icli.data.kinds.pairs import Pair, find_pairs
from i2icli.data.layouts import FolderLayout, recognise
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ReadSpec, transparency_lines
from i2icli.data.sizes import Size, check_sizes, refuse_small_images
from i2icli.data.validation_split import TOO_FEW, split_line, split_off
from i2icli.errors import UserError
from i2icli.image import Pixels
from i2icli.image.kinds import pixel_bytes, prepare
from i2icli.stage import Shape

_MOST_SHAPES = 8  # that are kept
_TALLEST = 1.5  # height over width of a half; taller halves are hardly those of pairs


class PairedImages(DataFolder):
    """Folders of pairs: side by side in one image, or two folders with the same file names.

    Examples: "source" and "target", (C, H, W) in [-1, 1], cropped and flipped alike.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        backwards: bool = False,
        smallest_image: Size = (1, 1),
    ) -> None:
        """backwards: B is the source, A the target; smallest_image: smaller ones are an error."""
        super().__init__(options)
        self.backwards = backwards
        layout = recognise(folders, pairs=True)
        self.pairs, skipped = find_pairs(layout.train, strict=options.strict)
        self.held_out: list[Pair] = []
        if layout.validation:
            self.held_out, more = find_pairs(layout.validation, strict=options.strict)
            skipped += more
        self._describe(layout)
        self.report += skipped
        if not layout.validation:
            self._split_off()
        train, validation = ([(pair.a.name, pair.size) for pair in each] for each in self._splits)
        refuse_small_images(train, smallest_image)
        check_sizes(train, validation, options)
        source, target = ([pair.files[side] for pair in self.pairs + self.held_out] for side in self._order)
        found = two_sides(source, target, options, ("source", "target"))
        self.settings, self.ports = found.settings | self._told_by(layout), found.ports
        self.report += found.report
        self.plan_cache(self._memory_needed())

    def _told_by(self, layout: FolderLayout) -> dict[str, Any]:
        """The settings by which a model knows such pairs again: names of folders, shapes side by side."""
        shapes = Counter(round(pair.a.size[1] / pair.a.size[0], 2) for pair in self.pairs if pair.b is None)
        usual = tuple(shape for shape, _ in shapes.most_common(_MOST_SHAPES))
        return {"pair_names": layout.names or ("A", "B"), "pair_aspects": usual}

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

    def _describe(self, layout: FolderLayout) -> None:
        number, arrow = counted(len(self.pairs), "pair"), "B to A" if self.backwards else "A to B"
        if layout.side_by_side:
            line = f"pairs side by side in {layout.train[0]}: {number}, A left, B right"
        else:
            line = f"pairs: A in {layout.train[0]}, B in {layout.train[1]}: {number}"
        self.report.append(f"{line}; learning {arrow}")
        if layout.validation:
            where = " and ".join(map(str, layout.validation))
            self.report.append(f"validation: {counted(len(self.held_out), 'pair')} from {where}")
        self._describe_shapes()
        self.report += transparency_lines([file for pair in self.pairs for file in pair.files])

    def _describe_shapes(self) -> None:
        """Report halves that hardly are pairs (an error if all are so), and partners of different sizes."""
        narrow = [pair for pair in self.pairs if pair.b is None and pair.size[0] > _TALLEST * pair.size[1]]
        if narrow:
            height, width = narrow[0].a.size
            found = f"{narrow[0].a.name} has {width}x{height} pixels"
            if len(narrow) == len(self.pairs):
                raise UserError(
                    f"{found}, like all images here: these are no pairs side by side; "
                    "give two folders with the same file names, or images twice as wide"
                )
            self.report.append(f"{found}: is this really a pair side by side?")
        uneven = [pair for pair in self.pairs if pair.b is not None and pair.b.size != pair.size]
        if uneven:
            self.report.append(
                f"{counted(len(uneven), 'pair')} with different sizes (e.g. {uneven[0].a.path.name}): "
                "B is resized to A"
            )

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
