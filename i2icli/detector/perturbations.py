"""Perturbations (JPEG, resizing, blur, noise) and the equalisation of two folders."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

from i2icli.image import Pixels, change_type, convert_channels

Perturbation = Callable[[Pixels], Pixels]

EQUAL_QUALITY = 95  # of the JPEG compression that equalises both folders
OFF_GRID = 3  # pixels cropped at least, so that the new JPEG grid is not aligned with an earlier one


def jpeg(quality: int) -> Perturbation:
    """JPEG compression with 4:2:0 chroma subsampling."""

    def apply(pixels: Pixels) -> Pixels:
        buffer = BytesIO()
        _image(pixels).save(buffer, "JPEG", quality=quality)
        return _pixels(Image.open(buffer))

    return apply


def resized(factor: float) -> Perturbation:
    """Bicubic resizing by a factor."""

    def apply(pixels: Pixels) -> Pixels:
        image = _image(pixels)
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        return _pixels(image.resize(size, Image.Resampling.BICUBIC))

    return apply


def blurred(radius: float) -> Perturbation:
    """Gaussian blur; radius in pixels."""
    return lambda pixels: _pixels(_image(pixels).filter(ImageFilter.GaussianBlur(radius)))


def noisy(deviation: float) -> Perturbation:
    """Gaussian noise, deviation in levels of 255; the same noise for all images of one size."""

    def apply(pixels: Pixels) -> Pixels:
        values = np.asarray(_image(pixels), np.float32)
        noise = np.random.default_rng(0).normal(0, deviation, values.shape)
        return _pixels(Image.fromarray((values + noise + 0.5).clip(0, 255).astype(np.uint8)))

    return apply


CONDITIONS: dict[str, Perturbation | None] = {
    "as they are": None,
    "JPEG 95": jpeg(95),
    "JPEG 90": jpeg(90),
    "JPEG 75": jpeg(75),
    "JPEG 50": jpeg(50),
    "0.5x": resized(0.5),
    "0.75x": resized(0.75),
    "1.5x": resized(1.5),
    "blur 1": blurred(1.0),
    "noise 4": noisy(4.0),
}
"""By the names that `i2i detector evaluate --conditions` takes."""


def equalise(size: int, channels: int) -> Perturbation:
    """Convert to 8 bit, grey or RGB, crop a square near the centre, and compress as JPEG (95).

    For sides of at least `size` + OFF_GRID.
    """
    compress = jpeg(EQUAL_QUALITY)

    def apply(pixels: Pixels) -> Pixels:
        top, left = ((side - size - OFF_GRID) // 16 * 8 + OFF_GRID for side in pixels.shape[:2])
        square = change_type(pixels[top : top + size, left : left + size], np.uint8)
        return compress(convert_channels(square, channels))

    return apply


def _image(pixels: Pixels) -> Image.Image:
    eight_bit = change_type(pixels, np.uint8)
    return Image.fromarray(np.ascontiguousarray(eight_bit[..., 0] if eight_bit.shape[2] == 1 else eight_bit))


def _pixels(image: Image.Image) -> Pixels:
    array = np.asarray(image)
    return array if array.ndim == 3 else array[..., None]
