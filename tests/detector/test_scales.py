"""Lattices that resizing has moved."""

import numpy as np
import pytest

from i2icli.detector.perturbations import jpeg, resized
from i2icli.detector.scales import LENGTH, moved_lattice
from i2icli.detector.view import View
from tests.detector.images import photograph


def faint(seed, side=256):
    """A photograph with a lattice of period 4 far below its content."""
    cell = np.random.default_rng(seed).normal(0, 5, (4, 4, 1))
    pixels = photograph(seed, side) + np.tile(cell, (side // 4, side // 4, 1))
    return (pixels + 0.5).clip(0, 255).astype(np.uint8)


def measured(pixels):
    return moved_lattice(View(pixels).maps).numpy()


@pytest.mark.parametrize("factor", [0.6, 0.75, 0.9, 1.3, 1.7])
def test_a_moved_lattice_is_found_with_its_factor(factor):
    strength, odd, moved_by, *_ = measured(resized(factor)(faint(2)))
    assert strength > measured(resized(factor)(photograph(2, 256)))[0] + 3
    assert odd < strength - 3
    assert moved_by == pytest.approx(abs(np.log(factor)), abs=0.02)


def test_it_survives_compression():
    change = [jpeg(90)(resized(0.75)(make(seed, 256))) for make in (faint, photograph) for seed in (1, 2, 3)]
    strengths = [measured(each)[0] for each in change]
    assert min(strengths[:3]) > max(strengths[3:]) + 2


def test_odd_multiples_are_those_of_jpeg_blocks():
    blocks = resized(1.3)(jpeg(30)(photograph(2, 256)))
    assert measured(blocks)[1] > measured(resized(1.3)(photograph(2, 256)))[1] + 2


@pytest.mark.parametrize("shape", [(64, 64, 3), (64, 900, 3), (200, 70, 1), (900, 900, 3)])
@pytest.mark.parametrize("value", [0, 128])
def test_strengths_are_finite_for_all_kinds_of_images(shape, value):
    uniform = np.full(shape, value, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for pixels in (uniform, noise):
        found = measured(pixels)
        assert found.shape == (LENGTH,)
        assert np.isfinite(found).all()
