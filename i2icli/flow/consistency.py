"""Is a translated video steady? Warping error and flicker of what is at rest.

A blurred or frozen video wins both. So every number stands beside that of the source, what a perfect video of
the scene scores, and that of a video frozen at its first frame; and none means anything without a score of
single frames (PSNR, a feature distance).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import print_number
from i2icli.flow.confidence import agreeing
from i2icli.flow.cuts import SceneCuts
from i2icli.flow.teachers import Dis, Teacher
from i2icli.flow.warp import Frame, warped

SCALE = 1000  # warping errors are reported times this
SPAN = 30  # frames over which the long-term error reaches, at most

_HIGHEST = 255.0


@dataclass(frozen=True)
class WarpingError:
    """How much frames differ from an earlier one that is warped to them, where both are seen; times 1000.

    The squared difference of values in [0, 1], averaged over channels and pixels, then over frames:
    Lai et al., "Learning blind video temporal consistency", ECCV 2018, section 4.
    """

    short: float  # against the frame before
    long: float  # against the first frame of the scene, or of each 30 frames of it

    def __str__(self) -> str:
        return f"{print_number(self.short)} (long term {print_number(self.long)})"


@dataclass(frozen=True)
class Consistency:
    """The warping error of a translated video, and what to compare it with."""

    result: WarpingError
    source: WarpingError  # of the source video itself
    frozen: WarpingError  # of the result, frozen at the first frame of each scene


class ConsistencyMeter:
    """Measures the warping error frame by frame, with flow from the source video."""

    def __init__(self, teacher: Teacher | None = None) -> None:
        """teacher: of the optical flow; None: DIS."""
        self._teacher = teacher or Dis()
        self._cuts = SceneCuts()
        self._before: _Shown | None = None
        self._first: _Shown | None = None
        self._since = 0  # frames since `_first`
        self._short: list[_Errors] = []
        self._long: list[_Errors] = []

    def add(self, source: Frame, result: NDArray[Any]) -> None:
        """The next frame (H, W, 3) and what it became, (H, W, C) uint8 or uint16 of the same sides.

        Raises ValueError for other sides, and a change of them.
        """
        if source.shape[:2] != result.shape[:2]:
            raise ValueError(f"a frame of {source.shape[:2]}, its result of {result.shape[:2]} pixels")
        shown = _Shown(source, _unit(result))
        if self._cuts(source) or self._first is None:
            self._before = self._first = None
        if self._before is not None and self._first is not None:
            self._compare(shown, self._before, self._short)
            self._since += 1
            if self._since > 1:
                self._compare(shown, self._first, self._long)
        self._before = shown
        if self._first is None or self._since >= SPAN:
            self._first, self._since = shown, 0

    def measured(self) -> Consistency | None:
        """Of the frames so far; None where none had a predecessor. The long-term error may be NaN."""
        if not self._short:
            return None
        short, long = (np.array(each).reshape(-1, 3) for each in (self._short, self._long))
        means = [each.mean(axis=0) * SCALE if len(each) else np.full(3, np.nan) for each in (short, long)]
        result, source, frozen = (WarpingError(float(a), float(b)) for a, b in zip(*means, strict=True))
        return Consistency(result, source, frozen)

    def _compare(self, shown: "_Shown", earlier: "_Shown", errors: "list[_Errors]") -> None:
        flow = self._teacher(shown.source, earlier.source)
        seen = agreeing(flow, self._teacher(earlier.source, shown.source))
        if not seen.any() or self._first is None:
            return

        def error(now: NDArray[np.float32], then: NDArray[np.float32]) -> float:
            return float(((now - warped(then, flow)) ** 2).mean(axis=2)[seen].mean())

        frozen = self._first.result
        errors.append(
            (
                error(shown.result, earlier.result),
                error(_unit(shown.source), _unit(earlier.source)),
                error(frozen, frozen),
            )
        )


_Errors = tuple[float, float, float]
"""Of the result, the source and the frozen result."""


@dataclass(frozen=True)
class _Shown:
    source: Frame
    result: NDArray[np.float32]


def consistency(
    sources: Iterable[Frame], results: Iterable[NDArray[Any]], teacher: Teacher | None = None
) -> Consistency | None:
    """The same for the frames of a short video, as many of both. Raises ValueError if they do not fit."""
    meter = ConsistencyMeter(teacher)
    for source, result in zip(sources, results, strict=True):
        meter.add(source, result)
    return meter.measured()


def _unit(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Integers of any type as values in [0, 1]."""
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
