"""How large the pixels of a microscope's image are, as OME and ImageJ write it into the text of a TIFF."""

import re
from typing import Any

from i2icli.image.directories import Directory
from i2icli.image.exif import DESCRIPTION, RESOLUTIONS

_INCH = 25_400.0  # micrometres
_UNITS = {
    "nm": 1e-3, "um": 1.0, "\N{MICRO SIGN}m": 1.0, "\N{GREEK SMALL LETTER MU}m": 1.0, "\\u00b5m": 1.0,
    "micron": 1.0, "microns": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6, "inch": _INCH, "in": _INCH,
}  # fmt: skip
"""Micrometres by the names of units, in lower case."""
_SIZE = re.compile(r'PhysicalSize([XY])(Unit)?="([^"]{1,40})"')
_UNIT = re.compile(r"^unit=(.{1,20})$", re.MULTILINE)


def resolution_of(main: Directory) -> tuple[float, float] | None:
    """Pixels per inch (across, down), if the description of an image tells them."""
    entry = main.get(DESCRIPTION)
    text = "" if entry is None else entry.value.rstrip(b"\0").decode("utf-8", "replace")
    if text.startswith("ImageJ="):
        found = _UNIT.search(text)
        unit = _UNITS.get(found[1].strip().lower()) if found else None
        across, down = (main.ratio(tag) for tag in RESOLUTIONS)
        return (across * _INCH / unit, down * _INCH / unit) if across and down and unit else None
    sizes = {axis + unit: value for axis, unit, value in _SIZE.findall(text[:100_000])}
    try:
        across, down = (
            _INCH / (float(sizes[axis]) * _UNITS[sizes.get(f"{axis}Unit", "um").lower()]) for axis in "XY"
        )
    except (KeyError, ValueError, ZeroDivisionError):
        return None
    return across, down


def stack_arguments(
    resolution: tuple[float, float] | None, *, ome: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What tifffile writes into a stack about the size of its pixels: arguments, and metadata among them."""
    if resolution is None:
        return {}, {}
    per_micrometre = tuple(each / _INCH for each in resolution)
    if not ome:
        return {"resolution": per_micrometre}, {"unit": "um"}
    across, down = (1 / each for each in per_micrometre)
    unit = "\N{MICRO SIGN}m"
    sizes = {
        "PhysicalSizeX": across,
        "PhysicalSizeXUnit": unit,
        "PhysicalSizeY": down,
        "PhysicalSizeYUnit": unit,
    }
    return {"resolution": resolution, "resolutionunit": "inch"}, sizes
