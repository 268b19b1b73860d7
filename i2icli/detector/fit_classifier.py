"""Fitting a classifier with scikit-learn; the result is one of `classifiers`, plain arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from i2icli.detector.calibration import (
    Array,
    Calibration,
    Truth,
    area_under_curve,
    balanced_accuracy,
    calibration_error,
)
from i2icli.detector.classifiers import Classifier, Clusters, Kernel, Linear, Scaling, Trees
from i2icli.detector.serialization import Kind
from i2icli.errors import UserError

Name = Literal["logistic", "svm", "svm-linear", "svm-poly", "kmeans", "trees"]
"""The papers': logistic regression, support vector machines, two-means; and boosted trees."""
NAMES: tuple[str, ...] = get_args(Name)

KINDS: dict[str, Kind] = {
    "logistic": "linear",
    "svm": "rbf",
    "svm-linear": "linear",
    "svm-poly": "poly",
    "kmeans": "clusters",
}
KINDS["trees"] = "trees"

RUNS, HELD_OUT = 10, 0.2  # as in the papers: the mean of ten random 80/20 splits
FEWEST = 10  # images of each class: with fewer, held-out scores are meaningless


@dataclass(frozen=True)
class Fitted:
    """A classifier with its scaling and calibration, and its held-out scores."""

    scaling: Scaling
    classifier: Classifier
    calibration: Calibration
    scores: dict[str, float]


def fit(rows: Array, fake: Truth, name: Name, *, scaled: bool, seed: int) -> Fitted:
    """Fit to (N, D), evaluate on ten random 80/20 splits, calibrate on the held-out scores.

    The hyperparameters are the papers': logistic regression (liblinear, at most 1000 iterations), RBF SVM
    with C = 6.37 and gamma = 0.86, linear SVM with C = 1, polynomial SVM with scikit-learn's defaults.
    Durall et al., "Unmasking DeepFakes with simple Features", https://arxiv.org/abs/1911.00686, and
    CVPR 2020, section 4. scaled: standardise features by median and quartiles first, which they did not.
    Raises UserError for too few images or without scikit-learn.
    """
    check_enough(fake)
    held_out: dict[str, list[float]] = {"accuracy": [], "auc": []}
    collected: list[tuple[Array, Truth]] = []
    for train, test in _splits(fake, seed):
        scaling, classifier = _one(rows[train], fake[train], name, scaled, seed)
        scores = classifier.scores(scaling.apply(rows[test]))
        held_out["accuracy"].append(float(((scores > 0) == fake[test]).mean()))
        held_out["auc"].append(area_under_curve(scores, fake[test]))
        collected.append((scores, fake[test]))
    scores, truth = (np.concatenate(each) for each in zip(*collected, strict=True))
    calibration = Calibration.fitted(scores, truth)
    predicted = calibration.probabilities(scores)
    measured = {key: float(np.mean(values)) for key, values in held_out.items()}
    measured["balanced_accuracy"] = balanced_accuracy(predicted > 0.5, truth)
    measured["calibration_error"] = calibration_error(predicted, truth)
    scaling, classifier = _one(rows, fake, name, scaled, seed)
    return Fitted(scaling, classifier, calibration, measured)


def check_enough(fake: Truth) -> None:
    """Raise UserError unless there are enough images of both classes."""
    for what, number in (("photographs", int((~fake).sum())), ("fakes", int(fake.sum()))):
        if number < FEWEST:
            raise UserError(
                f"{number} readable {what}; a detector needs at least {FEWEST} photographs and {FEWEST} fakes"
            )


def _splits(fake: Truth, seed: int) -> list[tuple[Any, Any]]:
    selection = _scikit("model_selection")
    splitter = selection.StratifiedShuffleSplit(RUNS, test_size=HELD_OUT, random_state=seed)
    return list(splitter.split(fake, fake))


def _one(rows: Array, fake: Truth, name: Name, scaled: bool, seed: int) -> tuple[Scaling, Classifier]:
    scaling = Scaling.robust(rows, 4.0) if scaled else Scaling.identity(rows.shape[1])
    return scaling, _FITTERS[name](scaling.apply(rows), fake, seed)


def _logistic(rows: Array, fake: Truth, seed: int) -> Classifier:
    model = _scikit("linear_model").LogisticRegression(solver="liblinear", max_iter=1000, random_state=seed)
    model.fit(rows, fake)
    return Linear(model.coef_[0].astype(np.float64), float(model.intercept_[0]))


def _svm(rows: Array, fake: Truth, seed: int) -> Classifier:
    model = _scikit("svm").SVC(C=6.37, kernel="rbf", gamma=0.86, random_state=seed).fit(rows, fake)
    return _kernel("rbf", model, 0.86)


def _svm_linear(rows: Array, fake: Truth, seed: int) -> Classifier:
    model = _scikit("svm").SVC(C=1.0, kernel="linear", random_state=seed).fit(rows, fake)
    return Linear(model.coef_[0].astype(np.float64), float(model.intercept_[0]))


def _svm_poly(rows: Array, fake: Truth, seed: int) -> Classifier:
    model = _scikit("svm").SVC(kernel="poly", degree=3, gamma="scale", random_state=seed).fit(rows, fake)
    return _kernel("poly", model, 1 / (rows.shape[1] * float(rows.var() or 1)))


def _kernel(kind: Literal["rbf", "poly"], model: Any, gamma: float) -> Kernel:
    return Kernel(
        kind,
        model.support_vectors_.astype(np.float64),
        model.dual_coef_[0].astype(np.float64),
        float(model.intercept_[0]),
        gamma,
    )


def _kmeans(rows: Array, fake: Truth, seed: int) -> Classifier:
    """Labels are only used to decide which cluster means fake, by majority."""
    model = _scikit("cluster").KMeans(2, n_init=10, random_state=seed).fit(rows)
    shares = [float(fake[model.labels_ == cluster].mean()) for cluster in (0, 1)]
    order = [0, 1] if shares[1] >= shares[0] else [1, 0]
    return Clusters(model.cluster_centers_[order].astype(np.float64))


def _trees(rows: Array, fake: Truth, seed: int) -> Classifier:
    return boosted(rows, fake, seed)


def boosted(rows: Array, fake: Truth, seed: int, weights: Array | None = None) -> Trees:
    """Gradient boosting: 150 trees of 8 leaves, learning rate 0.06."""
    model = _scikit("ensemble").HistGradientBoostingClassifier(
        max_iter=150, max_leaf_nodes=8, learning_rate=0.06, early_stopping=False, random_state=seed
    )
    return _as_trees(model.fit(rows, fake, sample_weight=weights))


def quantile_trees(rows: Array, scores: Array, quantile: float, seed: int = 0) -> Trees:
    """Gradient boosting of a quantile of scores (N,) given features (N, D): 60 trees of 5 leaves."""
    model = _scikit("ensemble").HistGradientBoostingRegressor(
        loss="quantile",
        quantile=quantile,
        max_iter=60,
        max_leaf_nodes=5,
        min_samples_leaf=60,
        learning_rate=0.1,
        early_stopping=False,
        random_state=seed,
    )
    return _as_trees(model.fit(rows, scores))


def _as_trees(model: Any) -> Trees:
    """The trees of a fitted model of scikit-learn as plain arrays."""
    nodes = [each[0].nodes for each in model._predictors]
    most = max(map(len, nodes))
    features, thresholds = np.zeros((len(nodes), most), np.int32), np.zeros((len(nodes), most))
    children = np.tile(np.arange(most, dtype=np.int32)[None, :, None], (len(nodes), 1, 2))
    values = np.zeros((len(nodes), most))
    for tree, each in enumerate(nodes):
        for index, node in enumerate(each):
            values[tree, index] = node["value"]
            if not node["is_leaf"]:
                features[tree, index], thresholds[tree, index] = node["feature_idx"], node["num_threshold"]
                children[tree, index] = node["left"], node["right"]
    start = float(np.asarray(model._baseline_prediction).ravel()[0])
    return Trees(features, thresholds, children, values, start)


def _scikit(part: str) -> Any:
    """A module of scikit-learn. Raises UserError if it is not installed."""
    try:
        from importlib import import_module

        return import_module(f"sklearn.{part}")
    except ImportError:
        raise UserError(
            "fitting a detector needs scikit-learn, which is not installed; pip install 'i2icli[detector]'"
        ) from None


_FITTERS: dict[str, Callable[[Array, Truth, int], Classifier]] = {
    "logistic": _logistic,
    "svm": _svm,
    "svm-linear": _svm_linear,
    "svm-poly": _svm_poly,
    "kmeans": _kmeans,
    "trees": _trees,
}
