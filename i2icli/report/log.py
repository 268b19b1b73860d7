"""Reading log.jsonl, the training log of a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeGuard

Row = dict[str, Any]
Points = list[tuple[float, float]]

_NOT_CURVES = frozenset({"step", "seconds"})
_LARGEST = 2**53  # of integers: from here on they are no floating-point numbers any more


def read_log(path: Path) -> list[Row]:
    """The rows of a log, in order; empty if there is no file.

    A truncated line is skipped, as are values that are not as we write them: a log may be that of others.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [row for row in map(_row, lines) if row is not None]


def loss_curves(rows: list[Row]) -> dict[str, Points]:
    """Every logged number except validation scores, by name, as (step, value)."""
    curves: dict[str, Points] = {}
    for row in rows:
        for name, value in row.items():
            if name not in _NOT_CURVES and _is_number(value):
                curves.setdefault(name, []).append((row["step"], float(value)))
    return curves


def score_curves(rows: list[Row]) -> dict[str, Points]:
    """Every validation score, by name, as (step, value)."""
    curves: dict[str, Points] = {}
    for row in rows:
        for name, value in row.get("validation", {}).items():
            curves.setdefault(name, []).append((row["step"], float(value)))
    return curves


def _row(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not _is_step(row.get("step")):
        return None
    if isinstance(row.get("validation"), dict):
        row["validation"] = {name: each for name, each in row["validation"].items() if _is_number(each)}
    return {name: value for name, value in row.items() if _CHECKS.get(name, _is_anything)(value)}


def _is_step(value: object) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, float) or (type(value) is int and abs(value) < _LARGEST)


def _is_anything(_: object) -> bool:
    return True


_CHECKS: dict[str, Callable[[object], bool]] = {
    "seconds": lambda value: _is_number(value) and 0 <= value < _LARGEST,
    "validation": lambda value: isinstance(value, dict),
    "criterion": lambda value: (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and (value[1] is None or _is_number(value[1]))
    ),
    "remarks": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
}
"""Of names whose values are read one by one, whether a value is what they have."""
