"""Between values as files hold them and pixels, which span their type: integers all, floats [-1, 1]."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from i2icli.errors import print_number
from i2icli.image.arrays import to_pixels
from i2icli.image.decoded import DecodedImage, Format, ImageError, Pixels, Stored
from i2icli.image.pixels import change_type
from i2icli.value_range import ValueRange

FARTHEST = 2.0  # of floats without a range: slightly beyond [-1, 1] may be rounding, this is another scale
_UNIT = 2.0  # span of a range of which whole numbers beside 0 and 1 are no part: that of fractions
_BYTES = frozenset({"uint8"})
_HOLDS: dict[Format, frozenset[str]] = {
    "png": _BYTES | {"uint16"},
    "jpeg": _BYTES,
    "webp": _BYTES,
    "bmp": _BYTES,
    "gif": _BYTES,
    "avif": _BYTES,
    "heic": _BYTES,
    "jp2": _BYTES | {"uint16"},
    "ppm": _BYTES | {"uint16"},
}
"""The number types that formats hold; others hold any."""


def holds(format: Format, dtype: DTypeLike) -> bool:
    """Whether files of a format hold values of a number type as they are."""
    return format not in _HOLDS or np.dtype(dtype).name in _HOLDS[format]


def as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """Values as a file has them: integers of any length in native byte order, floats as float32.

    Booleans become 0 and 255. Raises ImageError for other types. See `spanning`, which makes pixels of them.
    """
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind in "ui":
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if kind == "f":
        with np.errstate(over="ignore"):  # infinite: named where it is looked at
            return array.astype(np.float32, copy=False)
    raise ImageError(f"values of type {array.dtype}; expected integers or floats")


def stored_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type that `as_stored` returns. Raises ImageError for types it refuses."""
    return as_stored(np.zeros(1, dtype)).dtype


def spanning(image: DecodedImage, range: ValueRange | None = None) -> DecodedImage:
    """A decoded image whose pixels are values of `as_stored`, with pixels that span their type.

    With a range floats, of which its ends are -1 and 1; values beyond are cut to it. Without one integers
    keep their position in the range of their type: signed ones of 8 and 16 bits are shifted to unsigned,
    those of 32 and 64 become floats. Raises ImageError for NaN, for floats far beyond [-1, 1] without a
    range, and for integers that cannot hold the values of the range.
    """
    values = image.pixels
    if range is not None:
        alpha = None if image.alpha is None else change_type(_shifted(image.alpha), np.float32)
        stored = Stored(values.dtype, range)
        return replace(image, pixels=_ranged(values, range), alpha=alpha, stored=stored)
    pixels = _shifted(values)
    if pixels.dtype.kind == "f":
        _check_finite(pixels)
        _check_scale(pixels)
    if pixels is values:
        return image
    alpha = None if image.alpha is None else _shifted(image.alpha)
    stored_shifted = Stored(values.dtype) if pixels.dtype.kind == "u" else None
    return replace(image, pixels=pixels, alpha=alpha, stored=stored_shifted)


def spanning_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type of the pixels that `spanning` makes of one without a range. Raises ImageError."""
    return _shifted(as_stored(np.zeros(1, dtype))).dtype


def from_output(
    output: ArrayLike, dtype: np.dtype[Any], range: ValueRange | None = None, *, alpha: bool = False
) -> DecodedImage:
    """A network's output (C, H, W) in [-1, 1] as an image whose files hold values of a type and range.

    alpha: whether its last channel is transparency.
    """
    pixels = to_pixels(output, np.float32 if range is not None else spanning_type(dtype))
    made = with_values(pixels, dtype, range)
    return _parted(made) if alpha else made


def with_values(pixels: Pixels, dtype: np.dtype[Any], range: ValueRange | None = None) -> DecodedImage:
    """Pixels that span their type as an image whose files hold values of a type and range."""
    pixels = change_type(pixels, np.float32 if range is not None else spanning_type(dtype))
    stored = Stored(dtype, range) if range is not None or dtype != pixels.dtype else None
    return DecodedImage(pixels, None, "png", stored=stored)


def to_stored(image: DecodedImage) -> DecodedImage:
    """The image with its values as a file holds them for pixels: what `spanning` undoes."""
    if image.stored is None:
        return image
    values = values_of(image.pixels, image.stored)
    alpha = None if image.alpha is None else values_of(image.alpha, Stored(image.stored.dtype))
    return replace(image, pixels=values, alpha=alpha, stored=None)


def values_of(pixels: Pixels, stored: Stored) -> NDArray[Any]:
    """Pixels that span their type as the values that are stored for them; whole numbers are rounded."""
    unit = (change_type(pixels, np.float32).astype(np.float64) + 1) / 2  # [0, 1]
    whole = stored.dtype.kind in "ui"
    if stored.range is None and not whole:
        return change_type(pixels, stored.dtype)
    limits = np.iinfo(stored.dtype) if whole else None
    low, high = (stored.range.low, stored.range.high) if stored.range else _ends(stored.dtype)
    values: NDArray[np.float64] = unit * (high - low) + low
    if limits is not None:
        values = np.rint(values.clip(low, high)).clip(limits.min, limits.max)
    return values.astype(stored.dtype)


def _parted(image: DecodedImage) -> DecodedImage:
    """An image whose last channel is transparency, as results have it: apart from the colours."""
    alpha = image.pixels[..., -1]
    if image.stored is not None and image.stored.range is not None:  # files hold transparency without a range
        stored = values_of(alpha, image.stored)
        if stored.dtype.kind in "ui":
            alpha = (stored.astype(np.float64) / np.iinfo(stored.dtype).max * 2 - 1).astype(np.float32)
    return replace(image, pixels=np.ascontiguousarray(image.pixels[..., :-1]), alpha=alpha.copy())


def is_finite(values: NDArray[Any]) -> bool:
    """Whether there is neither NaN nor infinity among them."""
    return values.dtype.kind != "f" or bool(np.isfinite(values).all())


def check_holds(dtype: np.dtype[Any], range: ValueRange) -> None:
    """Raise ImageError for integers whose values cannot be those of a range.

    These are such as cannot hold its ends, and any where data of the range were fractions.
    """
    if dtype.kind not in "ui":
        return
    limits, wanted = np.iinfo(dtype), f"expected values of the range {range}"
    if range.low < limits.min or range.high > limits.max:
        raise ImageError(f"{bits(dtype)}, which hold {limits.min} to {limits.max}; {wanted}")
    if range.span <= _UNIT and np.dtype(range.dtype).kind == "f":
        raise ImageError(f"whole numbers ({bits(dtype)}); {wanted}")


def bits(dtype: DTypeLike) -> str:
    """A number type in words: "16 bit"."""
    known = np.dtype(dtype)
    if known.kind == "f":
        return "floats"
    return f"{'signed ' * (known.kind == 'i')}{known.itemsize * 8} bit"


def _ranged(values: NDArray[Any], range: ValueRange) -> NDArray[np.float32]:
    check_holds(values.dtype, range)
    _check_finite(values)
    unit: NDArray[np.float64] = (values.astype(np.float64) - range.low) * (2 / range.span) - 1
    return unit.clip(-1, 1).astype(np.float32)


def _shifted(values: NDArray[Any]) -> NDArray[Any]:
    """Values of any type as uint8, uint16 or float32; floats as they are."""
    kind, bits = values.dtype.kind, values.dtype.itemsize * 8
    if kind == "f" or (kind == "u" and bits <= 16):
        return values
    if kind == "i" and bits <= 16:
        shifted: NDArray[np.int32] = values.astype(np.int32) + 2 ** (bits - 1)
        return shifted.astype(f"u{bits // 8}")
    low, high = _ends(values.dtype)
    unit: NDArray[np.float64] = (values.astype(np.float64) - low) / (high - low)
    return (unit * 2 - 1).astype(np.float32)


def _ends(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The least and the largest value of an integer type."""
    return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)


def _check_scale(floats: NDArray[Any]) -> None:
    low, high = (float(floats.min()), float(floats.max())) if floats.size else (0.0, 0.0)
    if max(-low, high) > FARTHEST:
        raise ImageError(
            f"floats from {print_number(low, 4)} to {print_number(high, 4)}; expected values in [-1, 1]"
        )


def _check_finite(values: NDArray[Any]) -> None:
    if not is_finite(values):
        raise ImageError("NaN or infinite values")
