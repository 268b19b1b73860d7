"""Triangulation of landmarks, convex hulls, and warped images."""

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
def test_triangles_tile_the_hull(count: int) -> None:
    points = scattered(count)
    triangles = triangulate(points)
    assert area(points[triangles].astype(float)).sum() == pytest.approx(hull_area(points), rel=1e-3)
    assert set(triangles.flatten().tolist()) == set(range(count))


def test_no_point_lies_within_a_circumcircle() -> None:
    points = scattered(60).astype(float)
    for a, b, c in points[triangulate(points.astype(np.float32))]:
        matrix = 2 * np.array([b - a, c - a])
        centre = np.linalg.solve(matrix, [b @ b - a @ a, c @ c - a @ a])
        nearest = np.linalg.norm(points - centre, axis=1).min()
        assert nearest >= np.linalg.norm(a - centre) * (1 - 1e-5)


def test_the_hull_of_a_square_is_its_corners() -> None:
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [2, 2], [2, 0], [1, 3]], np.float32)
    assert {tuple(corner) for corner in convex_hull(square).tolist()} == {(0, 0), (4, 0), (4, 4), (0, 4)}


def coordinates(height: int = 32, width: int = 32) -> np.ndarray:
    """An image whose values are x and y of each pixel's centre."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32) + 0.5
    return np.stack([columns, rows], axis=-1)


def test_equal_landmarks_leave_the_image_unchanged() -> None:
    points = scattered(30)
    warped, inside = warp(coordinates(), points, points, triangulate(points), (32, 32))
    assert inside.sum() > 300
    error = np.abs(warped - coordinates())[inside]
    assert np.quantile(error, 0.9) < 1e-3
    assert error.max() < 4  # in thin triangles at the hull
    assert not warped[~inside].any()


def test_landmarks_map_to_their_counterparts() -> None:
    points = scattered(30)
    onto = points @ np.array([[1.5, 0.2], [-0.1, 0.8]], np.float32) + np.array([6, 4], np.float32)
    warped, inside = warp(coordinates(), points, onto, triangulate(onto), (64, 64))
    back = np.linalg.inv(np.array([[1.5, 0.2], [-0.1, 0.8]]))
    wanted = (coordinates(64, 64) - [6, 4]) @ back
    np.testing.assert_allclose(np.median(np.abs(warped - wanted)[inside]), 0, atol=1e-3)


def test_thin_triangles_give_finite_values() -> None:
    points = scattered(200)
    onto = points.copy()
    onto[:, 1] = 16 + (onto[:, 1] - 16) * 0.02  # nearly collinear
    warped, inside = warp(coordinates(), points, onto, triangulate(points), (32, 32))
    assert inside.any()
    assert np.isfinite(warped).all()


def test_degenerate_triangles_and_outside_points_are_harmless() -> None:
    points = np.array([[-5, -5], [40, 3], [10, 50], [10, 10], [20, 10], [30, 10]], np.float32)
    flat = np.array([[3, 4, 5], [0, 1, 2]])
    warped, inside = warp(coordinates(), points, points, flat, (32, 32))
    assert np.isfinite(warped).all()
    assert inside.any()
