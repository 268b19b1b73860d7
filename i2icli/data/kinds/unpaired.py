"""Unpaired image collections: for CycleGAN and its successors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from i2icli.data.describe import NOT_ALIGNED, aligned_line, counted, empty_line
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import two_sides
from i2icli.data.layout_errors import UNPAIRED_EXAMPLE
from i2icli.data.layouts import FolderLayout, recognise
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import (
    ImageReader,
    aligned,
    memory_needed,
    partners,
    transparency_lines,
)
from i2icli.data.sizes import Size, check_sizes, refuse_small_images, sized
from i2icli.data.validation_split import TOO_FEW, split_each, split_line
from i2icli.image import FileItem
from i2icli.image.finding import collect
from i2icli.stage import Shape


class UnpairedImages(DataFolder):
    """Two folders of images, A and B.

    Examples: "A" and "B", (C, H, W) in [-1, 1], drawn, cropped and flipped independently.
    Validation examples of one scene in both domains carry "truth", a true value.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        name_domains: bool = False,
        smallest_image: Size = (1, 1),
    ) -> None:
        """name_domains: the folders' names become the setting "domains"; smallest_image: smaller ones are an
        error.
        """
        super().__init__(options)
        self.layout = recognise(folders, pairs=False)
        self.files = [self.read_headers(collect(each), UNPAIRED_EXAMPLE) for each in self.layout.train]
        self.held_out: list[list[FileItem]] = [[], []]
        self.truth = False
        self.report.insert(0, _recognised(self.layout, self.files))
        if self.layout.validation:
            self._take_validation(self.layout.validation)
        else:
            self._split_off()
        for train, validation in zip(self.files, self.held_out, strict=True):
            refuse_small_images(sized(train), smallest_image)
            check_sizes(sized(train), sized(validation), options)
        a, b = (train + validation for train, validation in zip(self.files, self.held_out, strict=True))
        found = two_sides(a, b, options, ("A", "B"))
        self.settings, self.ports = found.settings, found.ports
        self.report += found.report
        if name_domains:
            names, lines = self.layout.naming()
            self.settings |= names
            self.report += lines
        self.report += transparency_lines([file for files in self.files for file in files])
        self.plan_cache(memory_needed(self.files, self.held_out, self.ports, options.preprocess))

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. As many training examples as the larger collection has images."""
        preprocess = self.options.preprocess.at(shape.resolution)
        train = UnpairedExamples(*self._readers(self.files, preprocess), truth=False)
        still = self._readers(self.held_out, preprocess.for_validation())
        return train, UnpairedExamples(*still, truth=self.truth) if all(self.held_out) else None

    def _readers(self, both: list[list[FileItem]], preprocess: Preprocess) -> tuple[ImageReader, ImageReader]:
        a, b = (
            ImageReader(files, self.read_spec(port, preprocess))
            for files, port in zip(both, self.ports, strict=True)
        )
        return a, b

    def _take_validation(self, folders: tuple[Path, ...]) -> None:
        """Scan the validation folders and find out whether they show the same scenes."""
        collections = [collect(folder) for folder in folders]
        empty = [each.folder for each in collections if not each.images]
        if empty:
            self.report.append(empty_line(empty[0]))
            return
        self.held_out = [self.read_headers(each, UNPAIRED_EXAMPLE) for each in collections]
        number_a, number_b = (counted(len(files), "image") for files in self.held_out)
        same = aligned(collections, self.held_out)
        if same:
            self.truth, self.held_out = True, same
        scored = aligned_line("file names match") if same else NOT_ALIGNED
        self.report.append(
            f"validation: {number_a} from {folders[0]}, {number_b} from {folders[1]}; {scored}"
        )

    def _split_off(self) -> None:
        split = split_each(self.files, self.options)
        if split is None:
            self.report.append(TOO_FEW)
            return
        self.files, self.held_out = split
        number_a, number_b = map(len, self.held_out)
        self.report.append(split_line(f"{number_a} images of A, {number_b} of B", scored=False))


class UnpairedExamples(Examples):
    """One image of each collection: "A" and "B" (C, H, W) in [-1, 1], and "truth" if they show one scene."""

    def __init__(self, a: ImageReader, b: ImageReader, *, truth: bool) -> None:
        self.a = a
        self.b = b
        self.truth = truth

    def __len__(self) -> int:
        return max(len(self.a), len(self.b))

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The index walks the larger collection; `rng` draws the partner, None takes the same index."""
        index_a, index_b = partners(index, (len(self.a), len(self.b)), rng)
        example = {"A": self.a.example(index_a, rng), "B": self.b.example(index_b, rng)}
        return example | {"truth": torch.tensor(True)} if self.truth else example


def _recognised(layout: FolderLayout, files: list[list[FileItem]]) -> str:
    sides = zip("AB", layout.train, files, strict=True)
    counts = (f"{name} in {folder}: {counted(len(each), 'image')}" for name, folder, each in sides)
    return "two collections: " + ", ".join(counts)
