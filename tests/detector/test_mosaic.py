"""A camera's mosaic: peaks at half the sampling rate alone, in an image as large as a camera's."""

import numpy as np
import pytest

from benchmarks.detector.cameras import DEMOSAICING, Camera, pattern, photographed
from i2icli.detector.abstention import MOSAIC
from i2icli.detector.detector import Detector
from i2icli.detector.mosaic import LARGE, could_be_mosaic
from tests.detector.images import photograph
from tests.detector.test_traces import lattice

BAYER = ("RGGB", "GRBG", "GBRG", "BGGR")


@pytest.fixture(scope="module")
def detector():
    return Detector.shipped("traces")


@pytest.fixture(scope="module")
def large():
    """A photograph of 800x800 px."""
    return np.tile(photograph(0, 400), (2, 2, 1))


def taken(pixels, **camera):
    """The photograph taken again by a simulated camera."""
    light = ((pixels / 255) ** 2.2).astype(np.float32)
    return photographed(light, Camera(**camera), np.random.default_rng(0))


@pytest.mark.parametrize(
    "camera",
    [
        {"demosaicing": "bilinear", "noise": 0.02},
        {"mosaic": "GBRG", "noise": 0.02},
        {"demosaicing": "opencv-ea", "imbalance": 0.03},
        {"sharpening": 1.0, "imbalance": 0.01},
    ],
)
def test_a_mosaic_in_a_large_image_is_uncertain(detector, large, camera):
    pixels = taken(large, **camera)
    prediction = detector.predict(pixels)
    assert prediction.verdict == "uncertain"
    assert "could be the camera's mosaic" in " ".join(prediction.abstentions)
    assert prediction.probability > 0.9
    crop = detector.predict(pixels[:256, :256])  # cameras make larger images, networks do not
    assert MOSAIC not in crop.abstentions


def test_peaks_at_quarters_are_those_of_networks(detector, large):
    half, both = lattice(large, 2, 10), lattice(lattice(large, 2, 10), 4, 10)
    assert "mosaic" in " ".join(detector.predict(half).abstentions)
    assert detector.predict(both).verdict == "fake"
    features = detector.extract(half)
    assert could_be_mosaic(features, 1, LARGE)
    assert not could_be_mosaic(features, 1, LARGE - 1)


def test_photographs_without_a_mosaic_are_not_mentioned(detector, large):
    assert not could_be_mosaic(detector.extract(large), *large.shape[:2])


@pytest.mark.parametrize("name", sorted(DEMOSAICING))
def test_demosaicing_keeps_a_uniform_colour(name):
    colour = np.array((0.2, 0.5, 0.8), np.float32)
    flat = np.broadcast_to(colour, (48, 48, 3))
    for mosaic in (*BAYER, *(("X-Trans", "quad") if name in ("nearest", "distance") else ())):
        colours = pattern(mosaic, 48, 48)
        raw = np.ascontiguousarray(colour[colours])
        made = DEMOSAICING[name](raw, colours)[8:-8, 8:-8]
        np.testing.assert_allclose(made, flat[8:-8, 8:-8], atol=4e-3)


@pytest.mark.parametrize("mosaic", BAYER)
def test_demosaicing_keeps_what_was_seen(mosaic):
    image = photograph(1, 64).astype(np.float32) / 255
    colours = pattern(mosaic, 64, 64)
    raw = np.take_along_axis(image, colours[..., None], 2)[..., 0]
    for name in ("nearest", "bilinear", "malvar", "hamilton-adams", "opencv", "opencv-ea"):
        made = DEMOSAICING[name](raw, colours)
        again = np.take_along_axis(made, colours[..., None], 2)[..., 0]
        np.testing.assert_allclose(again[4:-4, 4:-4], raw[4:-4, 4:-4], atol=2e-4)
        assert np.abs(made - image)[4:-4, 4:-4].mean() < 0.08
