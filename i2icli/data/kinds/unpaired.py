"""Unpaired image collections: for CycleGAN and its successors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from i2icli.data.describe import NOT_ALIGNED, aligned_line, counted, empty_line
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import two_sides
from i2icli.data.layout_errors import UNPAIRED_EXAMPLE, not_two_collections
from i2icli.data.layouts import FolderLayout, recognise
from i2icli.data.options import DataOptions
from i2icli.data.pairing.finding import find_pairs, of_layout
from i2icli.data.pairing.lists import is_list
from i2icli.data.pairing.pair import AS_FOUND, FoundPairs, Pair, PairChoice, known_again
from i2icli.data.pairing.reading import look_like_halves, readable
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import (
    ImageReader,
    aligned,
    memory_needed,
    partners,
)
from i2icli.data.sizes import Size, check_sizes, refuse_small_images, sized
from i2icli.data.split_names import split_folders
from i2icli.data.validation_split import TOO_FEW, split_each, split_line
from i2icli.image import Item
from i2icli.image.finding import collect
from i2icli.stage import Shape


class UnpairedImages(DataFolder):
    """Two collections of images, A and B: two folders, or the images of pairs.

    Examples: "A" and "B", (C, H, W) in [-1, 1], drawn, cropped and flipped independently.
    Validation examples of one scene in both domains carry "truth", a true value.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        choice: PairChoice = AS_FOUND,
        name_domains: bool = False,
        smallest_image: Size = (1, 1),
    ) -> None:
        """choice: how images are paired, if they are; name_domains: the folders' names become the setting
        "domains"; smallest_image: smaller ones are an error.
        """
        super().__init__(options)
        self.files: list[list[Item]] = [[], []]
        self.held_out: list[list[Item]] = [[], []]
        self.pairs: list[tuple[Item, Item]] = []  # of training images that show one scene
        self.truth = False
        self.told: dict[str, Any] = {}  # settings by which a model knows such pairs again
        found = _known_pairs(folders, choice)
        names = self._open_pairs(found, choice) if found else self._open_folders(folders)
        for train, validation in zip(self.files, self.held_out, strict=True):
            refuse_small_images(sized(train), smallest_image)
            check_sizes(sized(train), sized(validation), options)
        a, b = (train + validation for train, validation in zip(self.files, self.held_out, strict=True))
        both = two_sides(a, b, options, ("A", "B"))
        self.settings, self.ports = both.settings | self.told, both.ports
        self.report += both.report
        if name_domains and names is not None:
            self.settings["domains"] = names
            self.report.append(f"domains: {names[0]} and {names[1]}")
        self.plan_cache(memory_needed(self.files, self.held_out, self.ports, options.preprocess))

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. As many training examples as the larger collection has images."""
        preprocess = self.options.preprocess.at(shape.resolution)
        train = UnpairedExamples(*self._readers(self.files, preprocess), truth=False)
        still = self._readers(self.held_out, preprocess.for_validation())
        return train, UnpairedExamples(*still, truth=self.truth) if all(self.held_out) else None

    def _readers(self, both: list[list[Item]], preprocess: Preprocess) -> tuple[ImageReader, ImageReader]:
        a, b = (
            ImageReader(files, self.read_spec(port, preprocess))
            for files, port in zip(both, self.ports, strict=True)
        )
        return a, b

    # -- two folders ---------------------------------------------------------------------

    def _open_folders(self, folders: Sequence[Path]) -> tuple[str, str] | None:
        """Scan the folders; the names of the domains."""
        layout = recognise(folders, pairs=False)
        collections = [collect(each) for each in layout.train]
        files = [self.read_headers(each, UNPAIRED_EXAMPLE) for each in collections]
        self.files = [[*each] for each in files]
        self.report.insert(0, _recognised(layout, files))
        named = aligned(collections, files, complete=False, same_size=False)
        self.pairs = list(zip(*named, strict=True)) if named else []
        if layout.validation:
            self._take_validation(layout.validation)
        else:
            self.report += layout.unused_lines
            self._split_off(complete=bool(aligned(collections, files)))
        return layout.names

    def _take_validation(self, folders: tuple[Path, ...]) -> None:
        """Scan the validation folders and find out whether they show the same scenes."""
        collections = [collect(folder) for folder in folders]
        empty = [each.folder for each in collections if not each.images]
        if empty:
            self.report.append(empty_line(empty[0]))
            return
        files = [self.read_headers(each, UNPAIRED_EXAMPLE) for each in collections]
        number_a, number_b = (counted(len(each), "image") for each in files)
        same = aligned(collections, files)
        self.truth, self.held_out = bool(same), [[*each] for each in same or files]
        scored = aligned_line("file names match") if same else NOT_ALIGNED
        self.report.append(
            f"validation: {number_a} from {folders[0]}, {number_b} from {folders[1]}; {scored}"
        )

    def _split_off(self, *, complete: bool) -> None:
        """Keep some images for validation; complete: all show the same scenes in both domains."""
        split = split_each(self._columns(self.pairs) if complete else self.files, self.options)
        if split is None:
            self.report.append(TOO_FEW)
            return
        self.files, self.held_out = split
        self.truth = complete
        kept = {*self.files[0], *self.files[1]}
        self.pairs = [pair for pair in self.pairs if kept.issuperset(pair)]
        number_a, number_b = map(len, self.held_out)
        line = split_line(f"{number_a} images of A, {number_b} of B", scored=complete)
        self.report.append(f"{line}; {aligned_line('names and sizes match')}" if complete else line)

    @staticmethod
    def _columns(pairs: list[tuple[Item, Item]]) -> list[list[Item]]:
        """A and B of pairs, in their order."""
        return [[pair[side] for pair in pairs] for side in (0, 1)]

    # -- pairs ---------------------------------------------------------------------------

    def _open_pairs(self, found: FoundPairs, choice: PairChoice) -> tuple[str, str] | None:
        """Take pairs as two collections; validation is scored on them. The names of the domains."""
        parts, pairs = [], list[Pair]()
        for files in (found.train, found.validation or []):
            read = readable(
                files,
                side_by_side=choice.side_by_side,
                strict=self.options.strict,
                reading=self.options.reading,
            )
            pairs += read[0]
            parts.append([pair.apart for pair in read[0]])
            self.report += read[1]
        self.pairs, held_out = parts
        self.told = known_again(found, pairs)
        number = counted(len(self.pairs), "pair")
        self.report.insert(0, f"{found.how}: {number}, taken apart into two collections, A and B")
        self.report += found.skipped
        self.files = self._columns(self.pairs)
        if found.validation is None:
            self._split_off(complete=True)
        elif held_out:
            self.truth, self.held_out = True, self._columns(held_out)
            number = counted(len(held_out), "pair")
            self.report.append(f"validation: {number} from {found.validation_from}, scored as pairs")
        return found.names


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


def _known_pairs(paths: Sequence[Path], choice: PairChoice) -> FoundPairs | None:
    """The pairs, if the user says that there are some or one folder holds nothing else; else None."""
    if choice != AS_FOUND or (len(paths) == 1 and is_list(paths[0])):
        return find_pairs(paths, choice)
    layout = recognise(paths, pairs=False, either=True)
    if not layout.side_by_side:
        return None
    found = of_layout(layout, choice)
    if found.train[0][1] is None and not look_like_halves([file for file, _ in found.train]):
        raise not_two_collections(paths[0], split_folders(paths[0]))
    return found


def _recognised(layout: FolderLayout, files: Sequence[Sequence[Item]]) -> str:
    sides = zip("AB", layout.train, files, strict=True)
    counts = (f"{name} in {folder}: {counted(len(each), 'image')}" for name, folder, each in sides)
    return "two collections: " + ", ".join(counts)
