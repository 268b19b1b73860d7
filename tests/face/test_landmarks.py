"""Detecting faces: the largest one, none in a blank image, the message without mediapipe."""

import sys

import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.face import landmarks


@pytest.fixture(autouse=True)
def _no_cached_detector():
    landmarks._detector.cache_clear()
    yield
    landmarks._detector.cache_clear()


class _Point:
    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y


class _Detector:
    """Two faces, as returned by mediapipe: a small and a large one, 478 points in [0, 1]."""

    def process(self, rgb):
        assert rgb.dtype == np.uint8
        assert rgb.shape[2] == 3
        small = [_Point(0.1 + 0.1 * (i % 2), 0.1 + 0.1 * (i // 2 % 2)) for i in range(478)]
        large = [_Point(0.2 + 0.5 * (i % 2), 0.2 + 0.5 * (i // 2 % 2)) for i in range(478)]
        faces = [type("Face", (), {"landmark": points}) for points in (small, large)]
        return type("Found", (), {"multi_face_landmarks": faces})


def test_the_largest_face_counts_in_pixels_without_the_irises(monkeypatch) -> None:
    monkeypatch.setattr(landmarks, "_detector", _Detector)
    points = landmarks.find_face(np.zeros((100, 200, 3), np.uint8))
    assert points is not None
    assert points.shape == (468, 2)
    np.testing.assert_allclose(points.min(0), [40, 20])
    np.testing.assert_allclose(points.max(0), [140, 70], rtol=1e-6)


def test_without_mediapipe_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(UserError, match=r"mediapipe.*pip install 'i2icli\[face\]'"):
        landmarks.find_face(np.zeros((8, 8, 3), np.uint8))


def test_there_is_no_face_in_a_grey_wall() -> None:
    pytest.importorskip("mediapipe")
    assert landmarks.find_face(np.full((96, 96, 3), 128, np.uint8)) is None
