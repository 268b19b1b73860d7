"""What transparency does to the colours of an image: it is a channel, or something lies under it."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.image.decoded import DecodedImage
from i2icli.image.pixels import change_type, convert_channels
from i2icli.image.values import spanning
from i2icli.reading import Colour, Reading
from i2icli.value_range import ValueRange

_MAYBE_NONE = frozenset({"tiff"})  # formats whose fourth channel may be another one that is called opacity


def as_read(image: DecodedImage, range: ValueRange | None, reading: Reading) -> DecodedImage:
    """A decoded image, its values as stored, as pixels that span their type: see `values.spanning`.

    Transparency is a channel where the reading asks for as many, else its background lies under it. Raises
    ImageError as `spanning`.
    """
    found = spanning(with_claimed(image, reading, range), range)
    if reading.background is None:
        return found
    if found.alpha is not None:
        return replace(found, pixels=_over(found.pixels, found.alpha, reading.background))
    own = image.pixels.shape[2] + (image.format != "npy")  # arrays do not say which channel it is
    was_claimed = found.pixels.shape[2] == reading.channels == own
    if was_claimed and reading.alpha and image.format not in _MAYBE_NONE:
        return replace(found, pixels=_without_hidden(found.pixels, reading.background))
    return found


def with_claimed(image: DecodedImage, reading: Reading, range: ValueRange | None = None) -> DecodedImage:
    """A decoded image, its values as stored, with its transparency as the last channel if one is missing.

    Where the reading knows the last one to be transparency, an image without it is opaque.
    """
    if reading.channels != image.pixels.shape[2] + 1 or (image.alpha is None and not reading.alpha):
        return image
    alpha = image.alpha
    if alpha is None:
        dtype = image.pixels.dtype
        top = np.iinfo(dtype).max if dtype.kind in "ui" else 1 if range is None else range.high
        alpha = np.full(image.pixels.shape[:2], top, dtype)
    return replace(image, pixels=np.concatenate([image.pixels, alpha[..., None]], axis=-1), alpha=None)


def _over(pixels: NDArray[Any], alpha: NDArray[Any], background: Colour) -> NDArray[Any]:
    """(H, W, C) over a background, by opacity (H, W)."""
    opacity = ((change_type(alpha, np.float32) + 1) / 2).astype(np.float32)[..., None]  # (H, W, 1)
    if not (opacity < 1).any():
        return pixels
    under = _colour(background, pixels).astype(np.float32)
    mixed = under + opacity * (pixels.astype(np.float32) - under)
    whole = pixels.dtype.kind in "ui"
    made: NDArray[Any] = (mixed + 0.5 if whole else mixed).astype(pixels.dtype)
    return np.where(opacity == 1, pixels, made)


def _without_hidden(pixels: NDArray[Any], background: Colour) -> NDArray[Any]:
    """(H, W, C), the last channel transparency: colours that cannot be seen are those of the background."""
    hidden = change_type(pixels[..., -1:], np.float32) <= -1
    colours = np.where(hidden, _colour(background, pixels[..., :-1]), pixels[..., :-1])
    return np.concatenate([colours, pixels[..., -1:]], axis=-1)


def _colour(background: Colour, pixels: NDArray[Any]) -> NDArray[Any]:
    """A background as a pixel (1, 1, C) of the kind of some; its luminance where these are no colours."""
    colour = np.array(background, np.uint8).reshape(1, 1, 3)
    channels = pixels.shape[2]
    if channels != 3:
        colour = np.repeat(convert_channels(colour, 1), channels, axis=2)
    return change_type(colour, pixels.dtype)
