"""Images with labels, of one data set or of several that are learned jointly: for StarGAN."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import one_side
from i2icli.data.kinds.label_folders import find_labels
from i2icli.data.kinds.label_sets import LabelChoice, LabelledImage
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ReadSpec, decoded_bytes
from i2icli.data.sizes import check_sizes, sized
from i2icli.image import Pixels
from i2icli.stage import Shape


class LabelledImages(DataFolder):
    """Folders of images with an attribute file, or with a folder per domain; each is a label set.

    Examples: "label_0" (L,) of 0 and 1 and "image_0" (C, H, W) in [-1, 1] of the first set, "label_1"
    and "image_1" of the second, ... Validation examples of aligned domains carry "truth_0"
    (L, C, H, W): the scene in every domain.
    """

    def __init__(
        self, folders: Sequence[Path], options: DataOptions, choice: LabelChoice, *, centred: bool = False
    ) -> None:
        """choice: the labels to learn; centred: training images are cropped at their centre."""
        super().__init__(options)
        self.preprocess = replace(options.preprocess, centred=centred)
        self.sets = find_labels(folders, choice, options)
        self.report = [line for each in self.sets for line in each.report]
        for each in self.sets:
            train, validation = ([image.file for image in images] for images in (each.train, each.validation))
            check_sizes(sized(train), sized(validation), options)
        files = [image.file for each in self.sets for image in each.train + each.validation]
        found = one_side(files, options)
        self.settings, self.port = found.settings | self._labels(), found.ports[0]
        self.report += found.report
        self.plan_cache(decoded_bytes(files, self.port, self.preprocess))

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. As many training examples as the largest set has images; validation examples
        only if every set has some.
        """
        preprocess = self.preprocess.at(shape.resolution)
        still = preprocess.for_validation()
        train = LabelSetExamples([self._reader(each.train, 1, preprocess) for each in self.sets])
        if not all(each.validation for each in self.sets):
            return train, None
        readers = [
            self._reader(each.validation, len(each.names) if each.aligned else 1, still) for each in self.sets
        ]
        return train, LabelSetExamples(readers)

    def _reader(self, images: list[LabelledImage], size: int, preprocess: Preprocess) -> "LabelSetReader":
        """size: of the groups of consecutive images that show one scene."""
        groups = [images[first : first + size] for first in range(0, len(images), size)]
        return LabelSetReader(groups, self.read_spec(self.port, preprocess))

    def _labels(self) -> dict[str, Any]:
        """The settings that name the labels."""
        names = {
            kind: tuple(name for each in self.sets if each.kind == kind for name in each.names)
            for kind in ("attributes", "domains")
        }
        sets = tuple(f"{each.kind}:{len(each.names)}" for each in self.sets)
        return names | {"sets": sets if len(sets) > 1 else ()}


class LabelSetReader:
    """The prepared images of one label set, by index. Images of one scene form a group."""

    def __init__(self, groups: list[list[LabelledImage]], spec: ReadSpec) -> None:
        """groups: all of one length."""
        self.groups = groups
        self.size = len(groups[0])
        self.spec = spec
        self.cache = spec.cache(len(groups), self._load)

    def __len__(self) -> int:
        return len(self.groups) * self.size

    def example(self, index: int, rng: np.random.Generator | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Label (L,), image (C, H, W) cropped and flipped by `rng`, and its whole group (L, C, H, W), if any.

        Raises UserError if no image can be read.
        """
        group, member = divmod(index, self.size)
        *pixels, labels = self.cache.get(group)
        crop = self.spec.preprocess.window(pixels[member].shape[:2], rng)
        images = [self.spec.example(each, crop) for each in pixels]
        label = torch.from_numpy(labels[member].astype(np.float32))  # (L,)
        return label, images[member], torch.stack(images) if self.size > 1 else None

    def _load(self, group: int) -> tuple[Pixels, ...]:
        """The images of a group and their labels (images, L), as another group may replace a broken one."""
        labels = np.array([each.label for each in self.groups[group]], np.uint8)
        return *(self.spec.prepared(each.file) for each in self.groups[group]), labels


class LabelSetExamples(Examples):
    """An image and its label of every set; see `LabelledImages`."""

    def __init__(self, readers: list[LabelSetReader]) -> None:
        self.readers = readers

    def __len__(self) -> int:
        return max(map(len, self.readers))

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The index walks the largest set; `rng` draws from the smaller ones, None takes the same index."""
        example: Example = {}
        for number, reader in enumerate(self.readers):
            own = index % len(reader)
            if rng is not None and len(reader) < len(self):
                own = int(rng.integers(len(reader)))
            label, image, group = reader.example(own, rng)
            example[f"label_{number}"], example[f"image_{number}"] = label, image
            if group is not None:
                example[f"truth_{number}"] = group
        return example
