"""What an image's condition leaves of a lattice, and *real* only where it would still show."""

from dataclasses import replace

import numpy as np
import pytest

from i2icli.detector import evidence, view
from i2icli.detector.classifiers import Trees
from i2icli.detector.detector import Detector
from i2icli.detector.evidence import CONDITION, condition, what_hides
from i2icli.detector.perturbations import blurred, resized
from i2icli.detector.view import View
from i2icli.errors import UserError
from tests.detector.images import photograph


def constant(value):
    """A floor that is the same in every condition."""
    leaf = np.zeros((1, 1), np.int32)
    return Trees(leaf, np.zeros((1, 1)), np.zeros((1, 1, 2), np.int32), np.zeros((1, 1)), value)


def of(pixels, name, quality=None):
    return condition(View(pixels), quality, 0.0)[CONDITION.index(name)]


@pytest.fixture(scope="module")
def real():
    """The shipped detector without a floor, and an image that it calls real."""
    detector = replace(Detector.shipped("traces"), floor=None)
    return detector, next(
        each for each in map(photograph, range(9)) if detector.predict(each).verdict == "real"
    )


def test_a_condition_says_what_an_image_went_through():
    pixels = photograph(3, 160)
    small, soft = resized(0.75)(pixels), blurred(1.0)(pixels)
    assert (of(pixels, "quality"), of(pixels, "quality", 75)) == (100, 75)
    assert of(small, "size") == pytest.approx(np.log2(120))
    for ring in ("luminance, high", "luminance, corners", "colour, high"):
        assert of(soft, ring) < of(pixels, ring) - 1
    assert of(resized(1.5)(pixels), "resampling") > of(pixels, "resampling") + 1
    assert condition(View(pixels), None, 0.7)[CONDITION.index("blocks")] == 0.7


@pytest.mark.parametrize(
    "change", [lambda p: p[..., :1], lambda p: p.astype(np.uint16) * 257, lambda p: p[:64, :64]]
)
def test_conditions_are_finite_for_all_kinds_of_images(change):
    found = condition(View(change(photograph(1))), None, 0.0)
    assert found.shape == (evidence.LENGTH,)
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("side", "small"), [(199, True), (200, False)])
def test_a_side_is_small_below_200_pixels(side, small):
    found = condition(View(np.zeros((side, 300, 1), np.uint8)), None, 0.0)
    assert (f"only {side} pixels" in what_hides(found)) == small


def test_a_uniform_image_has_a_condition():
    assert np.isfinite(condition(View(np.full((96, 96, 3), 128, np.uint8)), 90, 0.0)).all()


def test_an_image_is_measured_once(monkeypatch):
    measured = []
    for name in ("tiles", "log_spectrum", "detect_resampling"):
        made = getattr(view, name)
        monkeypatch.setattr(view, name, lambda *args, n=name, f=made: (measured.append(n), f(*args))[1])
    detector = replace(Detector.shipped("traces"), floor=constant(100.0))
    assert detector.predict(photograph(1)).verdict == "real"
    assert sorted(measured) == ["detect_resampling", "log_spectrum", "tiles"]


def test_real_only_below_the_floor(real):
    detector, pixels = real
    assert replace(detector, floor=constant(1e3)).predict(pixels).verdict == "real"
    doubtful = replace(detector, floor=constant(-1e3)).predict(pixels, "jpeg", 75)
    assert (doubtful.verdict, doubtful.abstentions) == (
        "uncertain",
        ("a faint lattice would not show: JPEG quality of about 75, only 128 pixels wide or high",),
    )
    assert doubtful.probability == detector.predict(pixels).probability


def test_the_floor_does_not_touch_fakes(real):
    detector, _ = real
    checkers = photograph(1)
    checkers[::2, ::2] = checkers[::2, ::2] // 2
    checkers[::4, 1::4] = checkers[::4, 1::4] // 2
    before = detector.predict(checkers)
    assert before.verdict != "real"
    assert replace(detector, floor=constant(-1e3)).predict(checkers) == before


def test_the_reason_names_what_hides_a_lattice():
    names = dict.fromkeys(CONDITION, 5.0) | {"quality": 100.0, "size": 9.0}
    names |= {"blocks": 0.0, "resampling": 1.5}
    assert what_hides(np.array(list(names.values()))) == "a faint lattice would not show"
    names |= {"blocks": 0.5, "resampling": 2.7}
    assert what_hides(np.array(list(names.values()))) == (
        "a faint lattice would not show: blocks of an earlier compression, perhaps resized"
    )
    names |= {"luminance, high": -1.0, "blocks": 0.0, "resampling": 1.5}
    assert what_hides(np.array(list(names.values()))) == "a faint lattice would not show: little fine detail"


def test_a_floor_is_saved_and_damaged_ones_are_refused(real, tmp_path):
    detector, pixels = real
    replace(detector, floor=constant(-2.5)).save(tmp_path / "own.safetensors")
    loaded = Detector.load(tmp_path / "own.safetensors")
    assert loaded.floor is not None
    assert loaded.floor.scores(np.zeros((2, evidence.LENGTH))).tolist() == [-2.5, -2.5]
    assert loaded.predict(pixels) == replace(detector, floor=constant(-2.5)).predict(pixels)
    beyond = replace(constant(0.0), features=np.full((1, 1), evidence.LENGTH, np.int32))
    replace(detector, floor=beyond).save(tmp_path / "damaged.safetensors")
    with pytest.raises(UserError, match=r"damaged detector file \(trees with features beyond 10\)"):
        Detector.load(tmp_path / "damaged.safetensors")


def test_a_floor_is_for_traces_alone(tmp_path):
    replace(Detector.shipped("profile"), floor=constant(0.0)).save(tmp_path / "odd.safetensors")
    with pytest.raises(UserError, match="a floor for profile"):
        Detector.load(tmp_path / "odd.safetensors")


def test_a_quantile_is_below_nearly_all():
    pytest.importorskip("sklearn")
    from i2icli.detector.fit_classifier import quantile_trees

    rng = np.random.default_rng(0)
    rows = rng.uniform(0, 1, (3000, 2))
    scores = 10 * rows[:, 0] + rng.normal(0, 1, 3000)
    floor = quantile_trees(rows, scores, 0.05).scores(rows)
    assert 0.03 < (scores < floor).mean() < 0.07
    assert np.corrcoef(floor, rows[:, 0])[0, 1] > 0.95
