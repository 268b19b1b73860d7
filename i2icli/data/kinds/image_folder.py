"""Images alone, with or without classes: for systems that generate images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import one_hot

from i2icli.data.describe import counted, sizes_of
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import one_side
from i2icli.data.kinds.label_sets import splits
from i2icli.data.layouts import only_folder
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ImageReader, memory_needed
from i2icli.data.sizes import refuse_other_sizes, refuse_small_images, sized
from i2icli.data.validation_split import split_line, split_off
from i2icli.errors import UserError
from i2icli.image import FileItem
from i2icli.image.finding import Collection, check_folder, collect, holds_images, listing, subfolders
from i2icli.stage import Shape

IMAGES_EXAMPLE = "images, in subfolders or not, with val/ or test/ beside train/ if split"
CLASSES_EXAMPLE = "a folder per class, such as cat/ dog/, in train/ and test/ if split"

_Found = tuple[tuple[str, ...], list[Collection], list[Collection]]
"""Classes, collections of the training images, collections of the validation images."""


class ImageFolder(DataFolder):
    """All images below one or more folders; if `conditional` each folder in them is a class.

    Examples: "image", (C, H, W) in [-1, 1]; with classes "label", (L,) one-hot; with `num_latents`
    "codes", (2, Z), drawn from N(0, 1): as part of the example, noise does not depend on how batches
    are divided.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        conditional: bool = False,
        num_latents: int = 0,
    ) -> None:
        super().__init__(options)
        self.num_latents = num_latents
        self.classes, train, validation = _recognised(folders, conditional)
        expected = CLASSES_EXAMPLE if self.classes else IMAGES_EXAMPLE
        self.files = [self.read_headers(each, expected) for each in train]
        self.held_out: list[list[FileItem]] = [[] for _ in train]
        self.report.insert(0, self._counts())
        if any(each.images for each in validation):
            self.held_out = [self.read_headers(each, expected) if each.images else [] for each in validation]
            self.report.append(f"validation: {counted(sum(map(len, self.held_out)), 'image')}")
        elif options.validation_fraction:
            self._split_off()
        everything = [file for files in (*self.files, *self.held_out) for file in files]
        refuse_small_images(sized(everything), options.preprocess.crop_size)
        refuse_other_sizes(sized(everything), options.preprocess)
        found = one_side(everything, options)
        self.settings, self.port = found.settings, found.ports[0]
        if self.classes:
            self.settings["classes"] = self.classes
        self.report += found.report
        ports = [self.port] * len(self.files)
        self.plan_cache(memory_needed(self.files, self.held_out, ports, options.preprocess))

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        preprocess = self.options.preprocess.at(shape.resolution)
        labels = bool(self.classes)
        train = FolderExamples(self._readers(self.files, preprocess), labels, self.num_latents)
        still = self._readers(self.held_out, preprocess.for_validation())
        return train, FolderExamples(still, labels, self.num_latents) if any(self.held_out) else None

    def _readers(self, groups: list[list[FileItem]], preprocess: Preprocess) -> list[ImageReader]:
        spec = self.read_spec(self.port, preprocess)
        return [ImageReader(files, spec) for files in groups]

    def _counts(self) -> str:
        total = counted(sum(map(len, self.files)), "training image")
        if not self.classes:
            return total
        return f"{total} of {counted(len(self.classes), 'class')}: {sizes_of(self.classes, self.files)}"

    def _split_off(self) -> None:
        split = [split_off(files, self.options) for files in self.files]
        self.files = [train for train, _ in split]
        self.held_out = [validation for _, validation in split]
        number = sum(map(len, self.held_out))
        if number:
            self.report.append(split_line(counted(number, "image")))


class FolderExamples(Examples):
    """The images of several readers one after the other; with `labels` the reader's index is the class."""

    def __init__(self, readers: list[ImageReader], labels: bool, num_latents: int) -> None:
        """num_latents: numbers in the codes that come with an image; 0: none."""
        self.readers = readers
        self.labels = labels
        self.num_latents = num_latents
        self.ends = np.cumsum([len(reader) for reader in readers])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The image with that index; without `rng` its codes follow from the index."""
        number = int(np.searchsorted(self.ends, index, side="right"))
        reader = self.readers[number]
        example = {"image": reader.example(index - int(self.ends[number]) + len(reader), rng)}
        if self.labels:
            example["label"] = one_hot(torch.tensor(number), len(self.readers)).float()  # (L,)
        if self.num_latents:
            draw = rng or np.random.default_rng(index)
            example["codes"] = torch.from_numpy(draw.standard_normal((2, self.num_latents), np.float32))
        return example


def _recognised(folders: Sequence[Path], conditional: bool) -> _Found:
    """One collection for each class, else for each folder."""
    for folder in folders:
        check_folder(folder)
    parts = [splits(folder) for folder in folders]
    if not conditional:
        train = [collect(first) for first, *_ in parts]
        return (), train, [collect(each) for _, *rest in parts for each in rest]
    if len(folders) == 1:
        classes = _class_folders(parts[0][0])
        held_out = _class_folders(parts[0][1]) if parts[0][1:] else {}
    else:
        named = {folder.resolve().name: own for folder, own in zip(folders, parts, strict=True)}
        classes = {name: own[0] for name, own in named.items()}
        held_out = {name: own[1] for name, own in named.items() if own[1:]}
    return _classes(folders, classes, held_out)


def _class_folders(folder: Path) -> dict[str, Path]:
    """The folders of the classes by name."""
    inside = subfolders(folder)
    if holds_images(folder):
        raise UserError(f"{folder}: found images directly in it; expected {CLASSES_EXAMPLE}")
    if (only := only_folder(inside)) and len(subfolders(only)) > 1:
        return _class_folders(only)
    return {path.name: path for path in inside.values()}


def _classes(folders: Sequence[Path], train: dict[str, Path], validation: dict[str, Path]) -> _Found:
    if len(train) < 2 or (len(folders) > 1 and len(train) < len(folders)):
        found = listing(folders[0]) if len(folders) == 1 else ", ".join(map(str, folders))
        raise UserError(f"{folders[0]}: found {found}; expected {CLASSES_EXAMPLE}")
    unknown = [name for name in validation if name not in train]
    if unknown:
        raise UserError(
            f"{validation[unknown[0]]}: {unknown[0]} is not a class of the training images "
            f"({', '.join(train)}); expected the same folders"
        )
    held_out = [
        collect(validation[name]) if name in validation else Collection(path, (), ())
        for name, path in train.items()
    ]
    return tuple(train), [collect(path) for path in train.values()], held_out
