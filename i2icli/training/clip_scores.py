"""Scores of validation clips: how much flickers what is at rest; and the first clip, to be shown."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from i2icli.flow.flicker import Flicker, FlickerMeter
from i2icli.image import to_pixels
from i2icli.report.clips import Clip
from i2icli.system import Evaluation

FAKE, TRUTH = "fake", "truth"
"""What `Evaluation.clips` calls the result and the real video."""

_SHORTEST = 8  # frames of a clip whose spectrum is worth having


class ClipScores:
    """Collects what a system shows of the clips of a validation; nothing of systems that have none."""

    def __init__(self) -> None:
        self.shown: Clip = {}
        """The first clip."""
        self._length = 0
        self._meter: FlickerMeter | None = None

    def add(self, found: Evaluation) -> None:
        """The clips of a batch. The spectrum counts those as long as the first."""
        for number in range(len(next(iter(found.clips.values()), ()))):
            clip = {name: clips[number].detach().float().cpu() for name, clips in found.clips.items()}
            self.shown = self.shown or clip
            if {FAKE, TRUTH} <= clip.keys():
                self._measure(clip[FAKE], clip[TRUTH])

    def flicker(self) -> Flicker | None:
        """The spectra, if anything was at rest in a clip long enough."""
        return self._meter.measured() if self._meter else None

    def scores(self) -> dict[str, float]:
        """ "flicker": standard deviation of brightness, of 255, where the real video is at rest; its own."""
        found = self.flicker()
        return {"flicker": found.strength, "flicker/real": found.source_strength} if found else {}

    def _measure(self, fake: Tensor, truth: Tensor) -> None:
        length = len(fake)
        if self._meter is None and length >= _SHORTEST:
            self._meter, self._length = FlickerMeter(length), length
        if self._meter is None or length != self._length:
            return
        for result, real in zip(fake, truth, strict=True):
            self._meter.add(_colours(real), _colours(result))


def _colours(frame: Tensor) -> NDArray[np.uint8]:
    """(C, H, W) in [-1, 1] -> (H, W, 3): the first three channels, or the first one as grey."""
    three = frame[:3] if len(frame) >= 3 else frame[:1].expand(3, *frame.shape[1:])
    return to_pixels(torch.as_tensor(three), np.uint8)


def spectrum_row(flicker: Flicker) -> dict[str, Any]:
    """Spectra as a line of the log holds them."""
    return {
        "frequencies": flicker.frequencies.tolist(),
        "result": flicker.result.tolist(),
        "real": flicker.source.tolist(),
        "at_rest": flicker.at_rest,
    }
