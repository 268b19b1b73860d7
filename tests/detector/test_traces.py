"""Features of the default detector: lattices at any offset, in colour and grey, at any size."""

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.detector.lattice import lattice_strengths
from i2icli.detector.peaks import EVEN, ORBITS, log_spectrum, prominence
from i2icli.detector.residual import TILE, high_pass, local_mean, mean_of_local_means, planes, tiles
from i2icli.detector.traces import LENGTH, measure_traces
from i2icli.detector.view import View
from tests.detector.images import faked, photograph


def lattice(pixels, period, strength):
    """Add waves of a period along rows and columns."""
    wave = strength * np.cos(2 * np.pi * np.arange(pixels.shape[0]) / period)
    return (pixels + wave[:, None, None] + wave[:, None]).clip(0, 255).astype(np.uint8)


def test_the_even_score_separates_fakes_of_untrained_networks():
    images = [photograph(seed) for seed in range(8)]
    reals = [measure_traces(View(each)).even for each in images]
    fakes = [measure_traces(View(faked(each, seed))).even for seed, each in enumerate(images)]
    assert max(reals) < 0.5
    assert min(fakes) > 1


def test_a_peak_appears_at_its_orbit():
    traces = measure_traces(View(lattice(photograph(0), 4, 12)))
    quarter = ORBITS.index((0, 2))
    assert traces.peaks[0].argmax() == quarter
    assert traces.peaks[0, quarter] > 2
    assert traces.lattice[0, 0].argmax() == quarter


def test_the_spectrum_is_that_of_the_full_transform():
    residual = torch.randn(1, 64, 64)
    window = torch.hann_window(64, periodic=False)
    whole = (residual[0] - residual.mean()) * window[:, None] * window
    power = torch.log(torch.fft.fft2(whole).abs() ** 2 + 0.1)
    around = [
        power.roll((dy, dx), (0, 1))
        for dy in range(-3, 4)
        for dx in range(-3, 4)
        if max(abs(dy), abs(dx)) > 1
    ]
    expected = power - torch.stack(around).median(0).values
    torch.testing.assert_close(prominence(log_spectrum([residual]))[0], expected[:, :33], atol=1e-3, rtol=0)


@pytest.mark.parametrize("offset", [(0, 1), (3, 5), (7, 2)])
def test_offsets_do_not_change_the_lattice_strength(offset):
    pixels = lattice(photograph(1, 136), 2, 8)
    half = ORBITS.index((0, 4))
    first = measure_traces(View(pixels[:128, :128])).lattice[0, 0, half]
    second = measure_traces(View(pixels[offset[0] :, offset[1] :][:128, :128])).lattice[0, 0, half]
    assert abs(first - second) < 0.3
    assert first > 3


def test_independent_noise_has_the_power_of_chance():
    residual = torch.randn(3, 256, 256)
    powers = torch.exp(lattice_strengths([residual])) - 0.3
    assert 0.7 < float(powers[:, 0].mean()) < 1.3


@pytest.mark.parametrize("shape", [(40, 64), (64, 40), (5, 90), (1, 1)])
def test_means_of_local_means(shape):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    padded = np.pad(values.numpy(), 8, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (17, 17))
    expected = np.nanmean(windows, (2, 3))
    np.testing.assert_allclose(local_mean(values[None])[0], expected, atol=1e-5)
    np.testing.assert_allclose(mean_of_local_means(values), expected.mean(0), atol=1e-5)


def test_high_pass_subtracts_a_gaussian_blur():
    image = torch.zeros(1, 9, 9)
    image[0, 4, 4] = 1
    bell = np.exp(-(np.arange(-2, 3) ** 2) / 2)
    kernel = np.outer(bell, bell) / bell.sum() ** 2
    expected = image[0].numpy().copy()
    expected[2:7, 2:7] -= kernel
    np.testing.assert_allclose(high_pass(image)[0], expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(64, 64, 3), (65, 99, 1), (70, 3000, 3), (2900, 90, 3), (1100, 1300, 3)])
def test_every_size_has_all_features(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    vector = measure_traces(View(pixels)).vector
    assert vector.shape == (LENGTH,)
    assert np.isfinite(vector).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_uniform_image_has_finite_traces(value):
    vector = measure_traces(View(np.full((80, 80, 3), value, np.uint8))).vector
    assert np.isfinite(vector).all()
    assert measure_traces(View(np.full((80, 80, 3), value, np.uint8))).even < 0.5


def test_traces_do_not_depend_on_the_bit_depth():
    pixels = lattice(photograph(2), 2, 10)
    deep = measure_traces(View(pixels.astype(np.uint16) * 257)).vector
    floats = measure_traces(View((pixels / 127.5 - 1).astype(np.float32))).vector
    np.testing.assert_allclose(deep, measure_traces(View(pixels)).vector, atol=2e-2)
    np.testing.assert_allclose(floats, measure_traces(View(pixels)).vector, atol=2e-2)


def test_grey_has_no_colour_differences():
    grey = photograph(3)[..., :1]
    assert planes(grey)[1:].abs().max() == 0
    same = np.repeat(grey, 3, 2)
    first, second = (measure_traces(View(pixels)).vector for pixels in (grey, same))
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_large_images_are_tiled_on_whole_cells():
    rows, columns = np.mgrid[0:1500, 0:2003]
    pixels = np.stack([rows % 8, columns % 8, rows * 0], -1).astype(np.uint8)
    found = tiles(pixels)
    assert {tile.shape[:2] for tile in found} == {(TILE, TILE)}
    assert all(tile[0, 0, 0] == 0 and tile[0, 0, 1] == 0 for tile in found)


def test_even_orbits_are_those_of_quarters():
    assert all(a % 2 == 0 and b % 2 == 0 for a, b in EVEN)
    assert len(ORBITS) == 14


def test_jpeg_of_a_photograph_stays_below_the_score_of_fakes():
    from io import BytesIO

    buffer = BytesIO()
    Image.fromarray(photograph(5, 192)).save(buffer, "JPEG", quality=90)
    assert measure_traces(View(np.asarray(Image.open(buffer)))).even < 0.8
