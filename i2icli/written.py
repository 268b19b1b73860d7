"""How settings are written: sizes, lists and durations as texts; and numbers of things. No torch here."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from i2icli.errors import print_number

DURATION = "a duration like 90s, 30m or 3h50m"
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_NUMBER = r"(\d+(?:\.\d+)?)"
_LARGER = "".join(rf"(?:{_NUMBER}\s*{unit}\s*)?" for unit in "dhm")
_DURATION = re.compile(rf"{_LARGER}(?:{_NUMBER}\s*s|{_NUMBER})?")
TRAINED = "trained"
"""What `--size` calls the scale of the images that a model learned from."""


def counted(number: int, noun: str) -> str:
    """1 image, 2 images, 3 classes."""
    plural = "es" if noun.endswith(("s", "x", "ch")) else "s"
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def parse_size(value: object) -> object:
    """256, "256" or "512x256" (width x height) -> (height, width)."""
    if isinstance(value, int):
        return value, value
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+)(?:x(\d+))?", value.strip().lower())
        if match is None:
            raise ValueError("expected pixels like 256, or WIDTHxHEIGHT like 512x256")
        width = int(match[1])
        return (int(match[2]) if match[2] else width), width
    return value


def parse_new_size(value: object) -> object:
    """256 or "256" (the shorter side), "512x256" (width x height) -> (height, width), "trained"."""
    if value is None or isinstance(value, tuple | list):
        return value
    text = str(value).strip().lower()
    if text == TRAINED:
        return text
    match = re.fullmatch(r"0*([1-9]\d*)(?:x0*([1-9]\d*))?", text)
    if match is None:
        raise ValueError("expected pixels like 256, WIDTHxHEIGHT like 512x256, or trained")
    return (int(match[2]), int(match[1])) if match[2] else int(match[1])


def print_size(size: tuple[int, int]) -> int | str:
    """(height, width) -> 256, or "512x256"."""
    height, width = size
    return width if height == width else f"{width}x{height}"


def parse_list(value: object) -> object:
    """ "a,b" or a single number -> a tuple of parts, as the command line gives them."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return (value,) if isinstance(value, int | float) else value


def parse_moment(value: object) -> object:
    """ "12.5", "1:02" or "1:02:03.5" -> seconds from the beginning of a video."""
    if isinstance(value, str):
        if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", value.strip()):
            raise ValueError("expected seconds like 12.5, or a time like 1:02 or 1:02:03.5")
        seconds = 0.0
        for part in value.strip().split(":"):
            seconds = seconds * 60 + float(part)
        return seconds
    return value


def parse_duration(value: object) -> object:
    """ "90", "90s", "30m", "1.5h", "3h50m", "1d2h", "1h30" (its minutes) -> seconds."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip().lower())
        if match is None or not any(match.groups()):
            raise ValueError(f"expected {DURATION}")
        parts: list[str | None]
        *parts, last = match.groups()
        given = [number for number, part in enumerate(parts) if part is not None]
        if last is not None:  # a number alone is of the next smaller unit, or of seconds
            parts[given[-1] + 1 if given else -1] = last
        return sum(float(part) * length for part, length in zip(parts, _UNITS.values(), strict=True) if part)
    return value


def print_duration(seconds: float) -> str:
    """4521.0 -> "1h15m"; 75.0 -> "1m15s"; 9.7 -> "9s"; 400,000.0 -> "4d15h"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:
        return f"{hours // 24}d{hours % 24:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def print_bytes(count: float) -> str:
    """As GB: "0.04 GB", "1.9 GB", "26 GB"; the little that is hardly any as "3 MB"."""
    number = count / 1e9
    if number < 0.01:
        return f"{max(1, round(count / 1e6))} MB"
    return f"{number:.0f} GB" if number >= 10 else f"{number:.1f} GB" if number >= 1 else f"{number:.2f} GB"


def print_megapixels(pixels: float) -> str:
    """12,345,678 -> "12 MP"; 4,200,000 -> "4.2 MP"; 1,600,000,000 -> "1,600 MP"."""
    return f"{print_number(pixels / 1e6, 2)} MP"


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(parse_duration)]
Moment = Annotated[float, Field(ge=0), BeforeValidator(parse_moment)]
"""Seconds from the beginning of a video; written as 12.5 or 1:02:03.5."""
