"""Clips of videos and what is translated to them: images, label maps, or what is computed from the frames."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from i2icli.classes import LabelSet
from i2icli.data.clips.cache import FrameCache
from i2icli.data.clips.finding import Found, find_clips, with_instances
from i2icli.data.clips.flows import flows
from i2icli.data.clips.footage import FRAMES, INSTANCES, LABELS, SOURCE, Footage, Reading, Shot
from i2icli.data.clips.shots import find_shots, hold_out, parts_of
from i2icli.data.clips.sides import Extract
from i2icli.data.describe import counted, kept_line
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import ImageSides, one_side, two_sides
from i2icli.data.labels.label_sets import labels_of
from i2icli.data.labels.scenes import Scene
from i2icli.data.labels.survey import CountedMap, survey
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.sizes import check_sizes
from i2icli.data.validation_split import TOO_FEW
from i2icli.errors import UserError
from i2icli.flow.teachers import Teacher
from i2icli.image import Item
from i2icli.image.kinds import pixel_bytes, to_tensor
from i2icli.image.pixels import as_colours
from i2icli.stage import Shape
from i2icli.task import Port

Choose: TypeAlias = Callable[[Sequence[NDArray[np.uint8]]], tuple[dict[str, Any], Extract]]
"""Sample frames (H, W, 3) of the size of training -> settings of a condition, and what computes it."""

_SAMPLES = 8  # frames that a condition is chosen by


class Clips(DataFolder):
    """Folders of frames, or videos, on two sides; label maps beside frames; or plain videos.

    Examples of T frames: "frames" (T, C, H, W) in [-1, 1], the truth; and "source" (T, C', H, W) in [-1, 1],
    or "labels" and perhaps "instances" (T, 1, H, W) int64; all cropped and flipped alike. "flow_n" (T, 2, H,
    W) and "confidence_n" (T, 1, H, W) for the strides n = 1, 3, ... (`flows`).
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        teacher: Teacher,
        clip_length: int,
        longest_clip: int | None = None,
        temporal_scales: int = 2,
        max_stride: int = 1,
        choose: Choose | None = None,
        labels: LabelSet | None = None,
        ignored: Sequence[str] = (),
        instances: bool | None = None,
    ) -> None:
        """clip_length: frames of a clip where a stage asks for none; longest_clip: the most of any stage;
        temporal_scales: strides of flow, 1, 3, 9, ...; max_stride: frames are skipped at random up to it;
        choose: makes the condition that plain videos are translated from; labels, ignored, instances: as of
        `LabelMaps`.
        """
        super().__init__(options)
        self.teacher, self.clip_length, self.max_stride = teacher, clip_length, max_stride
        self.strides = [3**scale for scale in range(temporal_scales)]
        found = find_clips(folders, options, plain=choose is not None)
        found, lines = with_instances(found, instances)
        self.report += found.lines + lines
        self.images = self._images(found.train + found.validation, plain=choose is not None)
        self.shots, self.held_out = self._find_shots(found)
        self.longest = max((len(shot) for shot in self.shots), default=0)
        """Frames of the longest clip without a scene cut."""
        self._check_lengths(found.train, clip_length, longest_clip or clip_length)
        train, held = ([(clip.name, clip.size) for clip in each] for each in (found.train, found.validation))
        check_sizes(train, held or train, options)
        self.extract: Extract | None = None
        self.ports = self._ports(choose, labels, ignored, found)
        self.cache = self._plan_frames()

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        preprocess = self.options.preprocess.at(shape.resolution)
        length = shape.clip_length or self.clip_length
        train = ClipExamples(self, self.shots, preprocess, length)
        if not self.held_out:
            return train, None
        return train, WholeClips(self, parts_of(self.held_out), preprocess.for_validation())

    def example(
        self,
        shot: Shot,
        places: Sequence[int],
        preprocess: Preprocess,
        rng: np.random.Generator | None,
        strides: Sequence[int],
    ) -> Example:
        """Some frames of a shot, with flow over these strides. Raises UserError if none can be read."""
        size = preprocess.prepared_size(shot.footage.size)
        frames = self.cache.read(shot, places, size)
        crop = preprocess.window(size, rng)
        example: Example = {}
        for name, port in self.ports.items():
            example[name] = torch.stack([to_tensor(crop.crop(each[name]), port.kind) for each in frames])
        cropped = [crop.crop(each[FRAMES]) for each in frames]
        return example | flows(cropped, strides, self.teacher)

    # -- opening, in this order ----------------------------------------------------------

    def _images(self, clips: Sequence[Footage], *, plain: bool) -> ImageSides:
        """What the frames have in common, and images that they are translated from."""
        frames, options = _items(clips, FRAMES), self.options
        if not plain and SOURCE in clips[0].sides:
            return two_sides(_items(clips, SOURCE), frames, options, ("source", "frames"))
        if plain:  # the first number would be that of the planes of a condition
            options = replace(options, channels=options.channels and options.channels[-1:])
        return one_side(frames, options)

    def _find_shots(self, found: Found) -> tuple[list[Shot], list[Shot]]:
        """The shots to train on and those for validation."""
        parts = (found.train, found.validation)
        (train, held_out), lines = find_shots(parts, self.options, self.images.ports[1])
        self.report += [str(train), *lines]
        if found.validation:
            self.report.append(f"validation: {held_out}")
            return train.shots, held_out.shots
        shots, held = hold_out(train.shots, self.options)
        frames = counted(sum(map(len, held)), "frame")
        split = f"validation split: {frames} (no val or test folder; --holdout 0 trains on all)"
        self.report.append(split if held else TOO_FEW)
        return shots, held

    def _check_lengths(self, clips: Sequence[Footage], wanted: int, most: int) -> None:
        """Refuse clips all too short; report those that are for later stages, whose clips are longer."""
        if self.longest >= wanted:
            if most > self.longest:
                self.report.append(
                    f"training clips have at most {counted(self.longest, 'frame')} instead of {most}: "
                    "none is longer without a scene cut"
                )
                most = self.longest
            enough = sum(len(shot) >= most for shot in self.shots)
            if enough < len(self.shots):
                self.report.append(
                    f"{enough} of {len(self.shots)} clips between cuts {'has' if enough == 1 else 'have'} "
                    f"{counted(most, 'frame')}; shorter ones are left out of the stage of such clips"
                )
            return
        names = ", ".join(clip.name for clip in clips[:3])
        longest = counted(self.longest, "frame")
        raise UserError(
            f"{names}: the longest clip has {longest} without a scene cut, but clips of {wanted} are to be "
            "learned; use longer videos, or shorter clips (--clip-length, --clip-doublings)"
        )

    def _ports(
        self,
        choose: Choose | None,
        labels: LabelSet | None,
        ignored: Sequence[str],
        found: Found,
    ) -> dict[str, Port]:
        """How every side is read; fills in the settings."""
        self.report += self.images.report
        self.settings = self.images.settings
        source, frames = self.images.ports
        if found.labels is not None:
            return self._label_ports(found, labels, ignored)
        if choose is not None:
            return {FRAMES: frames, SOURCE: self._chosen(choose, frames)}
        return {SOURCE: source, FRAMES: frames}

    def _label_ports(self, found: Found, known: LabelSet | None, ignored: Sequence[str]) -> dict[str, Port]:
        assert found.labels is not None
        train, held_out = (self._surveyed(part) for part in (found.train, found.validation))
        top = found.folders[0] if len(found.folders) == 1 else found.labels.labels.folder.parent
        labels, settings, lines = labels_of(found.labels.labels, top, known, ignored, train, held_out)
        use = any(INSTANCES in clip.sides for clip in found.train)
        self.settings |= {"instances": use} | settings
        self.report += lines
        ports = {
            LABELS: Port(labels.count, "labels", labels=labels),
            FRAMES: self.images.ports[1],
        }
        return ports | ({INSTANCES: Port(1, "instances")} if use else {})

    def _surveyed(self, clips: Sequence[Footage]) -> list[CountedMap]:
        scenes = [
            Scene(labels, frame)
            for clip in clips
            for labels, frame in zip(clip.sides[LABELS].items(), clip.frames.items(), strict=True)
        ]
        surveyed, broken = survey(scenes, None, strict=self.options.strict)
        if broken:
            self.report.append(f"{counted(len(broken), 'label map')} cannot be read: {broken[0]}")
        if scenes and not surveyed:
            raise UserError(f"none of the {len(broken)} label maps can be read: {broken[0]}")
        return [each.map for each in surveyed]

    def _chosen(self, choose: Choose, colours: Port) -> Port:
        """The condition that suits some frames, evenly spread over the training clips."""
        reading = Reading({FRAMES: colours}, None, self.options.strict)
        every = [(shot, frame) for shot in self.shots for frame in shot.frames]
        chosen = sorted({int((n + 0.5) * len(every) / _SAMPLES) for n in range(_SAMPLES)})
        samples = []
        for shot, group in groupby((every[place] for place in chosen), key=itemgetter(0)):
            size = self.options.preprocess.prepared_size(shot.footage.size)
            read = reading.read(shot.footage, [frame for _, frame in group], size)  # decoded in one go
            samples += [as_colours(frame[FRAMES]) for frame in read]
        settings, self.extract = choose(samples)
        self.settings |= settings
        planes = self.extract(samples[0]).shape[2]
        self.settings["channels"] = (planes, *self.settings["channels"])
        return Port(planes)

    def _plan_frames(self) -> FrameCache:
        """Decide which decoded frames are kept, and report it."""
        needed, preprocess = 0, self.options.preprocess
        depth = max(map(np.dtype, self.settings["types"]), key=lambda dtype: dtype.itemsize)
        sizes = (1 if port.kind == "labels" else pixel_bytes(port, depth) for port in self.ports.values())
        per_pixel = sum(sizes)
        for shots, how in ((self.shots, preprocess), (self.held_out, preprocess.for_validation())):
            for shot in shots:
                height, width = how.prepared_size(shot.footage.size)
                needed += len(shot) * height * width * per_pixel
        self.cached = needed <= self.options.cache_bytes
        self.report.append(kept_line(needed, self.options.cache_bytes))
        reading = Reading(self.ports, self.extract, self.options.strict)
        return FrameCache(reading, self.options.cache_bytes, everything=self.cached)


class ClipExamples(Examples):
    """Clips of one length: as many to an epoch as show every frame once on average.

    Where no shot is that long, those of the longest.
    """

    def __init__(self, folder: Clips, shots: Sequence[Shot], preprocess: Preprocess, length: int) -> None:
        self.folder = folder
        self.preprocess = preprocess
        self.length = min(length, max(map(len, shots)))
        self.shots = [shot for shot in shots if len(shot) >= self.length]
        self.ends = np.cumsum([-(-len(shot) // self.length) for shot in self.shots])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """A clip near its place; `rng` draws the first frame, the stride, crop and flip. None: at its place.

        Raises UserError if no frame of it can be read.
        """
        number = int(np.searchsorted(self.ends, index, side="right"))
        shot = self.shots[number]
        place = index - (int(self.ends[number - 1]) if number else 0)
        places = self._places(len(shot), place, rng)
        return self.folder.example(shot, places, self.preprocess, rng, self.folder.strides)

    def _places(self, number: int, place: int, rng: np.random.Generator | None) -> list[int]:
        """Which frames of a shot with that number of them: `length`, evenly spaced."""
        start, stride = place * self.length, 1
        if rng is not None:
            room = (number - 1) // max(1, self.length - 1)  # the widest stride that fits
            stride = int(rng.integers(1, max(1, min(self.folder.max_stride, room)) + 1))
            start += int(rng.integers(self.length))
        start = min(start, number - 1 - (self.length - 1) * stride)
        return list(range(start, start + (self.length - 1) * stride + 1, stride))


class WholeClips(Examples):
    """Shots as they are, for validation: clips of the same frames in all stages, so that scores compare."""

    def __init__(self, folder: Clips, shots: Sequence[Shot], preprocess: Preprocess) -> None:
        self.folder, self.shots, self.preprocess = folder, shots, preprocess

    def __len__(self) -> int:
        return len(self.shots)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """A shot, with the flow between neighbours. Raises UserError if no frame of it can be read."""
        shot = self.shots[index]
        return self.folder.example(shot, range(len(shot)), self.preprocess, rng, strides=(1,))


def _items(clips: Sequence[Footage], side: str) -> list[Item]:
    return [item for clip in clips for item in clip.sides[side].items()]
