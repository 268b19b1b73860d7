"""How the brightness of what is at rest varies over time, frequency by frequency."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.flow.warp import Frame

WINDOW = 32  # frames of a spectrum
FLICKER_FROM = 0.1  # cycles per frame: slower variation is a fade rather than flicker

_AT_REST = 2.0  # of 255: standard deviation of the source's brightness over a window
_PIXELS = 65_536  # looked at, at most, evenly spread
_FEWEST = 64  # pixels at rest, for a window to count
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Flicker:
    """Spectra of brightness over time, averaged over the pixels at which the source is at rest."""

    frequencies: NDArray[np.float64]  # (F,): cycles per frame, 0.5 at most; times the rate: Hz
    result: NDArray[np.float64]  # (F,): variance in each band, brightness in [0, 255]
    source: NDArray[np.float64]  # (F,): likewise of the source, the noise of the camera
    at_rest: float  # fraction of the pixels

    @property
    def strength(self) -> float:
        """Standard deviation of the result's brightness by variation faster than 0.1 cycles per frame."""
        return float(np.sqrt(self.result[self.frequencies >= FLICKER_FROM].sum()))

    @property
    def source_strength(self) -> float:
        """The same of the source."""
        return float(np.sqrt(self.source[self.frequencies >= FLICKER_FROM].sum()))


class FlickerMeter:
    """Collects windows of 32 frames."""

    def __init__(self, window: int = WINDOW) -> None:
        """window: frames of a spectrum; half of them is the number of frequencies. At least 4."""
        self._window = window
        self._frames: list[NDArray[np.float32]] = []  # (2, N) each: of source and result
        self._spectra: list[NDArray[np.float64]] = []  # (2, F) each
        self._at_rest: list[float] = []

    def add(self, source: Frame, result: NDArray[Any]) -> None:
        """The next frame (H, W, 3) and what it became, (H, W, C) uint8 or uint16 of the same sides.

        Raises ValueError for other sides.
        """
        if source.shape[:2] != result.shape[:2]:
            raise ValueError(f"a frame of {source.shape[:2]}, its result of {result.shape[:2]} pixels")
        pair = np.stack([_brightness(source), _brightness(result)])
        if self._frames and self._frames[0].shape != pair.shape:
            self._frames.clear()
        self._frames.append(pair)
        if len(self._frames) == self._window:
            self._close_window()

    def measured(self) -> Flicker | None:
        """Of the windows so far; None if there is none, or nothing is ever at rest."""
        if not self._spectra:
            return None
        source, result = np.stack(self._spectra).mean(axis=0).astype(np.float64)
        frequencies = np.fft.rfftfreq(self._window)[1:].astype(np.float64)
        return Flicker(frequencies, result, source, float(np.mean(self._at_rest)))

    def _close_window(self) -> None:
        films = np.stack(self._frames)  # (T, 2, N)
        self._frames.clear()
        still = films[:, 0].std(axis=0) < _AT_REST
        self._at_rest.append(float(still.mean()))
        if still.sum() < _FEWEST:
            return
        chosen = _without_trend(films[:, :, still].astype(np.float64))
        self._spectra.append(_variances(chosen).mean(axis=2).T)  # (2, F)


def _brightness(frame: NDArray[Any]) -> NDArray[np.float32]:
    """(N,): luma in [0, 255] of pixels on a grid."""
    step = max(1, int(np.ceil(np.sqrt(frame.shape[0] * frame.shape[1] / _PIXELS))))
    pixels = frame[step // 2 :: step, step // 2 :: step].astype(np.float32)
    pixels = pixels * np.float32(255 / np.iinfo(frame.dtype).max)
    luma: NDArray[np.float32] = pixels @ _LUMA if frame.shape[2] == 3 else pixels.mean(axis=2)
    return luma.reshape(-1)


def _without_trend(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, ...) less the straight line through each: the jump between its ends would look like flicker."""
    time = np.arange(len(series), dtype=np.float64) - (len(series) - 1) / 2
    slope = np.tensordot(time, series, axes=1) / (time**2).sum()
    found: NDArray[np.float64] = series - series.mean(axis=0) - np.multiply.outer(time, slope)
    return found


def _variances(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, ...) without means -> (F, ...): the variance in each frequency band; their sum is all of it."""
    length = len(series)
    power: NDArray[np.float64] = np.abs(np.fft.rfft(series, axis=0)[1:]) ** 2 * 2 / length**2
    if length % 2 == 0:
        power[-1] /= 2  # the highest frequency has no negative counterpart
    return power
