"""Photos and their label maps, with instance maps where there are any."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2icli.classes import LabelClass, LabelSet
from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.label_scenes import Scene, scenes_of
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ReadSpec, one_side
from i2icli.data.validation_split import TOO_FEW, split_line, split_off
from i2icli.image import Pixels
from i2icli.image.class_indices import occurrences
from i2icli.image.kinds import decode, prepare
from i2icli.task import Port


class LabelMaps(DataFolder):
    """Folders of label maps and photos, and of instance maps.

    Examples: "labels" (1, H, W) int64, indices of classes, "image" (C, H, W) in [-1, 1] and, if there are
    instance maps and they are wanted, "instances" (1, H, W) int64; all cropped and flipped alike.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        labels: LabelSet | None = None,
        ignored: Sequence[str] = (),
        instances: bool | None = None,
    ) -> None:
        """labels: the classes if they are known, else they are found; ignored: ids or names of classes that
        mean unlabelled; instances: whether to read instance maps, None: if there are any.
        """
        super().__init__(options)
        self.scenes, self.held_out = split_off(scenes_of(folders, strict=options.strict), options)
        everything = self.scenes + self.held_out
        self.instances = instances is not False and all(scene.instances for scene in everything)
        number = counted(len(self.held_out), "pair")
        self.report.append(split_line(number) if self.held_out else TOO_FEW)
        found = {number for scene in everything for number in occurrences(scene.labels.read_map().ids)}
        if labels is None:
            ids = sorted(number for number in found if number not in (255, 65535))
            labels = LabelSet(tuple(LabelClass(number, f"class {number}") for number in ids))
        self.labels = LabelSet(labels.classes, labels.ignored, bool(found & set(labels.ignored)))
        self.settings = one_side([scene.image for scene in everything], options.channels)
        self.settings |= {
            "classes": self.labels.classes,
            "dont_care": self.labels.dont_care,
            "instances": self.instances,
        }

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        preprocess = self.options.preprocess.at(resolution)
        train = self._label_examples(self.scenes, preprocess)
        validation = self._label_examples(self.held_out, preprocess.for_validation())
        return train, validation if self.held_out else None

    def _label_examples(self, scenes: list[Scene], preprocess: Preprocess) -> "LabelExamples":
        ports = {
            "labels": Port(self.labels.count, "labels", labels=self.labels),
            "image": Port(self.settings["channels"][0]),
        }
        if self.instances:
            ports["instances"] = Port(1, "instances")
        specs = {name: self.read_spec(port, preprocess) for name, port in ports.items()}
        return LabelExamples(scenes, specs)


class LabelExamples(Examples):
    """Scenes as tensors: "labels", "image" and perhaps "instances"."""

    def __init__(self, scenes: list[Scene], specs: dict[str, ReadSpec]) -> None:
        self.scenes = scenes
        self.specs = specs
        self.preprocess = specs["image"].preprocess
        self.cache = specs["image"].cache(len(scenes), self._load)

    def __len__(self) -> int:
        return len(self.scenes)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """One scene, its maps cropped and flipped as its photo. Raises UserError if none can be read."""
        prepared = self.cache.get(index)
        crop = self.preprocess.window(prepared[0].shape[:2], rng)
        return {
            name: spec.example(pixels, crop)
            for (name, spec), pixels in zip(self.specs.items(), prepared, strict=True)
        }

    def _load(self, index: int) -> tuple[Pixels, ...]:
        """Labels, image and perhaps instances, prepared: (h, w, C) of one size."""
        scene = self.scenes[index]
        size = self.preprocess.prepared_size(scene.image.header().size)
        found = []
        for name, spec in self.specs.items():
            item = getattr(scene, name)
            found.append(prepare(decode(item, spec.port), spec.port, size))
        return tuple(found)
