"""Outlines become pixels whose centres lie inside."""

import numpy as np

from i2icli.classes import LabelClass
from i2icli.labels import shapes
from i2icli.labels import shapes
from i2icli.labels.colours import coloured
from i2icli.labels.shapes import disc, placed, polygon, rectangle


def drawn(region, size):
    canvas = np.zeros(size, int)
    height, width = region.mask.shape
    canvas[region.top : region.top + height, region.left : region.left + width] += region.mask
    return canvas


def test_a_rectangle_is_as_wide_as_its_corners_are_apart():
    assert drawn(rectangle(np.array([(10.0, 5.0), (20.0, 8.0)]), (12, 30)), (12, 30)).sum() == 30
    region = rectangle(np.array([(20.0, 8.0), (10.0, 5.0)]), (12, 30))
    assert (region.left, region.top, region.mask.shape) == (10, 5, (3, 10))


def test_triangles_that_share_edges_neither_overlap_nor_leave_gaps():
    rng = np.random.default_rng(0)
    size = (40, 50)
    for _ in range(20):
        middle = rng.uniform((5, 5), (45, 35))
        corners = np.array([(0, 0), (50, 0), (50, 40), (0, 40)], float)
        parts = [
            polygon(np.array([middle, corners[index], corners[(index + 1) % 4]]), size) for index in range(4)
        ]
        assert (sum(drawn(part, size) for part in parts) == 1).all()


def test_a_polygon_holds_the_pixels_whose_centres_are_inside():
    rng = np.random.default_rng(1)
    size = (30, 40)
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    for _ in range(20):
        points = rng.uniform(-15, 50, (rng.integers(3, 9), 2))
        inside = np.zeros(size, bool)
        for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, 0), strict=True):
            crosses = (ay > y) != (by > y)
            inside ^= crosses & (x > ax + (y - ay) * (bx - ax) / (by - ay))
        assert np.array_equal(drawn(polygon(points, size), size), inside)


def test_long_outlines_are_drawn_in_portions(monkeypatch):
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    star = 20 + (10 + 8 * np.cos(7 * angles))[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    whole = drawn(polygon(star, (40, 40)), (40, 40))
    monkeypatch.setattr(shapes, "CROSSINGS", 100)
    assert np.array_equal(drawn(polygon(star, (40, 40)), (40, 40)), whole)
    assert 300 < whole.sum() < 600


def test_long_outlines_are_drawn_in_portions(monkeypatch):
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    star = 20 + (10 + 8 * np.cos(7 * angles))[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    whole = drawn(polygon(star, (40, 40)), (40, 40))
    monkeypatch.setattr(shapes, "CROSSINGS", 100)
    assert np.array_equal(drawn(polygon(star, (40, 40)), (40, 40)), whole)
    assert 300 < whole.sum() < 600


def test_what_lies_outside_is_cut_off():
    size = (6, 8)
    assert drawn(disc(np.array([0.0, 0.0]), 2.0, size), size).sum() == 4 - 1
    assert drawn(placed(np.ones((4, 4), bool), -2, 6, size), size).sum() == 4
    assert drawn(placed(np.ones((4, 4), bool), 50, -50, size), size).sum() == 0
    far = np.array([(100.0, 100.0), (120.0, 100.0), (110.0, 120.0)])
    assert drawn(polygon(far, size), size).sum() == 0


def test_every_class_gets_a_colour_of_its_own():
    classes = [LabelClass(number, str(number), (128, 0, 0) if number % 2 else None) for number in range(600)]
    made, unlabelled = coloured(classes)
    assert len({each.colour for each in made} | {unlabelled}) == 601
    assert made[1].colour == (128, 0, 0)
