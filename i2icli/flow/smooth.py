"""Less flicker in videos that were translated frame by frame: each frame is blended with the one before."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.flow.confidence import MOST_ERROR, agreeing, warp_error
from i2icli.flow.cuts import SceneCuts
from i2icli.flow.teachers import Dis, Teacher
from i2icli.flow.warp import Flow, Frame, resized_flow, warped

STRENGTH = 0.7
"""What is taken of the frame before, where flow can be believed."""

_SIDE = 512  # pixels of the longest side of the frames that flow is estimated on
_FEATHER = 1.5  # pixels: standard deviation of the blur of the weights' edges

State: TypeAlias = dict[str, NDArray[Any]]


class Smoother:
    """Blends a translated video with its own past, frame by frame.

    The previous result is warped by the flow of the source video, so both are of one film, and blended in
    where forward and backward flow agree and the source looks the same: what comes into view, moves too
    fast or changes its light is left as it is. At a scene cut it starts anew, so nothing is carried over.
    """

    def __init__(self, strength: float = STRENGTH, teacher: Teacher | None = None) -> None:
        """strength: in [0, 1), 0 changes nothing; teacher: of the optical flow, None: DIS.

        Raises ValueError for another strength.
        """
        if not 0 <= strength < 1:
            raise ValueError(f"a strength of {strength}, expected 0 to below 1")
        self._strength = np.float32(strength)
        self._teacher = teacher or Dis()
        self._cuts = SceneCuts()
        self._source: Frame | None = None  # the previous frame, small
        self._result: NDArray[np.float32] | None = None  # (H, W, C): what it became

    def __call__(self, source: Frame, result: NDArray[Any]) -> NDArray[Any]:
        """A frame (H, W, 3) and what it was translated to, (h, w, C) uint8 or uint16 of any sides.

        -> (h, w, C) of the same type.
        """
        small = _small(source)
        fits = self._source is not None and self._source.shape == small.shape
        cut = self._cuts(source)
        found = result.astype(np.float32)
        if fits and not cut and self._result is not None and self._result.shape == found.shape:
            assert self._source is not None
            found = self._blended(small, self._source, found, self._result)
        self._source, self._result = small, found
        limits = np.iinfo(result.dtype)
        return found.round().clip(limits.min, limits.max).astype(result.dtype)

    def state(self) -> State:
        """What it remembers of the frames so far, for `load`; empty before the first."""
        if self._source is None or self._result is None:
            return {}
        cuts = {f"cuts_{name}": values for name, values in self._cuts.state().items()}
        own: State = {"source": self._source, "result": self._result}
        return own | cuts

    def load(self, state: State) -> None:
        """Go on where `state` was taken: the results will be the same, bit for bit."""
        self._source, self._result = state.get("source"), state.get("result")
        own = {name[5:]: values for name, values in state.items() if name.startswith("cuts_")}
        self._cuts.load(own)

    def _blended(
        self, source: Frame, before: Frame, result: NDArray[np.float32], past: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        size = (result.shape[0], result.shape[1])
        flow = self._teacher(source, before)
        believed = _resized(_believed(source, before, flow, self._teacher(before, source)), size)
        weight = believed[..., None] * self._strength  # (h, w, 1)
        moved = warped(past, resized_flow(flow, size), cubic=True)  # each frame is warped again and again
        return (result + weight * (moved - result)).astype(np.float32, copy=False)


def _small(source: Frame) -> Frame:
    """A frame at the size that flow is estimated at."""
    import cv2

    height, width = source.shape[:2]
    factor = _SIDE / max(height, width)
    if factor >= 1:
        return source
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(source, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _resized(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """(H, W) at another (height, width)."""
    import cv2

    return cv2.resize(plane, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def _believed(current: Frame, previous: Frame, flow: Flow, back: Flow) -> NDArray[np.float32]:
    """(H, W) in [0, 1]: how far flow can be believed, with soft edges inside what can."""
    import cv2

    seen = agreeing(flow, back).astype(np.float32)
    same = np.exp(-warp_error(current, previous, flow) / (2 * MOST_ERROR))
    inside = cv2.erode(seen * same, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(inside, (0, 0), _FEATHER).astype(np.float32, copy=False)
