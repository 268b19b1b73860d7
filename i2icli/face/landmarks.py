"""Facial landmarks: the 468 points of mediapipe's face mesh."""

import os
import warnings
from functools import cache
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.face.quiet import quiet

Points: TypeAlias = NDArray[np.float32]
"""(N, 2): x and y in pixels, from the upper left corner of the upper left pixel."""

NUM_POINTS = 468  # of the mesh; mediapipe's further points for the irises follow the gaze, not the face
MAX_FACES = 4  # detected, of which the largest is used

_BLANK = 64  # pixels: side of an image without a face

_lock = Lock()  # a detector is not thread-safe


def find_face(rgb: NDArray[np.uint8]) -> Points | None:
    """The landmarks (468, 2) of the largest face in an image (H, W, 3), or None if there is none.

    Thread-safe. Raises UserError if mediapipe is missing.
    """
    height, width = rgb.shape[:2]
    with _lock:
        found = _detector().process(np.ascontiguousarray(rgb)).multi_face_landmarks or []
    faces = [np.array([(p.x, p.y) for p in face.landmark[:NUM_POINTS]], np.float32) for face in found]
    if not faces:
        return None
    points: Points = max(faces, key=_area) * np.array([width, height], np.float32)
    return points


def _area(points: Points) -> float:
    return float(np.prod(np.ptp(points, axis=0)))


@cache
def _detector() -> Any:
    """mediapipe's face mesh for single images; its model is part of the package."""
    os.environ.setdefault("GLOG_minloglevel", "2")  # suppresses pages of log messages
    warnings.filterwarnings("ignore", "SymbolDatabase.GetPrototype", UserWarning)
    try:
        from mediapipe import solutions
    except ImportError as error:
        raise UserError(
            "detecting faces needs mediapipe, which is not installed; pip install 'i2icli[face]'"
        ) from error
    with quiet():
        detector = solutions.face_mesh.FaceMesh(
            static_image_mode=True,
            max_num_faces=MAX_FACES,
            refine_landmarks=True,
            min_detection_confidence=0.5,
        )
        detector.process(np.zeros((_BLANK, _BLANK, 3), np.uint8))  # finishes its lazy initialisation
    return detector
