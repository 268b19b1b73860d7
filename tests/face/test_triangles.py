"""Triangles between landmarks, outlines around them, and pictures bent along them."""

import numpy as np
import pytest

from i2icli.face import triangulate, warp
from i2icli.face.hull import convex_hull


def scattered(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(2, 30, (count, 2)).astype(np.float32)


def area(corners: np.ndarray) -> np.ndarray:
    b, c = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.abs(b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]) / 2


def hull_area(points: np.ndarray) -> float:
    x, y = convex_hull(points).astype(float).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


@pytest.mark.parametrize("count", [3, 4, 20, 200])
def test_triangles_tile_the_outline(count: int) -> None:
    points = scattered(count)
    triangles = triangulate(points)
    assert area(points[triangles].astype(float)).sum() == pytest.approx(hull_area(points), rel=1e-3)
    assert set(triangles.flatten().tolist()) == set(range(count))


def test_no_point_lies_within_the_circle_around_a_triangle() -> None:
    points = scattered(60).astype(float)
    for a, b, c in points[triangulate(points.astype(np.float32))]:
        matrix = 2 * np.array([b - a, c - a])
        middle = np.linalg.solve(matrix, [b @ b - a @ a, c @ c - a @ a])
        nearest = np.linalg.norm(points - middle, axis=1).min()
        assert nearest >= np.linalg.norm(a - middle) * (1 - 1e-5)


def test_the_outline_of_a_square_is_its_corners() -> None:
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [2, 2], [2, 0], [1, 3]], np.float32)
    assert {tuple(corner) for corner in convex_hull(square).tolist()} == {(0, 0), (4, 0), (4, 4), (0, 4)}


def picture(height: int = 32, width: int = 32) -> np.ndarray:
    """Values that tell their place: x and y of the middle of each pixel."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32) + 0.5
    return np.stack([columns, rows], axis=-1)


def test_nothing_moves_where_landmarks_agree() -> None:
    points = scattered(30)
    bent, inside = warp(picture(), points, points, triangulate(points), (32, 32))
    assert inside.sum() > 300
    error = np.abs(bent - picture())[inside]
    assert np.quantile(error, 0.9) < 1e-3
    assert error.max() < 4  # in thin triangles at the outline
    assert not bent[~inside].any()


def test_what_is_at_a_landmark_comes_to_lie_on_its_counterpart() -> None:
    points = scattered(30)
    onto = points @ np.array([[1.5, 0.2], [-0.1, 0.8]], np.float32) + np.array([6, 4], np.float32)
    bent, inside = warp(picture(), points, onto, triangulate(onto), (64, 64))
    back = np.linalg.inv(np.array([[1.5, 0.2], [-0.1, 0.8]]))
    wanted = (picture(64, 64) - [6, 4]) @ back
    np.testing.assert_allclose(np.median(np.abs(bent - wanted)[inside]), 0, atol=1e-3)


def test_thin_triangles_do_not_look_far_away() -> None:
    points = scattered(200)
    onto = points.copy()
    onto[:, 1] = 16 + (onto[:, 1] - 16) * 0.02  # nearly on a line
    bent, inside = warp(picture(), points, onto, triangulate(points), (32, 32))
    assert inside.any()
    assert np.isfinite(bent).all()


def test_flat_triangles_and_points_outside_do_no_harm() -> None:
    points = np.array([[-5, -5], [40, 3], [10, 50], [10, 10], [20, 10], [30, 10]], np.float32)
    flat = np.array([[3, 4, 5], [0, 1, 2]])
    bent, inside = warp(picture(), points, points, flat, (32, 32))
    assert np.isfinite(bent).all()
    assert inside.any()
