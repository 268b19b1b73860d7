"""Abstention: reasons to report an image as uncertain, whatever its probability."""

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.cascade import EVEN_COLUMNS
from i2icli.detector.mosaic import could_be_mosaic
from i2icli.detector.serialization import DetectorInfo
from i2icli.detector.view import View
from i2icli.image import Pixels

MIN_QUALITY = 50  # JPEG; below it little of a lattice is left, and the block grid is strong
MAX_FLAT = {"fake": 0.4, "uncertain": 0.4, "real": 0.6}  # fraction of pixels equal to both neighbours
MAX_PALETTE, MAX_GREYS = 256, 16  # colours and grey levels of an image dithered to a palette
MAX_COUNTED = 65_536  # pixels whose colours are counted
MAX_COMPARED = 150_000  # pixels, about, that are compared with their neighbours
CLEAR = 0.8  # even score that hardly any photograph reaches
MOSAIC = "peaks at half the sampling rate alone: could be the camera's mosaic"
MIN_SIDE = 96  # pixels: with fewer cells, lattices arise by chance


def abstention_reasons(
    info: DetectorInfo,
    features: NDArray[np.float64],
    view: View,
    lossy: str | None,
    quality: int | None,
    verdict: str,
) -> list[str]:
    """Reasons to abstain, one line each; empty if the verdict stands.

    features: the feature vector of the image, (D,); lossy: format of its file if that is lossily compressed;
    quality: JPEG quality of the file, if known.
    """
    found = []
    height, width = view.pixels.shape[:2]
    if lossy and lossy not in info.formats and (verdict == "real" or info.kind != "cascade"):
        known = ", ".join(info.formats)
        found.append(f"compressed as {lossy.upper()}, which the detector was not fitted to ({known})")
    if info.features == "traces":
        even = bool(features[EVEN_COLUMNS].mean() > CLEAR)  # resizing would have moved it
        if min(height, width) < MIN_SIDE and (what := _unknown_if_small(verdict, even)):
            found.append(f"small ({width}x{height} pixels): too few to {what}")
        if quality is not None and quality < MIN_QUALITY and verdict == "real":
            found.append(f"heavily compressed (JPEG quality about {quality}): traces may be lost")
        if verdict != "uncertain" and not even and view.resampling.detected:
            period = f"sharpness varies with a period of {view.resampling.period:.1f} pixels"
            found.append(f"resized ({period}): traces may be lost or shifted; test the original")
        if verdict != "real" and could_be_mosaic(features, height, width):
            found.append(MOSAIC)
        if _flat(view.pixels) > MAX_FLAT[verdict]:
            found.append("not photographic: large uniform areas")
        elif verdict == "fake" and (few := _palette(view.pixels)):  # smooth photographs have few colours too
            found.append(f"not photographic: {few}")
        return found
    if min(height, width) < info.smallest or max(height, width) > info.largest:
        found.append(
            f"{width}x{height} pixels: the detector was fitted to sides of {info.smallest} to "
            f"{info.largest}, and profiles depend on size"
        )
    return found


def _unknown_if_small(verdict: str, even: bool) -> str:
    """What a small image cannot tell, given a verdict and whether peaks are clear; "" if nothing."""
    if verdict == "real":
        return "rule out a lattice"
    return "tell a lattice from chance" if verdict == "fake" and not even else ""


def _palette(pixels: Pixels) -> str:
    """The number of colours or grey levels of an 8-bit image, in words, if a palette has as few; else ""."""
    if pixels.dtype != np.uint8:
        return ""
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / MAX_COUNTED)))
    values = pixels[::step, ::step].reshape(-1, pixels.shape[2]).astype(np.uint32)  # (N, 1 or 3)
    coloured = values.shape[1] == 3 and bool((values != values[:, :1]).any())
    number = len(np.unique(values @ np.array([65536, 256, 1], np.uint32) if coloured else values[:, 0]))
    if number > (MAX_PALETTE if coloured else MAX_GREYS):
        return ""
    return f"only {number} {'colours' if coloured else 'grey levels'}"


def _flat(pixels: Pixels) -> float:
    """The fraction of pixels equal to their neighbours on the right and below."""
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / MAX_COMPARED)))
    here, right, below = pixels[:-1:step, :-1:step], pixels[:-1:step, 1::step], pixels[1::step, :-1:step]
    equal = ((here == right) & (here == below)).all(-1)
    return float(equal.mean())
