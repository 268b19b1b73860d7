"""Scene cuts and repeated frames, on films that are made for it."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from i2icli.flow.cuts import SceneCuts, find_scenes
from tests.flow.scenes import texture

Film = list[NDArray[np.uint8]]


def scene(number: int, *, frames: int = 8, speed: float = 2.0) -> Film:
    """A pan over a picture of its own colours, `speed` pixels per frame of 96x64."""
    picture = texture(64, 400, number, blur=3.0).astype(float)
    tint = np.random.default_rng(number + 50).uniform(0.2, 1.0, 3)
    picture *= tint
    return [picture[:, round(i * speed) :][:, :96].astype(np.uint8) for i in range(frames)]


def at_once(film: Film) -> list[int]:
    cuts = SceneCuts()
    return [index for index, frame in enumerate(film) if cuts(frame)]


def scaled(film: Film, factors: NDArray[np.float64]) -> Film:
    return [
        (frame * factor).clip(0, 255).astype(np.uint8) for frame, factor in zip(film, factors, strict=True)
    ]


@pytest.mark.parametrize("first", range(4))
def test_cuts_between_scenes_are_found(first: int):
    film = scene(first) + scene(first + 1) + scene(first + 2)
    assert find_scenes(film).cuts == (8, 16)
    assert at_once(film) == [8, 16]
    assert find_scenes(film).scenes == [range(8), range(8, 16), range(16, 24)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: scene(1, speed=0),
        lambda: scene(1, frames=12, speed=24),  # a quarter of the width per frame
        lambda: scaled(scene(1, frames=10), np.linspace(1, 0.3, 10)),
        lambda: scaled(scene(1, frames=10), np.array([1, 1, 1.4, 1.8, 1, 1, 0.6, 1, 1, 1])),
        lambda: [frame[:: 1 + i % 2, :: 1 + i % 2] for i, frame in enumerate(scene(1))],
    ],
    ids=["rest", "fast pan", "fade", "flicker", "sizes"],
)
def test_one_scene_is_one(make: Callable[[], Film]):
    film = make()
    assert find_scenes(film).cuts == ()
    assert at_once(film) == []


def test_a_saturated_flash_is_no_cut_once_the_frames_behind_it_are_known():
    film = scene(1, frames=10)
    other = scene(2, frames=2)
    film[4:6] = [np.maximum(frame, 250 - (frame % 60)) for frame in other]  # bright, of other structure
    assert find_scenes(film).cuts == ()
    assert at_once(film) == [4, 6]
    assert find_scenes(film[:6]).cuts == (4,)  # with nothing behind it


def test_through_black_and_white_the_scenes_are_told_apart():
    black = [np.zeros((64, 96, 3), np.uint8)] * 3
    white = [np.full((64, 96, 3), 255, np.uint8)] * 2
    assert find_scenes(scene(1) + black + scene(2)).cuts == (11,)
    assert find_scenes(scene(1, speed=0) + white + scene(1, speed=0)).cuts == ()
    assert at_once([*black, *scene(1)]) == []


def test_a_short_scene_is_one_between_two_cuts():
    film = scene(1) + scene(2, frames=2) + scene(3)
    assert find_scenes(film).cuts == (8, 10)


def test_telecine_is_noticed_and_a_scene_at_rest_is_not():
    film = scene(1, frames=12, speed=6)
    twice = [frame for index, frame in enumerate(film) for _ in range(2 if index % 4 == 3 else 1)]
    found = find_scenes(twice)
    assert found.duplicates == (4, 9)  # the last has no frame behind it
    assert found.length == len(twice)
    noisy = [
        (frame + (index % 2)).astype(np.uint8) for index, frame in enumerate(twice)
    ]  # as codecs leave it
    assert find_scenes(noisy).duplicates == ()
    still = film[:3] + [film[3]] * 9 + film[4:]
    assert find_scenes(still).duplicates == ()


def test_the_state_goes_on_where_it_was_taken():
    first, second = scene(1), scene(2)
    cuts = SceneCuts()
    assert [cuts(frame) for frame in first] == [False] * 8
    later = SceneCuts()
    later.load(cuts.state())
    assert later(second[0])
    fresh = SceneCuts()
    fresh.load({})
    assert not fresh(second[0])


def test_an_empty_film_has_no_scenes():
    assert find_scenes([]).scenes == []
