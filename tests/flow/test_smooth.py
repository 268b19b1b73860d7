"""Smoothing of translated videos: less flicker, no ghosts, the same after a restart from its state."""

import numpy as np
import pytest

from i2icli.flow.consistency import consistency
from i2icli.flow.smooth import Smoother
from tests.flow.scenes import texture
from tests.flow.test_consistency import pan

Film = list[np.ndarray]


def flickering(film: Film, seed: int = 0) -> Film:
    """Another exposure for every frame, as if each was translated on its own."""
    factors = np.random.default_rng(seed).uniform(0.6, 1.0, len(film))
    return [np.uint8(frame * factor) for frame, factor in zip(film, factors, strict=True)]


def smoothed(film: Film, results: Film, strength: float = 0.7) -> Film:
    smoother = Smoother(strength)
    return [smoother(frame, result) for frame, result in zip(film, results, strict=True)]


def test_flicker_of_a_moving_scene_shrinks():
    film = pan(8)
    results = flickering(film)
    before, after = consistency(film, results), consistency(film, smoothed(film, results))
    assert before is not None
    assert after is not None
    assert after.result.short < 0.4 * before.result.short


def test_a_steady_translation_stays_as_it_is():
    film = pan(8)
    results = [255 - frame for frame in film]
    last = smoothed(film, results)[-1].astype(float)
    assert np.abs(last - results[-1]).mean() < 1.5
    assert last.std() > 0.97 * results[-1].std()  # nor blurred


def test_nothing_is_carried_over_a_cut():
    second = texture(64, 128, 9).astype(float) * [0.9, 0.3, 0.2]
    film = [*pan(3), *(second[:, 2 * i :][:, :64].astype(np.uint8) for i in range(3))]
    results = [*([np.full((64, 64, 3), 255, np.uint8)] * 3), *([np.zeros((64, 64, 3), np.uint8)] * 3)]
    assert all(frame.max() == 0 for frame in smoothed(film, results)[3:])


def test_not_even_what_both_scenes_show_is_carried_over_a_cut():
    film = [*pan(3), (texture(64, 64, 9) * [0.9, 0.3, 0.2]).astype(np.uint8)]
    film[3][20:36, 20:36] = film[2][20:36, 20:36]  # where flow agrees
    results = [*([np.full((64, 64, 3), 255, np.uint8)] * 3), np.zeros((64, 64, 3), np.uint8)]
    assert smoothed(film, results)[3].max() == 0


def test_what_comes_into_view_is_not_mixed_with_what_hid_it():
    background, square = texture(96, 128, 1), np.ascontiguousarray(255 - texture(48, 48, 2) // 4)
    film = []
    for index in range(6):
        frame = background.copy()
        frame[24:72, 8 + 10 * index : 56 + 10 * index] = square
        film.append(frame)
    results = [np.where(frame.mean(axis=2, keepdims=True) > 180, 255, 0).astype(np.uint8) for frame in film]
    left = 8 + 10 * 5  # of the square in the last frame
    for last, plain in zip(smoothed(film, results)[1:], results[1:], strict=True):
        assert last.shape == plain.shape
    behind = smoothed(film, results)[-1][28:68, left - 30 : left - 4, 0]
    assert behind.mean() < 12  # of 255, which a ghost of the square would add up to


def test_light_that_changes_in_the_source_changes_at_once():
    dark = [np.uint8(frame * 0.3) for frame in pan(6)[3:]]
    film = pan(6)[:3] + dark
    after = smoothed(film, film)
    assert abs(float(after[3].mean()) - float(film[3].mean())) < 4


@pytest.mark.parametrize(("channels", "dtype"), [(1, "uint8"), (3, "uint16"), (4, "uint8")])
def test_results_of_other_sides_channels_and_depth(channels: int, dtype: str):
    film = pan(3)
    size = (128, 96, channels)
    results = [np.full(size, 90 + index, dtype) for index in range(3)]
    after = smoothed(film, results)
    assert {each.dtype.name for each in after} == {dtype}
    assert {each.shape for each in after} == {size}
    assert 90 < after[2].mean() < 92


def test_the_state_goes_on_bit_for_bit():
    film = pan(8)
    results = flickering(film)
    whole = smoothed(film, results)
    first = Smoother()
    assert first.state() == {}
    for frame, result in zip(film[:4], results[:4], strict=True):
        first(frame, result)
    second = Smoother()
    second.load({name: values.copy() for name, values in first.state().items()})
    rest = [second(frame, result) for frame, result in zip(film[4:], results[4:], strict=True)]
    assert all(np.array_equal(one, other) for one, other in zip(rest, whole[4:], strict=True))


def test_strength_zero_changes_nothing_and_one_is_refused():
    film = pan(3)
    results = flickering(film)
    assert all(np.array_equal(*each) for each in zip(smoothed(film, results, 0), results, strict=True))
    with pytest.raises(ValueError, match="strength"):
        Smoother(1.0)


def test_a_change_of_size_starts_anew():
    smoother = Smoother()
    smoother(pan()[0], pan()[0])
    small = np.ascontiguousarray(pan()[1][:40, :40])
    assert np.array_equal(smoother(small, small), small)
