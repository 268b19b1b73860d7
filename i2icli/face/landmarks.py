"""Where the parts of a face are: 468 points, found by mediapipe's face mesh."""

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

NUM_POINTS = 468  # of the mesh; what mediapipe adds for the irises follows the gaze, not the face
MOST_FACES = 4  # looked for, of which the largest is taken

_BLANK = 64  # pixels: side of a picture without a face

_lock = Lock()  # a finder is no good for two threads at once


def find_face(rgb: NDArray[np.uint8]) -> Points | None:
    """The landmarks (468, 2) of the largest face in a picture (H, W, 3), or None if there is none.

    Safe to call from several threads. Raises UserError if mediapipe is missing.
    """
    height, width = rgb.shape[:2]
    with _lock:
        found = _finder().process(np.ascontiguousarray(rgb)).multi_face_landmarks or []
    faces = [np.array([(p.x, p.y) for p in face.landmark[:NUM_POINTS]], np.float32) for face in found]
    if not faces:
        return None
    points: Points = max(faces, key=_area) * np.array([width, height], np.float32)
    return points


def _area(points: Points) -> float:
    return float(np.prod(np.ptp(points, axis=0)))


@cache
def _finder() -> Any:
    """mediapipe's face mesh for single pictures; its model is part of its package."""
    os.environ.setdefault("GLOG_minloglevel", "2")  # it writes pages about its insides otherwise
    warnings.filterwarnings("ignore", "SymbolDatabase.GetPrototype", UserWarning)
    try:
        from mediapipe import solutions
    except ImportError as error:
        raise UserError(
            "finding faces needs mediapipe, which is not installed; pip install 'i2icli[face]'"
        ) from error
    with quiet():
        finder = solutions.face_mesh.FaceMesh(
            static_image_mode=True,
            max_num_faces=MOST_FACES,
            refine_landmarks=True,
            min_detection_confidence=0.5,
        )
        finder.process(np.zeros((_BLANK, _BLANK, 3), np.uint8))  # the rest starts with the first picture
    return finder
