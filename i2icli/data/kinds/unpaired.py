"""Two collections of images that do not belong together one by one: for CycleGAN and its heirs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.images import (
    ImageFile,
    count_channels,
    refuse_mixed_sizes,
    refuse_small_to_grow,
)
from i2icli.data.layouts import UNPAIRED_EXAMPLE, Layout, recognise
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ImageReader, ReadSpec, memory_needed, scan, transparency_lines
from i2icli.data.validation_split import TOO_FEW, split_each
from i2icli.errors import UserError
from i2icli.image.finding import Collection, collect


class UnpairedImages(DataFolder):
    """Two folders of images, A and B.

    Examples: "A" and "B", (C, H, W) in [-1, 1], drawn, cut and flipped independently.
    Validation examples of one scene in both looks carry "truth", a true value.
    """

    def look(self, folders: Sequence[Path]) -> None:
        """See `DataFolder.look`."""
        layout = recognise(folders, pairs=False)
        collections = [collect(folder) for folder in layout.train]
        self.files = [self._files(collection) for collection in collections]
        self.held_out: list[list[ImageFile]] = [[], []]
        self.truth = False
        self.report.insert(0, _recognised(layout, self.files))
        if layout.validation:
            self._take_validation(layout.validation)
        else:
            self._hold_out()
        preprocess = Preprocess.of(self.config)
        for files in self.files:
            refuse_small_to_grow(((file.path, file.header.size) for file in files), self.config)
            sizes = [preprocess.example_size(file.header.size) for file in files]
            refuse_mixed_sizes(files, sizes, self.config.batch_size)
        self.channels = self._channels()
        names, lines = layout.naming(self.config)
        self.settings = {"channels": self.channels} | names
        self.report += lines
        self.report += transparency_lines(self.files)
        self.plan_cache(memory_needed(self.files, self.held_out, self.channels, preprocess))

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. For training as many examples as the larger collection has."""
        preprocess = Preprocess.of(self.config, resolution)
        still = preprocess.for_validation()
        train = UnpairedExamples(*self._sources(self.files, preprocess), truth=False)
        validation = UnpairedExamples(*self._sources(self.held_out, still), truth=self.truth)
        return train, validation if all(self.held_out) else None

    def _sources(
        self, both: list[list[ImageFile]], preprocess: Preprocess
    ) -> tuple[ImageReader, ImageReader]:
        a, b = (
            ImageReader(files, ReadSpec(channels, preprocess, self.cached, self.strict))
            for files, channels in zip(both, self.channels, strict=True)
        )
        return a, b

    # -- looking at the folders ----------------------------------------------------------

    def _files(self, collection: Collection) -> list[ImageFile]:
        files, lines = scan(collection, strict=self.strict, expected=UNPAIRED_EXAMPLE)
        self.report += lines
        return files

    def _take_validation(self, folders: tuple[Path, ...]) -> None:
        """Read the validation folders; the same names and sizes in both mean the same scenes."""
        a, b = (collect(folder) for folder in folders)
        if not a.images or not b.images:
            self.report.append(f"{(b if a.images else a).folder} is empty: nothing to validate on")
            return
        self.held_out = [self._files(a), self._files(b)]
        by_name = [
            {each.key(f.path): f for f in files} for each, files in zip((a, b), self.held_out, strict=True)
        ]
        same_names = by_name[0].keys() == by_name[1].keys()
        self.truth = same_names and all(
            f.header.size == by_name[1][k].header.size for k, f in by_name[0].items()
        )
        numbers = [counted(len(files), "image") for files in self.held_out]
        count = f"{numbers[0]} from {a.folder}, {numbers[1]} from {b.folder}"
        if self.truth:
            self.held_out = [list(by_name[0].values()), [by_name[1][key] for key in by_name[0]]]
            self.report.append(
                f"validation: {count}; same names, so the same scenes: scored against each other"
            )
        else:
            self.report.append(f"validation: {count}; other names, so other scenes: shown, not scored")

    def _hold_out(self) -> None:
        split = split_each(self.files, self.config)
        if split is None:
            self.report.append(TOO_FEW)
            return
        self.files, self.held_out = split
        self.report.append(
            f"no val or test folders: {len(self.held_out[0])} of A and {len(self.held_out[1])} of B held out "
            "for validation, shown but not scored (--holdout 0 to train on all)"
        )

    def _channels(self) -> tuple[int, int]:
        wanted = self.config.channels
        if wanted is not None and len(wanted) > 2:
            raise UserError(f"--channels {','.join(map(str, wanted))}: expected one number, or two: A,B")
        a, b = (train + held_out for train, held_out in zip(self.files, self.held_out, strict=True))
        return (
            count_channels(a, wanted[0] if wanted else None),
            count_channels(b, wanted[-1] if wanted else None),
        )


class UnpairedExamples(Examples):
    """One image of each collection: "A" and "B" (C, H, W) in [-1, 1], and "truth" if they show one scene."""

    def __init__(self, a: ImageReader, b: ImageReader, *, truth: bool) -> None:
        self.a = a
        self.b = b
        self.truth = truth

    def __len__(self) -> int:
        return max(len(self.a.files), len(self.b.files))

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The index walks the larger collection; `rng` draws the partner, None takes the same place."""
        number_a, number_b = len(self.a.files), len(self.b.files)
        index_a, index_b = index % number_a, index % number_b
        if rng is not None:
            drawn = int(rng.integers(min(number_a, number_b)))
            index_a, index_b = (index_a, drawn) if number_a >= number_b else (drawn, index_b)
        example = {"A": self.a.example(index_a, rng), "B": self.b.example(index_b, rng)}
        return example | {"truth": torch.tensor(True)} if self.truth else example


def _recognised(layout: Layout, files: list[list[ImageFile]]) -> str:
    sides = (
        f"{name} in {folder}: {counted(len(each), 'image')}" for name, folder, each in _zip(layout, files)
    )
    return "two collections: " + ", ".join(sides)


def _zip(layout: Layout, files: list[list[ImageFile]]) -> list[tuple[str, Path, list[ImageFile]]]:
    return list(zip("AB", layout.train, files, strict=True))
