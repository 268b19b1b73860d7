"""The segmentation network of a run: trained once, kept in the run folder."""

import time
from contextlib import closing
from itertools import islice

import torch

from i2icli.classes import LabelSet, numbered
from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.stage import Stage
from i2icli.system import Batch
from i2icli.training.callbacks import Callbacks
from i2icli.training.interrupt import Interrupt
from i2icli.training.run_data import RunData
from i2icli.training.run_folder import RunFolder
from i2icli.training.segmenter import (
    Segmenter,
    SegmenterInfo,
    fit_segmenter,
    read_segmenter,
    write_segmenter,
)

FEWEST, MOST = 400, 5000  # steps, as far as the run has as many
SHARE = 10  # otherwise one step to so many of the run
PIXELS, LARGEST_BATCH = 2**17, 8  # of a batch
VARYING = frozenset({"scale-width", "none"})  # ways to preprocess that leave images of several sizes


class RunSegmenter:
    """Finds or trains the network that scores what a run generates from label maps. For rank 0."""

    def __init__(self, data: RunData, folder: RunFolder, callbacks: Callbacks, interrupt: Interrupt) -> None:
        self.data, self.folder, self.callbacks, self.interrupt = data, folder, callbacks, interrupt
        self.known: Segmenter | None = None
        self.replaced = False  # whether scores are not comparable to those of the validation before

    def of_stage(self, stage: Stage, device: torch.device) -> Segmenter | None:
        """The network for the images of a stage, which is trained if there is none that serves.

        None if it is not wanted, has nothing to score, or was interrupted.
        """
        wanted = segmenter_info(self.data.config, stage)
        if wanted is None or not self.data.options.segmenter:
            return None
        if self.data.folder.validation(stage.shape) is None:
            return None
        before = self.known or self._kept(device)
        self.replaced = before is not None and not _serves(before.info, wanted)
        self.known = self._fitted(wanted, stage, device) if before is None or self.replaced else before
        return self.known

    def _kept(self, device: torch.device) -> Segmenter | None:
        """The one in the run folder, if it can be read."""
        if not self.folder.segmenter.exists():
            return None
        try:
            return read_segmenter(self.folder.segmenter, device)
        except UserError as error:
            self.callbacks.warn(str(error))
            return None

    def _fitted(self, info: SegmenterInfo, stage: Stage, device: torch.device) -> Segmenter | None:
        height, width = info.size
        pixels = height * width * (stage.clip_length or 1)
        size = 1 if self.data.config.preprocess in VARYING else PIXELS // pixels
        size = max(1, min(LARGEST_BATCH, size))
        self.callbacks.note(
            f"training the segmentation network that scores the photos: {info.steps} steps of "
            f"{size} {'clip' if stage.clip_length else 'image'}{'s' * (size > 1)}, once"
        )
        started_at = time.monotonic()
        with closing(self.data.training_alone(stage, size)) as batches:
            few = (_photos(batch, device) for batch in batches)
            fitted = fit_segmenter(
                info,
                islice(few, info.steps),
                device,
                self.data.config.seed,
                lambda: self.interrupt.requested,
            )
        if fitted is None:
            self.callbacks.note("segmentation network: interrupted, so photos are not scored by it")
            return None
        segmenter, accuracy = fitted
        write_segmenter(self.folder.segmenter, segmenter)
        self.callbacks.note(
            f"segmentation network: {100 * accuracy:.1f} % of the labelled training pixels right, "
            f"{time.monotonic() - started_at:.0f} s"
        )
        return segmenter


def _photos(batch: Batch, device: torch.device) -> Batch:
    """ "image" (B, C, H, W) and "labels" (B, 1, H, W) of a training batch; of clips those of every frame."""
    if "frames" not in batch:
        return {name: batch[name].to(device) for name in ("image", "labels")}
    named = {"image": batch["frames"], "labels": batch["labels"]}  # (B, T, C, H, W) each
    return {name: clips.flatten(0, 1).to(device) for name, clips in named.items()}


def segmenter_info(config: Config, stage: Stage) -> SegmenterInfo | None:
    """What a network must be trained for to score the photos of a stage; None without label maps."""
    task = config.tasks(stage)[0]
    port = next((port for port in task.inputs.values() if port.kind == "labels"), None)
    if port is None:
        return None
    labels = port.labels or LabelSet(numbered(port.channels))
    height, width = config.crop_size
    if stage.resolution is not None:
        height, width = round(height * stage.resolution / width), stage.resolution
    steps = config.steps or 1
    return SegmenterInfo(
        classes=tuple(map(str, labels.classes)),
        channels=task.output.channels,
        size=(height, width),
        steps=min(steps, max(FEWEST, min(MOST, steps // SHARE))),
    )


def _serves(found: SegmenterInfo, wanted: SegmenterInfo) -> bool:
    """Whether a network can do what is wanted: the same classes and size, trained at least as long."""
    return found.steps >= wanted.steps and found == wanted.model_copy(update={"steps": found.steps})
