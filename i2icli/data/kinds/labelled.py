"""Images with labels, of one data set or of several that are learned jointly: for StarGAN."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.images import refuse_mixed_sizes
from i2icli.data.kinds.label_folders import find_labels
from i2icli.data.kinds.label_sets import FoundLabels, Labelled, Wishes
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ReadSpec, common_channels, decoded_bytes, transparency_lines
from i2icli.errors import UserError
from i2icli.fields import completed
from i2icli.image import Pixels, to_tensor


@runtime_checkable
class LabelConfig(Wishes, Protocol):
    """Settings of a system that learns labels."""

    @property
    def centred(self) -> bool:
        """Whether training images are cut from the middle instead of anywhere."""


class LabelledImages(DataFolder):
    """Folders of images with an attribute file, or with a folder per domain; each is a label set.

    Examples: "label_0" (L,) of 0 and 1 and "image_0" (C, H, W) in [-1, 1] of the first set, "label_1"
    and "image_1" of the second, ... Validation examples of domains with the same things carry
    "truth_0" (L, C, H, W): the image in every domain.
    """

    def look(self, folders: Sequence[Path]) -> None:
        """See `DataFolder.look`."""
        config = self.config
        if not isinstance(config, LabelConfig):
            raise TypeError(f"{type(config).__name__} has no settings for labels")
        if config.batch_size == 1:
            raise UserError(
                "--batch-size 1: images are translated to the labels of others in the batch; use 2 or more"
            )
        self.centred = config.centred
        preprocess = self._framing()
        self.sets = find_labels(folders, config, strict=self.strict)
        self.report = [line for found in self.sets for line in found.report]
        files = [[each.file for each in found.train + found.validation] for found in self.sets]
        for found in self.sets:
            train = [each.file for each in found.train]
            sizes = [preprocess.example_size(file.header.size) for file in train]
            refuse_mixed_sizes(train, sizes, config.batch_size)
        self.channels = common_channels(files, config.channels)
        self.settings = {"channels": (self.channels,)} | self._labels()
        completed(config, self.settings)
        self.report += transparency_lines(files)
        self.plan_cache(sum(decoded_bytes(each, self.channels, preprocess) for each in files))

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. To train on as many examples as the largest set has; validation examples
        are None unless every set has some.
        """
        preprocess = self._framing(resolution)
        still = preprocess.for_validation()
        train = LabelledExamples([self._source(found.train, preprocess) for found in self.sets])
        if not all(found.validation for found in self.sets):
            return train, None
        return train, LabelledExamples([self._validation_source(found, still) for found in self.sets])

    def _framing(self, resolution: int | None = None) -> Preprocess:
        return replace(Preprocess.of(self.config, resolution), centred=self.centred)

    def _source(self, images: list[Labelled], preprocess: Preprocess) -> "LabelledSource":
        return LabelledSource([[each] for each in images], self._reading(preprocess))

    def _validation_source(self, found: FoundLabels, preprocess: Preprocess) -> "LabelledSource":
        if not found.same_things:
            return self._source(found.validation, preprocess)
        number = len(found.names)
        groups = [
            found.validation[first : first + number] for first in range(0, len(found.validation), number)
        ]
        return LabelledSource(groups, self._reading(preprocess))

    def _reading(self, preprocess: Preprocess) -> ReadSpec:
        return ReadSpec(self.channels, preprocess, self.cached, self.strict)

    def _labels(self) -> dict[str, Any]:
        """The settings that name the labels."""
        names = {
            kind: tuple(name for found in self.sets if found.kind == kind for name in found.names)
            for kind in ("attributes", "domains")
        }
        sets = tuple(f"{found.kind}:{len(found.names)}" for found in self.sets)
        return names | {"sets": sets if len(sets) > 1 else ()}


class LabelledSource:
    """The prepared images of one label set, by index. Images that show one thing come in groups."""

    def __init__(self, groups: list[list[Labelled]], reading: ReadSpec) -> None:
        """groups: all of one length."""
        self.groups = groups
        self.size = len(groups[0])
        self.preprocess = reading.preprocess
        self.prepared = reading.prepared
        self.store = reading.store(len(groups), self._load)

    def __len__(self) -> int:
        return len(self.groups) * self.size

    def example(self, index: int, rng: np.random.Generator | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Label (L,), image (C, H, W) cut and flipped by `rng`, and its whole group (L, C, H, W), if any.

        Raises UserError if no image can be read.
        """
        group, place = divmod(index, self.size)
        *pictures, labels = self.store.get(group)
        window = self.preprocess.window(pictures[place].shape[:2], rng)
        images = [to_tensor(window.crop(pixels)) for pixels in pictures]
        label = torch.from_numpy(labels[place].astype(np.float32))  # (L,)
        return label, images[place], torch.stack(images) if self.size > 1 else None

    def _load(self, group: int) -> tuple[Pixels, ...]:
        """The images of a group and their labels (images, L): another group may stand in for a broken one."""
        labels = np.array([each.label for each in self.groups[group]], np.uint8)
        return *(self.prepared(each.file.path) for each in self.groups[group]), labels


class LabelledExamples(Examples):
    """An image and its label of every set; see `LabelledImages`."""

    def __init__(self, sources: list[LabelledSource]) -> None:
        self.sources = sources

    def __len__(self) -> int:
        return max(map(len, self.sources))

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The index walks the largest set; `rng` draws from the smaller ones, None takes the same place."""
        example: Example = {}
        for number, source in enumerate(self.sources):
            place = index % len(source)
            if rng is not None and len(source) < len(self):
                place = int(rng.integers(len(source)))
            label, image, group = source.example(place, rng)
            example[f"label_{number}"], example[f"image_{number}"] = label, image
            if group is not None:
                example[f"truth_{number}"] = group
        return example
