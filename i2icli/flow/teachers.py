"""Estimating optical flow: by OpenCV's DIS, or by a RAFT whose weights are on this machine."""

from collections.abc import Callable
from pathlib import Path
from threading import local
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from i2icli.errors import UserError, one_of
from i2icli.flow.warp import Flow, Frame

Teacher: TypeAlias = Callable[[Frame, Frame], Flow]
"""current (H, W, 3), previous (H, W, 3) -> flow from the current to the previous frame. Thread-safe."""
TeacherName = Literal["dis", "raft"]

TEACHERS: tuple[TeacherName, ...] = get_args(TeacherName)

_LEAST = 32  # pixels: OpenCV's DIS ends the process on flatter frames (16x256)


def teacher(name: str, weights: Path | None = None, device: str = "cpu") -> Teacher:
    """The teacher of that name; weights, device: of RAFT alone.

    weights: a file, else torchvision's cache is looked in; nothing is ever downloaded. Raises UserError for
    an unknown name, and for weights that are missing or of something else.
    """
    if one_of(name, TEACHERS, "flow teacher") == "dis":
        if weights is not None:
            raise UserError(f"{weights}: DIS has no weights; they are for --flow-teacher raft")
        return Dis()
    from i2icli.flow.raft import Raft

    return Raft(weights, device)


def padded(frame: np.ndarray[Any, Any], least: int, multiple: int = 1) -> np.ndarray[Any, Any]:
    """A frame continued at its right and lower border, to sides of at least `least` and of a multiple."""
    height, width = (max(least, -(-side // multiple) * multiple) - side for side in frame.shape[:2])
    rest = [(0, 0)] * (frame.ndim - 2)
    return np.pad(frame, [(0, height), (0, width), *rest], mode="edge") if height or width else frame


class Dis:
    """Dense inverse search, OpenCV's medium preset: Kroeger et al., ECCV 2016.

    https://arxiv.org/abs/1603.03590. The result is the same for any number of threads.
    """

    def __init__(self) -> None:
        self._own = local()  # an estimator keeps buffers: one for each thread

    def __call__(self, current: Frame, previous: Frame) -> Flow:
        """See `Teacher`. Raises ValueError if the sizes differ."""
        import cv2

        if current.shape != previous.shape:
            raise ValueError(f"frames of {current.shape} and {previous.shape}")
        if not hasattr(self._own, "estimator"):
            self._own.estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        height, width = current.shape[:2]
        grey = [padded(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), _LEAST) for each in (current, previous)]
        flow: Flow = self._own.estimator.calc(*grey, None)
        return np.ascontiguousarray(flow[:height, :width])
