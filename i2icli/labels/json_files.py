"""JSON of others: sizes are limited, and what is used of it is checked where it is used."""

import json
import math
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from i2icli.classes import Colour
from i2icli.errors import UserError
from i2icli.labels.shapes import Points
from i2icli.labels.text_files import read_bytes
from i2icli.written import counted

LARGEST_BYTES = 4_000_000_000  # COCO's largest file has half a gigabyte
FARTHEST = 1e7  # pixels: coordinates beyond are drawn as if they were there

T = TypeVar("T")
_WORDS: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object {...}",
}


def read_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file that is an object. Raises UserError, one line with the path."""
    try:
        content = json.loads(read_bytes(path, LARGEST_BYTES))
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, nested without end
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"{path} is not valid JSON: {reason}", exit_code=1) from error
    return of_type(content, dict, f"{path}: the file")


def field(of: dict[str, Any], name: str, kind: type[T]) -> T:
    """A value by its name. Raises UserError if it is missing or of another type."""
    if name not in of:
        raise UserError(f"no {name!r} in {_shortened(of)}")
    return of_type(of[name], kind, repr(name))


def of_type(value: object, kind: type[T], what: str) -> T:
    """A value as it is, if it is of that type. Raises UserError, calling it `what`."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = _as_float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UserError(f"{what} is {_shortened(value)}; expected {_WORDS[kind]}")
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{what} is {value}; expected a finite number")
    return value


def size_of(of: dict[str, Any], height: str = "height", width: str = "width") -> tuple[int, int]:
    """(height, width) by their names. Raises UserError."""
    return field(of, height, int), field(of, width, int)


def points_of(value: object, fewest: int, what: str = "'points'") -> Points:
    """[[x, y], ...] or [x, y, x, y, ...] -> (N, 2). Raises UserError, also for fewer points than that."""
    flat = of_type(value, list, what)
    if flat and isinstance(flat[0], list):
        if any(not isinstance(point, list) or len(point) != 2 for point in flat):
            raise UserError(f"{what} is {_shortened(value)}; expected pairs of numbers [x, y]")
        flat = [number for point in flat for number in point]
    numbers = [of_type(number, float, f"a number of {what}") for number in flat]
    if len(numbers) % 2 or len(numbers) < 2 * fewest:
        found = counted(len(numbers), "number")
        raise UserError(f"{what} has {found}; expected x and y of {fewest} points or more")
    return np.array(numbers).reshape(-1, 2).clip(-FARTHEST, FARTHEST)


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shortened(value: object) -> str:
    if isinstance(value, dict):
        text = f"an object of {', '.join(map(str, list(value)[:5])) or 'nothing'}"
    elif isinstance(value, list):
        text = f"a list of {len(value)}"
    else:
        text = repr(value[:60]) if isinstance(value, str) else str(value)[:60]
    return text if len(text) <= 60 else text[:57] + "..."


def colour_of(value: object) -> Colour | None:
    """Three numbers from 0 to 255, as COCO and Mapillary list them; others are no colour."""
    if not isinstance(value, list) or len(value) < 3:
        return None
    red, green, blue = value[:3]
    if not all(type(channel) is int and 0 <= channel <= 255 for channel in (red, green, blue)):
        return None
    return red, green, blue
