"""Frames whose flow is known: smooth random textures, moved."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift


def texture(height: int, width: int, seed: int = 0, blur: float = 2.0) -> NDArray[np.uint8]:
    """(H, W, 3), without flat areas."""
    noise = np.random.default_rng(seed).random((height, width, 3))
    soft = gaussian_filter(noise, (blur, blur, 0), mode="wrap")
    soft = (soft - soft.min((0, 1))) / np.ptp(soft, axis=(0, 1))
    return (soft * 255).round().astype(np.uint8)


def moved(frame: NDArray[np.uint8], x: float, y: float) -> NDArray[np.uint8]:
    """The content moved by (x, y) pixels, around the borders; so the flow back is (-x, -y)."""
    found = shift(frame.astype(float), (y, x, 0), order=3, mode="grid-wrap")
    return found.round().clip(0, 255).astype(np.uint8)
