"""Piecewise affine warping of images between landmarks, over a Delaunay triangulation."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from i2icli.face.landmarks import Points

Triangles = NDArray[np.intp]
"""(T, 3): indices of the vertices."""

_THIN = 1e-3  # square pixels: smaller triangles are degenerate


def triangulate(points: Points) -> Triangles:
    """Delaunay triangulation of points (N, 2), N at least 3, not collinear -> (T, 3).

    Bowyer, "Computing Dirichlet tessellations", 1981, and Watson in the same year: points are inserted one
    by one; triangles whose circumcircle contains the new point are replaced by triangles that share it.
    """
    number = len(points)
    low, size = points.min(0), max(float(np.ptp(points, axis=0).max()), 1e-6)
    normalised = (points.astype(np.float64) - low) / size
    super_triangle = np.array([[-50.0, -50.0], [51.0, -50.0], [0.5, 70.0]])  # contains all points
    vertices = np.concatenate([normalised, super_triangle])  # (N + 3, 2)
    triangles = np.array([[number, number + 1, number + 2]])
    circles = _circumcircles(vertices[triangles])  # (T, 3): x, y, squared radius
    for index in range(number):
        invalid = ((circles[:, :2] - vertices[index]) ** 2).sum(1) < circles[:, 2]  # (T,)
        edges = triangles[invalid][:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)  # (E, 2)
        _, first, counts = np.unique(np.sort(edges, 1), axis=0, return_index=True, return_counts=True)
        border = edges[first[counts == 1]]  # inner edges belong to two triangles
        new = np.column_stack([border, np.full(len(border), index)])
        triangles = np.concatenate([triangles[~invalid], new])
        circles = np.concatenate([circles[~invalid], _circumcircles(vertices[new])])
    kept: Triangles = triangles[(triangles < number).all(1)]
    return kept


def _circumcircles(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 3, 2) -> (T, 3): centre and squared radius; huge for degenerate triangles."""
    a, b, c = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    twice = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    twice = np.where(np.abs(twice) < 1e-12, 1e-12, twice)
    bb, cc = (b**2).sum(1), (c**2).sum(1)
    x = (c[:, 1] * bb - b[:, 1] * cc) / twice
    y = (b[:, 0] * cc - c[:, 0] * bb) / twice
    return np.column_stack([a[:, 0] + x, a[:, 1] + y, x**2 + y**2])


def warp(
    pixels: NDArray[np.float32], points: Points, onto: Points, triangles: Triangles, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Warp an image (h, w, C) so that its landmarks `points` map to `onto` in an image of `size`.

    -> (H, W, C), and the mask (H, W) of the triangles; elsewhere the image is 0.
    """
    index = _triangle_map(onto, triangles, size)  # (H, W), -1 outside of all triangles
    inside = index >= 0
    rows, columns = np.nonzero(inside)
    targets = np.column_stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])  # (n, 3)
    covering = index[inside]  # (n,)
    weights = np.einsum("nk,nkc->nc", targets, _barycentric_maps(onto[triangles])[covering])  # (n, 3)
    weights = weights.clip(-0.5, 1.5)  # rasterised slightly too large, thin triangles would extrapolate far
    weights /= weights.sum(1, keepdims=True)
    sources = np.einsum("nc,ncd->nd", weights, points[triangles][covering])  # (n, 2)
    result = np.zeros((*size, pixels.shape[2]), np.float32)
    result[inside] = _sample(pixels, sources)
    return result, inside


def _triangle_map(points: Points, triangles: Triangles, size: tuple[int, int]) -> NDArray[np.int32]:
    """(H, W): the index of the triangle that covers each pixel."""
    image = Image.new("I", (size[1], size[0]), -1)
    pen = ImageDraw.Draw(image)
    corners = points[triangles].astype(np.float64)  # (T, 3, 2)
    b, c = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    # Pillow draws outlines slightly too wide, which matters least for the large triangles, drawn last.
    for number in np.argsort(area).tolist():
        if area[number] <= _THIN:
            continue
        pen.polygon([(x - 0.5, y - 0.5) for x, y in corners[number].tolist()], fill=number)
    return np.asarray(image, np.int32)


def _barycentric_maps(corners: NDArray[np.float32]) -> NDArray[np.float64]:
    """(T, 3, 2) -> (T, 3, 3): [x, y, 1] @ map gives barycentric weights; uniform for degenerate triangles."""
    matrix = np.concatenate([corners, np.ones_like(corners[..., :1])], -1).astype(np.float64)  # (T, 3, 3)
    good = np.abs(np.linalg.det(matrix)) > _THIN
    maps = np.zeros_like(matrix)
    maps[:, 2] = 1 / 3
    maps[good] = np.linalg.inv(matrix[good])
    return maps


def _sample(pixels: NDArray[np.float32], positions: NDArray[np.float64]) -> NDArray[np.float32]:
    """Bilinear sampling of (h, w, C) at positions (n, 2), x and y -> (n, C); borders are replicated."""
    height, width = pixels.shape[:2]
    x = (positions[:, 0] - 0.5).clip(0, width - 1)
    y = (positions[:, 1] - 0.5).clip(0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = (x - left)[:, None].astype(np.float32), (y - top)[:, None].astype(np.float32)
    upper = pixels[top, left] * (1 - across) + pixels[top, right] * across
    lower = pixels[bottom, left] * (1 - across) + pixels[bottom, right] * across
    sampled: NDArray[np.float32] = upper * (1 - down) + lower * down
    return sampled
