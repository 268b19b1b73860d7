"""Where a detector cannot know: reasons to call a picture uncertain whatever its probability."""

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.cascade import EVEN_COLUMNS
from i2icli.detector.resampling import find_resampling
from i2icli.detector.serialization import Description
from i2icli.image import Pixels

LEAST_QUALITY = 50  # of JPEG: below it little of a lattice is left, and the grid of blocks is strong
FLAT = {"fake": 0.4, "uncertain": 0.4, "real": 0.6}  # of the pixels equal to both neighbours: drawn
PALETTE, LEVELS = 256, 16  # colours, levels of grey: no more are in what was dithered to a palette
MOST_LOOKED_AT = 65_536  # pixels whose colours are counted
CLEAR = 0.8  # even score that hardly any photograph reaches
LEAST_SIDE = 96  # pixels: with fewer cells chance makes lattices of its own


def doubts(
    description: Description,
    row: NDArray[np.float64],
    pixels: Pixels,
    lossy: str | None,
    quality: int | None,
    verdict: str,
) -> list[str]:
    """One line for each reason; none, where the verdict may stand.

    `row`: what the detector read of the picture; `lossy`: the format of a file that lost detail by
    compression; `quality`: if that is JPEG.
    """
    found = []
    height, width = pixels.shape[:2]
    if lossy and lossy not in description.formats and (verdict == "real" or description.kind != "cascade"):
        known = ", ".join(description.formats)
        found.append(f"compressed as {lossy.upper()}: the detector was fitted to {known}")
    if description.features == "traces":
        if min(height, width) < LEAST_SIDE and verdict == "real":
            found.append(f"small ({width}x{height} pixels): too few to rule a lattice out")
        if quality is not None and quality < LEAST_QUALITY and verdict == "real":
            found.append(f"strongly compressed (JPEG quality about {quality}): traces may be lost")
        even = row[EVEN_COLUMNS].mean() > CLEAR  # resizing would have moved it
        if verdict != "uncertain" and not even and (resampling := find_resampling(pixels)).seen:
            period = f"sharpness rises and falls every {resampling.period:.1f} pixels"
            found.append(f"resized ({period}): traces may be lost or moved, judge the original")
        if _flat(pixels) > FLAT[verdict]:
            found.append("not photographic: large parts are of one colour")
        elif verdict == "fake" and (few := _palette(pixels)):  # smooth photographs have few colours, too
            found.append(f"not photographic: {few}")
        return found
    if min(height, width) < description.smallest or max(height, width) > description.largest:
        found.append(
            f"{width}x{height} pixels: the detector was fitted to sides of {description.smallest} to "
            f"{description.largest}, and profiles change with size"
        )
    return found


def _palette(pixels: Pixels) -> str:
    """How few colours or levels a picture of 8 bits has, if no more than a palette; else ""."""
    if pixels.dtype != np.uint8:
        return ""
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / MOST_LOOKED_AT)))
    values = pixels[::step, ::step].reshape(-1, pixels.shape[2]).astype(np.uint32)  # (N, 1 or 3)
    coloured = values.shape[1] == 3 and bool((values != values[:, :1]).any())
    number = len(np.unique(values @ np.array([65536, 256, 1], np.uint32) if coloured else values[:, 0]))
    if number > (PALETTE if coloured else LEVELS):
        return ""
    return f"only {number} {'colours' if coloured else 'levels of grey'}"


def _flat(pixels: Pixels) -> float:
    """The fraction of pixels that equal the next to the right and the next below."""
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / 500_000)))
    here, right, below = pixels[:-1:step, :-1:step], pixels[:-1:step, 1::step], pixels[1::step, :-1:step]
    equal = ((here == right) & (here == below)).all(-1)
    return float(equal.mean())
