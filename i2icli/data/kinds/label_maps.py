"""Photos and their label maps, with instance maps where there are any."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2icli.classes import LabelSet
from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import one_side
from i2icli.data.labels.label_sets import labels_of
from i2icli.data.labels.layouts import recognise_labels
from i2icli.data.labels.pairs import label_pairs
from i2icli.data.labels.parts import LabelLayout
from i2icli.data.labels.scenes import Scene, find_scenes, with_instances
from i2icli.data.labels.survey import Surveyed, survey
from i2icli.data.labels.usage import size_lines
from i2icli.data.options import DataOptions
from i2icli.data.pairing.pair import AS_FOUND, PairChoice
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ReadSpec
from i2icli.data.sizes import check_sizes
from i2icli.data.validation_split import TOO_FEW, split_line, split_off
from i2icli.errors import UserError
from i2icli.image import Pixels
from i2icli.image.kinds import decode, pixel_bytes, prepare
from i2icli.stage import Shape
from i2icli.task import Port

_LONG = 5  # seconds: a survey that took longer is reported


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
        choice: PairChoice = AS_FOUND,
    ) -> None:
        """labels: the classes if they are known; ignored: ids or names of classes that mean unlabelled, if
        the classes are to be found; instances: whether to read instance maps, None: if there are any;
        choice: how label maps and photos are paired.
        """
        super().__init__(options)
        self.layout = recognise_labels(folders, choice)
        parts = self._find_scenes(self.layout)
        use, parts, lines = with_instances(*parts, instances)
        self.report += lines
        everything = [scene for part in parts for scene in part]
        train, held_out = ([(scene.image.name, scene.size) for scene in part] for part in parts)
        check_sizes(train, held_out, options)
        photos = one_side([scene.image for scene in everything], options)
        self.settings = photos.settings | label_pairs(self.layout, everything) | {"instances": use}
        self.port = photos.ports[1]
        self.report += photos.report
        self.plan_cache(self._memory_needed(parts))
        surveyed = self._survey(parts)
        alone = len(folders) == 1 and folders[0].is_dir()  # else several, or a list
        top = folders[0] if alone else self.layout.train.labels.folder.parent
        maps = [[each.map for each in part] for part in surveyed]
        self.labels, found, lines = labels_of(self.layout.train.labels, top, labels, ignored, *maps)
        self.settings |= found
        self.report += lines
        self.scenes, self.held_out = ([each.indexed(self.labels) for each in part] for part in surveyed)

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        preprocess = self.options.preprocess.at(shape.resolution)
        train = self._label_examples(self.scenes, preprocess)
        validation = self._label_examples(self.held_out, preprocess.for_validation())
        return train, validation if self.held_out else None

    def _label_examples(self, scenes: list[Surveyed], preprocess: Preprocess) -> "LabelExamples":
        specs = {name: self.read_spec(port, preprocess) for name, port in self._ports().items()}
        return LabelExamples(scenes, specs)

    def _ports(self) -> dict[str, Port]:
        ports = {
            "labels": Port(self.labels.count, "labels", labels=self.labels),
            "image": self.port,
        }
        return ports | ({"instances": Port(1, "instances")} if self.settings["instances"] else {})

    # -- opening, in this order ----------------------------------------------------------

    def _find_scenes(self, layout: LabelLayout) -> tuple[list[Scene], list[Scene]]:
        """The scenes to train on and those for validation."""
        strict, reading = self.options.strict, self.options.reading
        scenes, skipped = find_scenes(layout.train, strict=strict, reading=reading)
        self.report += [f"{layout.train}: {counted(len(scenes), 'pair')}", *skipped]
        if layout.validation is not None:
            held_out, skipped = find_scenes(layout.validation, strict=strict, reading=reading)
            self.report += [f"validation: {counted(len(held_out), 'pair')}, {layout.validation}", *skipped]
            return scenes, held_out
        scenes, held_out = split_off(scenes, self.options)
        self.report.append(split_line(counted(len(held_out), "pair")) if held_out else TOO_FEW)
        return scenes, held_out

    def _memory_needed(self, parts: Sequence[Sequence[Scene]]) -> int:
        """Bytes of the prepared examples: one for a label, four for an instance."""
        total, preprocess = 0, self.options.preprocess
        for scenes, how in zip(parts, (preprocess, preprocess.for_validation()), strict=True):
            for scene in scenes:
                height, width = how.prepared_size(scene.size)
                photo = pixel_bytes(self.port, scene.image.header().dtype)
                total += height * width * (1 + photo + 4 * self.settings["instances"])
        return total

    def _survey(self, parts: Sequence[list[Scene]]) -> tuple[list[Surveyed], list[Surveyed]]:
        """What the label maps hold; those that cannot be read are skipped."""
        start, strict = time.monotonic(), self.options.strict
        train, still = self.options.preprocess, self.options.preprocess.for_validation()
        scenes, broken = survey(parts[0], train if self.cached else None, strict=strict)
        if not scenes:
            raise UserError(f"none of the {len(broken)} label maps can be read: {broken[0]}")
        held_out, more = survey(parts[1], still if self.cached else None, strict=strict)
        if broken or more:
            number = counted(len(broken + more), "label map")
            self.report.append(f"skipped {number} that cannot be read: {(broken + more)[0]}")
        self.report += size_lines(scenes + held_out)
        seconds = time.monotonic() - start
        if seconds > _LONG:
            number = counted(len(scenes + held_out), "label map")
            self.report.append(f"{number} read to check them, in {seconds:.0f} s")
        return scenes, held_out


class LabelExamples(Examples):
    """Scenes as tensors: "labels", "image" and perhaps "instances"."""

    def __init__(self, scenes: list[Surveyed], specs: dict[str, ReadSpec]) -> None:
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
        scene, counted_map = self.scenes[index]
        size, kept = self.preprocess.prepared_size(scene.size), counted_map.kept
        found = []
        for name, spec in self.specs.items():
            if name == "labels" and kept is not None and kept.shape[:2] == size:
                found.append(kept)
                continue
            pixels = decode(getattr(scene, name), spec.port)
            found.append(prepare(pixels if name == "image" else scene.turned(pixels), spec.port, size))
        return tuple(found)
