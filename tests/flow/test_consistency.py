"""Warping error and flicker, on videos whose scores are known."""

import numpy as np
import pytest
from scipy.signal import detrend

from i2icli.flow.consistency import ConsistencyMeter, consistency
from i2icli.flow.flicker import FlickerMeter
from tests.flow.scenes import texture


def pan(frames: int = 6, seed: int = 0, speed: int = 2) -> list[np.ndarray]:
    """A pan of 64x64 pixels, exact to the pixel."""
    picture = texture(64, 128, seed)
    return [np.ascontiguousarray(picture[:, speed * i :][:, :64]) for i in range(frames)]


def test_a_steady_translation_scores_as_well_as_its_source():
    film = pan()
    found = consistency(film, [255 - frame for frame in film])
    assert found is not None
    assert found.result.short == pytest.approx(found.source.short, rel=1e-4)
    assert found.result.long == pytest.approx(found.source.long, rel=1e-4)
    assert found.source.short < 1


def test_flicker_raises_the_error_by_its_square():
    film = pan()
    results = [np.full((64, 64, 3), 100 + 20 * (index % 2), np.uint8) for index in range(len(film))]
    found = consistency(film, results)
    assert found is not None
    assert found.result.short == pytest.approx(1000 * (20 / 255) ** 2, rel=1e-4)
    assert found.frozen.short == pytest.approx(0, abs=1e-6)  # of one colour
    assert "long term" in str(found.result)


def test_16_bit_results_score_like_8_bit_ones():
    film = pan(4)
    results = [np.roll(frame, 3, axis=2) for frame in film]
    wide = [frame.astype(np.uint16) * 257 for frame in results]
    one, other = consistency(film, results), consistency(film, wide)
    assert one is not None
    assert other is not None
    assert one.result.short == pytest.approx(other.result.short, rel=1e-4)


def test_a_frozen_video_is_told_from_a_steady_one():
    film = pan(6, speed=4)
    found = consistency(film, [film[0]] * 6)
    assert found is not None
    assert found.result.short == pytest.approx(found.frozen.short, rel=1e-4)
    assert found.frozen.short > 5 * found.source.short


def test_nothing_is_compared_across_a_cut():
    first = consistency(pan(4), pan(4))
    picture = texture(64, 128, 9).astype(float) * [0.9, 0.3, 0.2]
    other = [picture[:, 2 * i :][:, :64].astype(np.uint8) for i in range(4)]
    meter = ConsistencyMeter()
    for frame in [*pan(4), *other]:
        meter.add(frame, frame)
    found = meter.measured()
    assert first is not None
    assert found is not None
    assert found.source.short < 2 * first.source.short


def test_too_little_to_compare_and_wrong_sizes():
    meter = ConsistencyMeter()
    assert meter.measured() is None
    meter.add(pan()[0], pan()[0])
    assert meter.measured() is None
    with pytest.raises(ValueError, match="its result of"):
        meter.add(pan()[0], pan()[0][:32])
    meter.add(pan()[1], pan()[1])
    found = meter.measured()
    assert found is not None
    assert np.isnan(found.result.long)


def test_flicker_is_found_at_its_frequency_and_strength():
    still = texture(32, 32)
    meter = FlickerMeter()
    for index in range(64):
        wave = 10 * np.sin(2 * np.pi * index / 4)  # a quarter of a cycle per frame
        meter.add(still, np.full((32, 32, 3), 100 + round(wave), np.uint8))
    found = meter.measured()
    assert found is not None
    assert found.frequencies[found.result.argmax()] == pytest.approx(0.25)
    assert found.strength == pytest.approx(10 / np.sqrt(2), rel=0.02)
    assert found.source_strength == pytest.approx(0, abs=1e-3)
    assert found.at_rest == 1


def test_variances_add_up_to_that_of_the_pixels_around_their_trend():
    rng = np.random.default_rng(0)
    results = rng.integers(90, 110, (32, 32, 32, 3)).astype(np.uint8)
    meter = FlickerMeter()
    for frame in results:
        meter.add(texture(32, 32), frame)
    found = meter.measured()
    assert found is not None
    luma = results.astype(float) @ [0.299, 0.587, 0.114]
    expected = detrend(luma, axis=0).var(axis=0).mean()
    assert found.result.sum() == pytest.approx(expected, rel=1e-3)


def test_a_slow_fade_is_no_flicker_and_what_moves_does_not_count():
    meter = FlickerMeter()
    picture = texture(32, 200)
    for index in range(32):
        frame = texture(32, 64)
        frame[:, 32:] = picture[:, 4 * index :][:, :32]
        meter.add(frame, np.full((32, 64, 3), 100 + 3 * index, np.uint8))
    found = meter.measured()
    assert found is not None
    assert 0.4 < found.at_rest < 0.6
    assert found.strength < 0.01


def test_nothing_at_rest_and_too_few_frames_give_no_spectrum():
    meter = FlickerMeter(4)
    rng = np.random.default_rng(1)
    for _ in range(3):
        frame = rng.integers(0, 255, (16, 16, 3)).astype(np.uint8)
        meter.add(frame, frame)
    assert meter.measured() is None
    frame = rng.integers(0, 255, (16, 16, 3)).astype(np.uint8)
    meter.add(frame, frame)
    assert meter.measured() is None
