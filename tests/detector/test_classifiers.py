"""Classifiers against scikit-learn and the published numbers, calibration, serialization, hostile files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from i2icli.detector.calibration import (
    Calibration,
    area_under_curve,
    balanced_accuracy,
    calibration_error,
)
from i2icli.detector.cascade import DECISIVE, EVEN_COLUMNS, ODD_COLUMNS, Cascade
from i2icli.detector.classifiers import Linear, Trees, from_arrays
from i2icli.detector.detector import SHIPPED, Detector
from i2icli.detector.fit_classifier import KINDS, NAMES, fit
from i2icli.detector.traces import LENGTH
from i2icli.errors import UserError

PARITY = Path(__file__).parents[1] / "parity" / "upconv" / "classifiers.safetensors"


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(120, 5))
    return rows, rows[:, 0] + rows[:, 1] * rows[:, 2] + 0.2 * rng.normal(size=120) > 0


@pytest.mark.parametrize(
    ("name", "key"),
    [("logistic", "logistic"), ("svm", "svm_rbf"), ("svm-linear", "svm_linear"), ("svm-poly", "svm_poly")],
)
def test_the_paper_s_classifiers_decide_as_published(name, key):
    pytest.importorskip("sklearn")
    from i2icli.detector.fit_classifier import _FITTERS

    case = load_file(PARITY)
    train = int(case["in.n_train"])
    rows, fake = case["in.features"].astype(np.float64), case["in.labels"].astype(bool)
    scores = _FITTERS[name](rows[:train], fake[:train], 0).scores(rows[train:])
    np.testing.assert_allclose(scores, case[f"out.{key}.decision"], atol=2e-3, rtol=2e-3)
    np.testing.assert_array_equal(scores > 0, case[f"out.{key}.predicted"].astype(bool))


def test_two_means_are_as_accurate_as_published():
    pytest.importorskip("sklearn")
    from i2icli.detector.fit_classifier import _FITTERS

    case = load_file(PARITY)
    rows, fake = case["in.features"].astype(np.float64), case["in.labels"].astype(bool)
    train = int(case["in.n_train"])
    scores = _FITTERS["kmeans"](rows[:train], fake[:train], 0).scores(rows)
    accuracy = max(
        float(((scores[part] > 0) == fake[part]).mean()) for part in (slice(train, None), slice(None))
    )
    assert accuracy >= float(case["out.kmeans.best_accuracy"]) - 0.05


@pytest.mark.parametrize("name", [name for name in NAMES if name != "trees"])
def test_a_fitted_classifier_survives_serialization(name, examples):
    pytest.importorskip("sklearn")
    rows, fake = examples
    fitted = fit(rows, fake, name, scaled=True, seed=0)
    again = from_arrays(KINDS[name], fitted.classifier.arrays(), rows.shape[1])
    scaled = fitted.scaling.apply(rows)
    np.testing.assert_array_equal(again.scores(scaled), fitted.classifier.scores(scaled))
    assert 0 <= fitted.scores["accuracy"] <= 1
    assert name == "kmeans" or fitted.scores["auc"] > 0.7


def test_a_tree_is_traversed_to_its_leaf():
    children = np.array([[[1, 2], [1, 1], [2, 2]]], np.int32)
    tree = Trees(
        np.array([[1, 0, 0]], np.int32), np.array([[0.5, 0, 0]]), children, np.array([[0, -1.0, 2.0]]), 0.25
    )
    np.testing.assert_allclose(tree.scores(np.array([[9, 0.5], [9, 0.6]])), [-0.75, 2.25])


def test_boosted_trees_are_those_of_scikit_learn(examples):
    ensemble = pytest.importorskip("sklearn.ensemble")
    from i2icli.detector.fit_classifier import boosted

    rows, fake = examples
    theirs = ensemble.HistGradientBoostingClassifier(
        max_iter=150, max_leaf_nodes=8, learning_rate=0.06, early_stopping=False, random_state=0
    ).fit(rows, fake)
    np.testing.assert_allclose(boosted(rows, fake, 0).scores(rows), theirs.decision_function(rows), atol=1e-9)


def test_too_few_images_are_refused():
    with pytest.raises(UserError, match="at least 10"):
        fit(np.zeros((12, 3)), np.arange(12) < 4, "logistic", scaled=False, seed=0)


def test_calibrated_probabilities_match_frequencies():
    rng = np.random.default_rng(1)
    scores = rng.normal(size=4000)
    fake = rng.random(4000) < 1 / (1 + np.exp(-(2 * scores)))
    found = Calibration.fitted(scores, fake)
    assert found.slope == pytest.approx(2, abs=0.2)
    assert calibration_error(found.probabilities(scores), fake) < 0.03


def test_calibration_of_a_perfect_separation_stays_finite():
    found = Calibration.fitted(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True]))
    extremes = found.probabilities(np.array([-1e6, 1e6]))
    assert np.isfinite([found.slope, found.offset]).all()
    assert extremes[0] < 0.5 < extremes[1]
    # From four images no probability beyond (2 + 1) / (2 + 2) can be learned.
    np.testing.assert_allclose(found.probabilities(np.array([-2.5, 2.5])), [0.25, 0.75], atol=0.02)


def test_calibration_assumes_equal_priors():
    scores = np.array([-1.0, 1.0] * 50 + [-1.0, 1.0, 1.0, 1.0])  # half of the photographs, 3 of 4 fakes
    found = Calibration.fitted(scores, np.arange(104) >= 100)
    assert found.probabilities(np.array([1.0]))[0] == pytest.approx(0.55, abs=0.06)


def test_a_fit_follows_its_seed_and_is_scored_on_held_out_data():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    rows, fake = rng.normal(size=(60, 40)), np.arange(60) % 2 == 0  # nothing to learn, much to memorise
    first, again, other = (fit(rows, fake, "svm", scaled=False, seed=seed) for seed in (1, 1, 2))
    assert first.scores == again.scores != other.scores
    assert first.calibration == again.calibration
    assert first.scores["accuracy"] < 0.7
    assert ((first.classifier.scores(rows) > 0) == fake).mean() > 0.9


def test_calibration_ignores_an_inverted_score():
    fake = np.arange(40) < 20
    found = Calibration.fitted(np.arange(40.0), fake)
    assert found.slope == 0


def test_area_counts_ties_half():
    fake = np.array([False, False, True, True])
    assert area_under_curve(np.array([0.0, 1, 1, 2]), fake) == pytest.approx(0.875)
    assert np.isnan(area_under_curve(np.array([1.0]), np.array([True])))
    assert balanced_accuracy(np.array([False, True, True, True]), fake) == 0.75


@pytest.mark.parametrize("mode", list(SHIPPED))
def test_shipped_detectors_load_and_are_small(mode):
    detector = Detector.shipped(mode)
    assert SHIPPED[mode].stat().st_size < 500_000
    assert detector.info.fitted_on
    assert 0 <= detector.probabilities(np.zeros((1, detector.info.length)))[0] <= 1


def test_saving_and_loading_give_the_same_probabilities(tmp_path):
    detector = Detector.shipped("traces")
    detector.save(tmp_path / "copy.safetensors")
    rows = np.random.default_rng(0).normal(size=(20, detector.info.length))
    (tmp_path / "other").touch()
    assert (tmp_path / "copy.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode
    again = Detector.load(tmp_path / "copy.safetensors")
    np.testing.assert_array_equal(again.probabilities(rows), detector.probabilities(rows))


def _damaged(tmp_path, change):
    """A copy of the shipped detector with arrays or metadata changed."""
    from safetensors import safe_open

    arrays = load_file(SHIPPED["traces"])
    with safe_open(SHIPPED["traces"], "numpy") as file:
        text = file.metadata()["i2icli-detector"]
    metadata = json.loads(text)
    change(arrays, metadata)
    path = tmp_path / "d.safetensors"
    save_file(arrays, path, metadata={"i2icli-detector": json.dumps(metadata)})
    return path


def _loop(arrays, _):
    arrays["classifier.trees.children"][:] = 10_000


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_loop, "out of bounds"),
        (lambda a, _: a.pop("classifier.linear.weights"), "weights: missing"),
        (lambda a, _: a.update({"scaling.centre": np.zeros(3)}), "scaling.centre"),
        (lambda a, _: a["classifier.trees.features"].fill(5000), "beyond"),
        (lambda a, _: a["classifier.linear.weights"].fill(np.nan), "finite"),
        (lambda _, d: d.update(length=99_999_999), "length"),
        (lambda _, d: d.update(kind="pickle"), "kind"),
        (lambda _, d: d.update(format=99), "newer"),
        (lambda _, d: d.update(surprise=1), "surprise"),
        (lambda _, d: d.update(slope=float("nan")), "slope"),
        (lambda _, d: d.update(real_below=0.99), "real_below exceeds"),
        (lambda _, d: d.update(features="profile"), "a residual network for profile"),
        (lambda _, d: d.update(length=175), "175 features of traces"),
        (lambda a, _: a["scaling.spread"].fill(0), "spread"),
        (lambda a, _: a["classifier.spread"].fill(-1), "spread"),
        (lambda a, _: a.update({"scaling.centre": a["scaling.centre"].astype(np.complex64)}), "complex64"),
    ],
)
def test_damaged_detectors_are_refused_in_one_line(tmp_path, change, expected):
    with pytest.raises(UserError, match=expected) as refused:
        Detector.load(_damaged(tmp_path, change))
    assert "\n" not in str(refused.value)


def test_types_that_numpy_lacks_are_refused_in_one_line(tmp_path):
    from safetensors.torch import save_file as save_tensors

    tensors = {"scaling.centre": torch.zeros(180).to(torch.float8_e4m3fn)}
    save_tensors(tensors, tmp_path / "d.safetensors", metadata={"i2icli-detector": "{}"})
    with pytest.raises(UserError, match="not a readable detector") as refused:
        Detector.load(tmp_path / "d.safetensors")
    assert "\n" not in str(refused.value)


def test_absurd_parameters_give_no_information(tmp_path, recwarn):
    path = _damaged(tmp_path, lambda a, _: a["classifier.linear.weights"].fill(1e308))
    rows = np.random.default_rng(0).normal(size=(4, LENGTH + 1))
    predicted = Detector.load(path).probabilities(rows)
    assert ((predicted >= 0) & (predicted <= 1)).all()
    assert 0.5 in predicted  # where sums overflow
    assert not recwarn.list


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"PK\x03\x04 a zip", b"\xff" * 64, b"{}"])
def test_other_files_are_refused_in_one_line(tmp_path, content):
    path = tmp_path / "d.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a readable detector") as refused:
        Detector.load(path)
    assert "\n" not in str(refused.value)


def test_weights_of_a_network_are_not_a_detector(tmp_path):
    save_file({"a": np.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="not a detector"):
        Detector.load(tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="no such detector"):
        Detector.load(tmp_path / "nothing.safetensors")


def test_even_peaks_decide_alone_and_odd_ones_raise_the_threshold():
    length = LENGTH + 1
    leaf = np.zeros((1, 1))
    trees = Trees(leaf.astype(np.int32), leaf, np.zeros((1, 1, 2), np.int32), leaf, 0.0)
    linear = Linear(np.zeros(length), 0.0)
    cascade = Cascade(
        np.zeros(length), np.ones(length), linear, trees, np.array([0.0, 0.0, 0.0, -3.0]), sure=0.8
    )
    rows = np.zeros((4, length))
    rows[1:, EVEN_COLUMNS] = [[0.7], [1.8], [1.8]]
    rows[3, ODD_COLUMNS] = 2.0  # as under strong JPEG
    np.testing.assert_allclose(cascade.scores(rows), [-3, -3, -3 + DECISIVE, -3])
    assert Detector.shipped("traces").probabilities(rows[1:3]).round(2)[1] >= 0.97
