"""Fitted classifiers as plain arrays: scored with numpy alone, stored without pickle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

MAX_DEPTH = 64  # nodes from root to leaf; a tree of 8 leaves has at most 7

Array: TypeAlias = NDArray[np.float64]
Arrays: TypeAlias = dict[str, NDArray[Any]]


class Classifier(Protocol):
    """Scores feature vectors; larger means more likely fake."""

    def scores(self, rows: Array) -> Array:
        """(N, D) -> (N,)."""
        ...

    def arrays(self) -> Arrays:
        """All parameters, by name."""
        ...


@dataclass(frozen=True)
class Scaling:
    """Standardises features: (x - location) / scale, clipped to +-limit."""

    location: Array  # (D,)
    scale: Array  # (D,), positive
    limit: float = np.inf

    def __post_init__(self) -> None:
        """Raises ValueError unless every scale is positive."""
        if not (self.scale > 0).all():
            raise ValueError("spread: not all positive")

    @classmethod
    def robust(cls, rows: Array, limit: float) -> "Scaling":
        """Median and interquartile range of (N, D)."""
        low, median, high = np.percentile(rows, (25, 50, 75), axis=0)
        return cls(median, np.maximum(high - low, 1e-6), limit)

    @classmethod
    def identity(cls, length: int) -> "Scaling":
        """Leaves features unchanged."""
        return cls(np.zeros(length), np.ones(length))

    @classmethod
    def standard(cls, rows: Array) -> "Scaling":
        """Mean and standard deviation of (N, D)."""
        return cls(rows.mean(0), rows.std(0) + 1e-9)

    def apply(self, rows: Array) -> Array:
        """(N, D) -> (N, D)."""
        return np.clip((rows - self.location) / self.scale, -self.limit, self.limit)


@dataclass(frozen=True)
class Linear:
    """Logistic regression or a linear support vector machine."""

    weights: Array  # (D,)
    bias: float

    def scores(self, rows: Array) -> Array:
        """(N, D) -> (N,): signed distance from the boundary, in units of the fit."""
        return rows @ self.weights + self.bias

    def arrays(self) -> Arrays:
        """weights, bias."""
        return {"weights": self.weights, "bias": np.array([self.bias])}


@dataclass(frozen=True)
class Kernel:
    """A support vector machine: rbf exp(-gamma |x-v|^2), or polynomial (gamma x.v + shift)^degree."""

    kind: Literal["rbf", "poly"]
    vectors: Array  # (V, D)
    coefficients: Array  # (V,)
    bias: float
    gamma: float
    degree: int = 3
    shift: float = 0.0

    def scores(self, rows: Array) -> Array:
        """(N, D) -> (N,)."""
        products = rows @ self.vectors.T  # (N, V)
        if self.kind == "rbf":
            squares = (rows**2).sum(1)[:, None] + (self.vectors**2).sum(1) - 2 * products
            kernel = np.exp(-self.gamma * np.maximum(squares, 0))
        else:
            kernel = (self.gamma * products + self.shift) ** self.degree
        result: Array = kernel @ self.coefficients + self.bias
        return result

    def arrays(self) -> Arrays:
        """vectors, coefficients, bias, and the kernel's parameters."""
        numbers = np.array([self.gamma, self.degree, self.shift])
        return {
            "vectors": self.vectors,
            "coefficients": self.coefficients,
            "bias": np.array([self.bias]),
            "kernel": numbers,
        }


@dataclass(frozen=True)
class Clusters:
    """Two clusters, found without labels; the second is the one with the larger share of fakes."""

    centres: Array  # (2, D): photographs, fakes

    def scores(self, rows: Array) -> Array:
        """(N, D) -> (N,): how much nearer the cluster of fakes is."""
        distances = np.linalg.norm(rows[:, None] - self.centres, axis=2)  # (N, 2)
        difference: Array = distances[:, 0] - distances[:, 1]
        return difference

    def arrays(self) -> Arrays:
        """centres."""
        return {"centres": self.centres}


@dataclass(frozen=True)
class Trees:
    """Gradient-boosted trees: T trees of at most M nodes; the children of a leaf are the leaf itself."""

    features: NDArray[np.int32]  # (T, M): the feature a node splits on
    thresholds: Array  # (T, M): up to this goes left
    children: NDArray[np.int32]  # (T, M, 2): left, right
    values: Array  # (T, M): contribution of a leaf
    start: float  # log odds before the first tree

    def scores(self, rows: Array) -> Array:
        """(N, D) -> (N,): log odds."""
        trees = np.arange(len(self.features))
        node: NDArray[np.int64] = np.zeros((len(rows), len(trees)), np.int64)  # (N, T)
        for _ in range(MAX_DEPTH):  # a hostile file may contain cycles
            values = np.take_along_axis(rows, self.features[trees, node], 1)  # (N, T)
            child: NDArray[np.int64] = self.children[
                trees, node, (values > self.thresholds[trees, node]).astype(np.int64)
            ].astype(np.int64)
            if np.array_equal(child, node):
                break
            node = child
        result: Array = self.values[trees, node].sum(1) + self.start
        return result

    def arrays(self) -> Arrays:
        """features, thresholds, children, values, start."""
        return {
            "features": self.features,
            "thresholds": self.thresholds,
            "children": self.children,
            "values": self.values,
            "start": np.array([self.start]),
        }


def from_arrays(kind: str, arrays: Mapping[str, NDArray[Any]], length: int) -> Classifier:
    """Build a classifier of a kind (linear, rbf, poly, clusters, trees) for `length` features.

    Raises ValueError for arrays that are missing, of a wrong shape, or index out of bounds.
    """
    for name, array in arrays.items():
        if array.size and not np.isfinite(array).all():
            raise ValueError(f"{name}: values that are not finite")
    if kind == "linear":
        return Linear(_get(arrays, "weights", (length,)), float(_get(arrays, "bias", (1,))[0]))
    if kind in ("rbf", "poly"):
        coefficients = _get(arrays, "coefficients", (None,))
        vectors = _get(arrays, "vectors", (len(coefficients), length))
        gamma, degree, shift = _get(arrays, "kernel", (3,)).tolist()
        if not 1 <= degree <= 9 or degree != int(degree):
            raise ValueError(f"degree {degree:g}")
        bias = float(_get(arrays, "bias", (1,))[0])
        which: Literal["rbf", "poly"] = "rbf" if kind == "rbf" else "poly"
        return Kernel(which, vectors, coefficients, bias, gamma, int(degree), shift)
    if kind == "clusters":
        return Clusters(_get(arrays, "centres", (2, length)))
    if kind == "trees":
        return _trees(arrays, length)
    raise ValueError(f"unknown classifier {kind[:40]!r}")


def _trees(arrays: Mapping[str, NDArray[Any]], length: int) -> Trees:
    features = _get(arrays, "features", (None, None))
    shape = features.shape
    children = _get(arrays, "children", (*shape, 2))
    if features.size == 0 or features.min() < 0 or features.max() >= length:
        raise ValueError(f"trees with features beyond {length}")
    if children.min() < 0 or children.max() >= shape[1]:
        raise ValueError("trees with children out of bounds")
    return Trees(
        features.astype(np.int32),
        _get(arrays, "thresholds", shape),
        children.astype(np.int32),
        _get(arrays, "values", shape),
        float(_get(arrays, "start", (1,))[0]),
    )


def _get(arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int | None, ...]) -> Array:
    """An array of a given shape; None matches any length. Raises ValueError."""
    if name not in arrays:
        raise ValueError(f"{name}: missing")
    found = arrays[name]
    if len(found.shape) != len(shape) or any(
        wanted not in (None, side) for wanted, side in zip(shape, found.shape, strict=True)
    ):
        raise ValueError(f"{name} of shape {found.shape}")
    return found.astype(np.float64)
