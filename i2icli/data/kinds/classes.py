"""A source collection whose classes are known and an unlabelled target collection: for DTN."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from i2icli.data.describe import aligned_line, counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import ImageSides, two_sides
from i2icli.data.kinds.class_folders import ClassFolders, ClassifiedCollection, recognise_classes
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import (
    ImageReader,
    ReadSpec,
    aligned,
    memory_needed,
    partners,
)
from i2icli.data.sizes import check_sizes, sized
from i2icli.data.validation_split import TOO_FEW, split_line, split_off
from i2icli.errors import UserError
from i2icli.image import FileItem, Pixels
from i2icli.stage import Shape


class ClassesAndTarget(DataFolder):
    """A folder per class as source, and a target.

    Examples: "source" and "target", (C, H, W) in [-1, 1], drawn independently, and "label", the index of
    the source's class (int64). Validation examples of one scene in both domains carry "truth", a true value.
    """

    def __init__(
        self, folders: Sequence[Path], options: DataOptions, *, classes: tuple[str, ...] | None = None
    ) -> None:
        """classes: the expected ones, in the order of their indices; None: as found."""
        super().__init__(options)
        layout = recognise_classes(folders)
        self.classes = _checked_classes(layout.source, classes)
        self.source = self.read_headers(layout.source.collection)
        self.target = self.read_headers(layout.target)
        self.report.insert(0, self._recognised(layout))
        self.labels = self._labels(layout.source, self.source)
        self.truth = False
        self.held_out: list[FileItem] = []
        self.held_out_labels: list[int] = []
        self.shown = self.target  # beside the held-out images of the source
        if layout.target_validation is not None:
            self.shown = self.read_headers(layout.target_validation)
        if layout.source_validation is None:
            self._split_off()
        else:
            self._take_validation(layout, layout.source_validation)
        check_sizes(sized(self.source), sized(self.held_out), options)
        check_sizes(sized(self.target), sized(self.shown), options)
        found = self._found()
        self.settings, self.ports = found.settings | {"classes": self.classes}, found.ports
        self.report += found.report
        train, validation = (self.source, self.target), (self.held_out, self.shown)
        self.plan_cache(memory_needed(train, validation, self.ports, options.preprocess))

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. As many training examples as the larger collection has images, as many
        validation examples as there are images of the source.
        """
        preprocess = self.options.preprocess.at(shape.resolution)
        still = preprocess.for_validation()
        train = ClassExamples(
            self._source_reader(self.source, self.labels, preprocess),
            self._target_reader(self.target, preprocess),
        )
        validation = ClassExamples(
            self._source_reader(self.held_out, self.held_out_labels, still),
            self._target_reader(self.shown, still),
            truth=self.truth,
        )
        return train, validation if self.held_out else None

    def _source_reader(
        self, files: list[FileItem], labels: list[int], preprocess: Preprocess
    ) -> "ClassifiedReader":
        return ClassifiedReader(files, labels, self.read_spec(self.ports[0], preprocess))

    def _target_reader(self, files: list[FileItem], preprocess: Preprocess) -> ImageReader:
        return ImageReader(files, self.read_spec(self.ports[1], preprocess))

    def _labels(self, source: ClassifiedCollection, files: list[FileItem]) -> list[int]:
        return [self.classes.index(source.class_of(file.path)) for file in files]

    def _recognised(self, layout: ClassFolders) -> str:
        more = f" and {len(self.classes) - 4} more" if len(self.classes) > 4 else ""
        return (
            f"source in {layout.source.folder}: {counted(len(self.source), 'image')} of {len(self.classes)} "
            f"classes ({', '.join(self.classes[:4])}{more}); target in {layout.target.folder}: "
            f"{counted(len(self.target), 'image')}, used without labels"
        )

    def _take_validation(self, layout: ClassFolders, source: ClassifiedCollection) -> None:
        """Images of the source to measure, and of the target to show beside them."""
        self.held_out = self.read_headers(source.collection)
        line = f"validation: {counted(len(self.held_out), 'image')} from {source.folder}"
        target = layout.target_validation
        if target is not None and (same := aligned((source.collection, target), (self.held_out, self.shown))):
            self.truth = True
            self.held_out, self.shown = same
            line += f"; {aligned_line(f'file names match those in {target.folder}')}"
        self.held_out_labels = self._labels(source, self.held_out)
        self.report.append(line)

    def _split_off(self) -> None:
        train, validation = split_off(list(zip(self.source, self.labels, strict=True)), self.options)
        if not validation:
            self.report.append(TOO_FEW)
            return
        self.source, self.labels = [file for file, _ in train], [label for _, label in train]
        self.held_out, self.held_out_labels = map(list, zip(*validation, strict=True))
        self.report.append(split_line(f"{counted(len(validation), 'image')} of the source"))

    def _found(self) -> ImageSides:
        """What source and target have. f reads both, so channels are alike, or those of grey and colour."""
        source_files, target_files = self.source + self.held_out, self.target + self.shown
        found = two_sides(source_files, target_files, self.options, ("SOURCE", "TARGET"))
        source, target = found.settings["channels"]
        if source != target and {source, target} != {1, 3}:
            raise UserError(
                f"the source has {counted(source, 'channel')} and the target {target}, but f reads images of "
                "both; expected the same number, or 1 and 3"
            )
        return found


class ClassifiedReader:
    """The prepared images of the source with their labels, by index."""

    def __init__(self, files: Sequence[FileItem], labels: Sequence[int], spec: ReadSpec) -> None:
        self.files = files
        self.labels = labels
        self.spec = spec
        # The label is stored beside the pixels: where an image is broken, another one brings its own.
        self.cache = spec.cache(len(files), self._load)

    def __len__(self) -> int:
        return len(self.files)

    def example(self, index: int, rng: np.random.Generator | None) -> tuple[Tensor, Tensor]:
        """(C, H, W) in [-1, 1], cropped and flipped by `rng`, and its label ().

        Raises UserError if no image can be read.
        """
        pixels, label = self.cache.get(index)
        crop = self.spec.preprocess.window(pixels.shape[:2], rng)
        return self.spec.example(pixels, crop), torch.tensor(int(label.item()))

    def _load(self, index: int) -> tuple[Pixels, Pixels]:
        return self.spec.prepared(self.files[index]), np.array(self.labels[index])


class ClassExamples(Examples):
    """ "source" (C, H, W), its "label" (), "target" (C', H, W), and "truth" if both show one scene."""

    def __init__(self, source: ClassifiedReader, target: ImageReader, *, truth: bool | None = None) -> None:
        """truth: for validation, whether both show the same scenes; None: for training."""
        self.source = source
        self.target = target
        self.truth = truth

    def __len__(self) -> int:
        """The length of the larger collection; for validation that of the source."""
        if self.truth is not None:
            return len(self.source)
        return max(len(self.source), len(self.target))

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The index walks the larger collection; `rng` draws the partner, None takes the same index."""
        of_source, of_target = partners(index, (len(self.source), len(self.target)), rng)
        image, label = self.source.example(of_source, rng)
        example = {"source": image, "label": label, "target": self.target.example(of_target, rng)}
        return example | {"truth": torch.tensor(True)} if self.truth else example


def _checked_classes(source: ClassifiedCollection, expected: tuple[str, ...] | None) -> tuple[str, ...]:
    """The classes as found, or as expected. Raises UserError if these differ."""
    if expected is not None and set(expected) != set(source.classes):
        raise UserError(
            f"{source.folder}: found the classes {', '.join(source.classes)}, but --classes is "
            f"{','.join(expected)}; leave it out or name the same classes"
        )
    return expected or source.classes
