"""Reading log.jsonl, the training log of a run."""

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Points = list[tuple[float, float]]

_NOT_CURVES = frozenset({"step", "stage", "seconds", "validation"})


def read_log(path: Path) -> list[Row]:
    """The rows of a log, in order; empty if there is no file. A truncated line is skipped."""
    if not path.is_file():
        return []
    rows: list[Row] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    return rows


def loss_curves(rows: list[Row]) -> dict[str, Points]:
    """Every logged number except validation scores, by name, as (step, value)."""
    curves: dict[str, Points] = {}
    for row in rows:
        for name, value in row.items():
            if name not in _NOT_CURVES and isinstance(value, int | float):
                curves.setdefault(name, []).append((row["step"], float(value)))
    return curves


def score_curves(rows: list[Row]) -> dict[str, Points]:
    """Every validation score, by name, as (step, value)."""
    curves: dict[str, Points] = {}
    for row in rows:
        scores = row.get("validation")
        if isinstance(scores, dict):
            for name, value in scores.items():
                curves.setdefault(name, []).append((row["step"], float(value)))
    return curves
