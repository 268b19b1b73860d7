"""A source collection whose classes are known and an unlabelled target collection: for DTN."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.images import ImageFile, count_channels, refuse_mixed_sizes
from i2icli.data.kinds.class_folders import ClassFolders, Labelled, recognise_classes
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ImageReader, ReadSpec, memory_needed, scan, transparency_lines
from i2icli.data.validation_split import split_off
from i2icli.errors import UserError
from i2icli.image import Pixels, to_tensor
from i2icli.image.finding import Collection


@runtime_checkable
class Classified(Protocol):
    """Settings that name the classes of the source, in the order of their numbers."""

    @property
    def classes(self) -> tuple[str, ...] | None: ...


class ClassesAndTarget(DataFolder):
    """A folder per class as source, and a target.

    Examples: "source" and "target", (C, H, W) in [-1, 1], drawn independently, and "label", the number of
    the source's class (int64). Validation examples of one thing in both looks carry "truth", a true value.
    """

    def look(self, folders: Sequence[Path]) -> None:
        """See `DataFolder.look`."""
        layout = recognise_classes(folders)
        self.classes = self._classes(layout.source)
        self.source = self._files(layout.source.collection)
        self.target = self._files(layout.target)
        self.report.insert(0, self._recognised(layout))
        self.labels = self._labels(layout.source, self.source)
        self._take_validation(layout)
        preprocess = Preprocess.of(self.config)
        for files in (self.source, self.target):
            sizes = [preprocess.example_size(file.header.size) for file in files]
            refuse_mixed_sizes(files, sizes, self.config.batch_size)
        self.channels = self._channels()
        self.settings = {"channels": self.channels, "classes": self.classes}
        self.report += transparency_lines((self.source, self.target))
        held_out = (self.held_out, self.shown)
        self.plan_cache(memory_needed((self.source, self.target), held_out, self.channels, preprocess))

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. To train on as many examples as the larger collection has, for validation
        as many as there are source images.
        """
        preprocess = Preprocess.of(self.config, resolution)
        still = preprocess.for_validation()
        train = ClassExamples(
            self._labelled(self.source, self.labels, preprocess), self._plain(self.target, preprocess)
        )
        held_out = ClassExamples(
            self._labelled(self.held_out, self.held_out_labels, still),
            self._plain(self.shown, still),
            truth=self.truth,
        )
        return train, held_out if self.held_out else None

    def _labelled(
        self, files: list[ImageFile], labels: list[int], preprocess: Preprocess
    ) -> "LabelledSource":
        return LabelledSource(files, labels, ReadSpec(self.channels[0], preprocess, self.cached, self.strict))

    def _plain(self, files: list[ImageFile], preprocess: Preprocess) -> ImageReader:
        return ImageReader(files, ReadSpec(self.channels[1], preprocess, self.cached, self.strict))

    # -- looking at the folders ----------------------------------------------------------

    def _files(self, collection: Collection) -> list[ImageFile]:
        files, lines = scan(collection, strict=self.strict)
        self.report += lines
        return files

    def _classes(self, source: Labelled) -> tuple[str, ...]:
        """The classes as found, or as the settings order them. Raises UserError if these name others."""
        wanted = self.config.classes if isinstance(self.config, Classified) else None
        if wanted is None:
            return source.classes
        if set(wanted) != set(source.classes):
            raise UserError(
                f"{source.folder}: found the classes {', '.join(source.classes)}, but --classes is "
                f"{','.join(wanted)}; leave it out or name the same"
            )
        return wanted

    def _labels(self, source: Labelled, files: list[ImageFile]) -> list[int]:
        return [self.classes.index(source.class_of(file.path)) for file in files]

    def _recognised(self, layout: ClassFolders) -> str:
        more = f" and {len(self.classes) - 4} more" if len(self.classes) > 4 else ""
        return (
            f"source in {layout.source.folder}: {counted(len(self.source), 'image')} of {len(self.classes)} "
            f"classes ({', '.join(self.classes[:4])}{more}); target in {layout.target.folder}: "
            f"{counted(len(self.target), 'image')}, taken without labels"
        )

    def _take_validation(self, layout: ClassFolders) -> None:
        """Source images to measure on, and target images to show beside them."""
        self.truth = False
        self.shown = self.target
        if layout.target_validation is not None:
            self.shown = self._files(layout.target_validation)
        if layout.source_validation is None:
            self._hold_out()
            return
        aside = layout.source_validation
        self.held_out = self._files(aside.collection)
        line = f"validation: {counted(len(self.held_out), 'image')} from {aside.folder}"
        there = layout.target_validation
        if there is not None and self._paired(aside.collection, there):
            self.truth = True
            line += f"; {there.folder} has the same names, so the same things: scored against them"
        self.held_out_labels = self._labels(aside, self.held_out)
        self.report.append(line)

    def _paired(self, source: Collection, target: Collection) -> bool:
        """Whether names and sizes agree; if so, the target is put into the order of the source."""
        by_name = {target.key(file.path): file for file in self.shown}
        names = [source.key(file.path) for file in self.held_out]
        if set(names) != by_name.keys():
            return False
        pairs = [(file, by_name[name]) for file, name in zip(self.held_out, names, strict=True)]
        if any(here.header.size != there.header.size for here, there in pairs):
            return False
        self.shown = [there for _, there in pairs]
        return True

    def _hold_out(self) -> None:
        both = list(zip(self.source, self.labels, strict=True))
        kept, held_out = split_off(both, self.config.holdout, self.config.seed)
        self.held_out = [file for file, _ in held_out]
        self.held_out_labels = [label for _, label in held_out]
        if not held_out:
            self.report.append(
                "no val or test folder, and too few images to hold some out: nothing to validate on"
            )
            return
        self.source, self.labels = [file for file, _ in kept], [label for _, label in kept]
        self.report.append(
            f"no val or test folder: {len(held_out)} source images held out for validation "
            "(--holdout 0 to train on all)"
        )

    def _channels(self) -> tuple[int, int]:
        """Of source and target. f reads both, so they are alike, or grey and colours."""
        wanted = self.config.channels
        if wanted is not None and len(wanted) > 2:
            raise UserError(
                f"--channels {','.join(map(str, wanted))}: expected one number, or two: SOURCE,TARGET"
            )
        source = count_channels([*self.source, *self.held_out], wanted[0] if wanted else None)
        target = count_channels([*self.target, *self.shown], wanted[-1] if wanted else None)
        if source != target and {source, target} != {1, 3}:
            raise UserError(
                f"the source has {source} channels and the target {target}, but f reads images of both; "
                "expected as many in both, or 1 and 3"
            )
        return source, target


class LabelledSource:
    """The prepared images of the source with their labels, by index."""

    def __init__(self, files: Sequence[ImageFile], labels: Sequence[int], reading: ReadSpec) -> None:
        self.files = files
        self.labels = labels
        self.preprocess = reading.preprocess
        self.prepared = reading.prepared
        # The label is stored beside the pixels: where an image is broken, another one with its own comes.
        self.store = reading.store(len(files), self._load)

    def __len__(self) -> int:
        return len(self.files)

    def example(self, index: int, rng: np.random.Generator | None) -> tuple[Tensor, Tensor]:
        """(C, H, W) in [-1, 1], cut and flipped by `rng`, and its label ().

        Raises UserError if none can be read.
        """
        pixels, label = self.store.get(index)
        return to_tensor(self.preprocess.window(pixels.shape[:2], rng).crop(pixels)), torch.tensor(
            int(label.item())
        )

    def _load(self, index: int) -> tuple[Pixels, Pixels]:
        return self.prepared(self.files[index].path), np.array(self.labels[index])


class ClassExamples(Examples):
    """ "source" (C, H, W), its "label" (), "target" (C', H, W), and "truth" if both show one thing."""

    def __init__(self, source: LabelledSource, target: ImageReader, *, truth: bool | None = None) -> None:
        self.source = source
        self.target = target
        self.truth = truth

    def __len__(self) -> int:
        """The larger collection's length; for validation (`truth` is not None) the source's."""
        if self.truth is not None:
            return len(self.source)
        return max(len(self.source), len(self.target))

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The index walks the larger collection; `rng` draws the partner, None takes the same place."""
        here, there = len(self.source), len(self.target)
        of_source, of_target = index % here, index % there
        if rng is not None:
            drawn = int(rng.integers(min(here, there)))
            of_source, of_target = (of_source, drawn) if here >= there else (drawn, of_target)
        image, label = self.source.example(of_source, rng)
        example = {"source": image, "label": label, "target": self.target.example(of_target, rng)}
        return example | {"truth": torch.tensor(True)} if self.truth else example
