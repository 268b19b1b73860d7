"""Images alone, with or without classes: for systems that make pictures out of nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch.nn.functional import one_hot

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.images import ImageFile, refuse_mixed_sizes
from i2icli.data.kinds.label_sets import splits
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import (
    ImageReader,
    ReadSpec,
    common_channels,
    memory_needed,
    scan,
    transparency_lines,
)
from i2icli.data.validation_split import split_off
from i2icli.errors import UserError
from i2icli.image.finding import Collection, check_folder, collect, holds_images, listing, subfolders

IMAGES_EXAMPLE = "images, in folders or not, and those of val/ or test/ beside train/ if divided"
CLASSES_EXAMPLE = "a folder per class, such as cat/ dog/, in train/ and test/ if divided"


@runtime_checkable
class Classified(Protocol):
    """Settings of a system that may learn classes."""

    @property
    def conditional(self) -> bool: ...

    @property
    def classes(self) -> tuple[str, ...]: ...


@runtime_checkable
class Coded(Protocol):
    """Settings of a system that makes images from latent codes."""

    @property
    def num_latents(self) -> int: ...


class ImageFolder(DataFolder):
    """All images below one or more folders; with `conditional` each folder in them is a class.

    Examples: "image", (C, H, W) in [-1, 1]; where classes are learned "label", (L,), 1 for its class, else
    0; for systems with `num_latents` "codes", (2, Z), drawn from N(0, 1): noise that belongs to an image is
    the same however batches are divided.
    """

    def look(self, folders: Sequence[Path]) -> None:
        """See `DataFolder.look`."""
        self.classes, train, validation = self._recognised(folders)
        self.files = [self._files(collection) for collection in train]
        self.held_out: list[list[ImageFile]] = [[] for _ in train]
        self.report.insert(0, self._counts())
        if any(collection.images for collection in validation):
            self.held_out = [self._files(each) if each.images else [] for each in validation]
            self.report.append(f"validation: {counted(sum(map(len, self.held_out)), 'image')}")
        else:
            self._hold_out()
        everything = [file for files in (*self.files, *self.held_out) for file in files]
        preprocess = Preprocess.of(self.config)
        refuse_small(everything, self.config.crop_size)
        sizes = [preprocess.example_size(file.header.size) for file in everything]
        refuse_mixed_sizes(everything, sizes, batch_size=2)  # stages have batches of their own
        self.channels = common_channels([everything], self.config.channels)
        self.settings = {"channels": (self.channels,)}
        if self.classes:
            self.settings["classes"] = self.classes
        self.report += transparency_lines([everything])
        channels = [self.channels] * len(self.files)
        self.plan_cache(memory_needed(self.files, self.held_out, channels, preprocess))

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        preprocess = Preprocess.of(self.config, resolution)
        still = preprocess.for_validation()
        labels = bool(self.classes)
        latents = self.config.num_latents if isinstance(self.config, Coded) else 0
        train = LabelledExamples(self._sources(self.files, preprocess), labels, latents)
        validation = LabelledExamples(self._sources(self.held_out, still), labels, latents)
        return train, validation if any(self.held_out) else None

    def _sources(self, groups: list[list[ImageFile]], preprocess: Preprocess) -> list[ImageReader]:
        reading = ReadSpec(self.channels, preprocess, self.cached, self.strict)
        return [ImageReader(files, reading) for files in groups]

    # -- looking at the folders ----------------------------------------------------------

    def _recognised(
        self, folders: Sequence[Path]
    ) -> tuple[tuple[str, ...], list[Collection], list[Collection]]:
        """(classes, training collections, those set aside): one for each class, else for each folder."""
        for folder in folders:
            check_folder(folder)
        divided = [splits(folder) for folder in folders]
        if not (isinstance(self.config, Classified) and self.config.conditional):
            return (
                (),
                [collect(train) for train, *_ in divided],
                [collect(aside) for _, *rest in divided for aside in rest],
            )
        if len(folders) > 1:
            train = {folder.resolve().name: parts[0] for folder, parts in zip(folders, divided, strict=True)}
            aside = {folder.resolve().name: p[1] for folder, p in zip(folders, divided, strict=True) if p[1:]}
        else:
            train = _class_folders(divided[0][0])
            aside = _class_folders(divided[0][1]) if divided[0][1:] else {}
        return _classes(folders, train, aside)

    def _files(self, collection: Collection) -> list[ImageFile]:
        expected = CLASSES_EXAMPLE if self.classes else IMAGES_EXAMPLE
        files, lines = scan(collection, strict=self.strict, expected=expected)
        self.report += lines
        return files

    def _counts(self) -> str:
        total = counted(sum(map(len, self.files)), "image")
        if not self.classes:
            return f"{total} to learn from"
        each = ", ".join(f"{n} {len(files):,}" for n, files in zip(self.classes, self.files, strict=True))
        return f"{total} of {len(self.classes)} classes to learn from: {each}"

    def _hold_out(self) -> None:
        if not self.config.holdout:
            return
        split = [split_off(files, self.config.holdout, self.config.seed) for files in self.files]
        self.files = [kept for kept, _ in split]
        self.held_out = [held_out for _, held_out in split]
        number = sum(map(len, self.held_out))
        if number:
            self.report.append(
                f"no val or test folder: {counted(number, 'image')} held out (--holdout 0 to train on all)"
            )


class LabelledExamples(Examples):
    """The images of several sources in turn; with `labels` the number of its source is the class of each."""

    def __init__(self, sources: list[ImageReader], labels: bool, latents: int) -> None:
        """latents: numbers in the codes that come with an image; 0: none."""
        self.sources = sources
        self.labels = labels
        self.latents = latents
        self.ends = np.cumsum([len(source) for source in sources])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The image at that place; without chance its codes follow from the place."""
        place = int(np.searchsorted(self.ends, index, side="right"))
        source = self.sources[place]
        example = {"image": source.example(index - int(self.ends[place]) + len(source), rng)}
        if self.labels:
            example["label"] = one_hot(torch.tensor(place), len(self.sources)).float()  # (L,)
        if self.latents:
            draw = rng or np.random.default_rng(index)
            example["codes"] = torch.from_numpy(draw.standard_normal((2, self.latents), np.float32))
        return example


def refuse_small(files: Sequence[ImageFile], size: tuple[int, int]) -> None:
    """Raise UserError if an image is smaller than the size, (height, width), that is to be learned."""
    small = [file for file in files if file.header.size[0] < size[0] or file.header.size[1] < size[1]]
    if not small:
        return
    height, width = small[0].header.size
    shortest = min(min(file.header.size) for file in files)
    fits = 1 << (shortest.bit_length() - 1)
    more = f" and {counted(len(small) - 1, 'other image')} are" if len(small) > 1 else " is"
    raise UserError(
        f"{small[0].path} ({width}x{height} pixels){more} smaller than the {size[1]}x{size[0]} "
        f"to be learned; choose --crop-size {fits}, or take them away"
    )


def _class_folders(folder: Path) -> dict[str, Path]:
    """The folders of the classes by name; archives often hold one folder that holds the rest."""
    inside = {path.name: path for path in subfolders(folder).values()}
    if len(inside) == 1 and not holds_images(folder) and len(subfolders(next(iter(inside.values())))) > 1:
        return _class_folders(next(iter(inside.values())))
    if holds_images(folder):
        raise UserError(f"{folder}: found images directly in it; expected {CLASSES_EXAMPLE}")
    return inside


def _classes(
    folders: Sequence[Path], train: dict[str, Path], aside: dict[str, Path]
) -> tuple[tuple[str, ...], list[Collection], list[Collection]]:
    if len(train) < 2 or (len(folders) > 1 and len(train) < len(folders)):
        found = listing(folders[0]) if len(folders) == 1 else ", ".join(map(str, folders))
        raise UserError(f"{folders[0]}: found {found}; expected {CLASSES_EXAMPLE}")
    unknown = [name for name in aside if name not in train]
    if unknown:
        raise UserError(
            f"{aside[unknown[0]]}: {unknown[0]} is no class that is trained ({', '.join(train)}); "
            "expected the same folders"
        )
    nothing = [Collection(path, (), ()) for path in train.values()]
    validation = [
        collect(aside[name]) if name in aside else none for name, none in zip(train, nothing, strict=True)
    ]
    return tuple(train), [collect(path) for path in train.values()], validation
