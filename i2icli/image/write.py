"""Writing images; the suffix decides the format."""

import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.image import heif_files, jpeg2000_files, netpbm_files
from i2icli.image.decoded import DecodedImage, Format, ImageError, Layout
from i2icli.image.pillow_files import as_image, with_alpha
from i2icli.image.pixels import change_type, convert_channels
from i2icli.image.values import holds, to_stored

SUFFIXES: dict[str, Format] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".jfif": "jpeg",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".bmp": "bmp",
    ".npy": "npy",
    ".gif": "gif",
    ".avif": "avif",
    ".jp2": "jp2",
    ".j2k": "jp2",
    ".j2c": "jp2",
    ".jpx": "jp2",
    ".ppm": "ppm",
    ".pgm": "ppm",
    ".pbm": "ppm",
    ".pnm": "ppm",
    ".pam": "ppm",
    ".heic": "heic",
    ".heif": "heic",
    ".hif": "heic",
}
"""Suffixes of image files, in lower case, and the format each is written in."""
EIGHT_BIT: frozenset[Format] = frozenset({"jpeg", "webp", "bmp", "gif"})
"""Formats that hold 8 bits per value."""
READ_ONLY: frozenset[str] = frozenset({".gif", ".pbm", ".pam"})
"""Suffixes of formats that results are not written in: a GIF holds 256 colours, a PBM two."""
NO_ALPHA: frozenset[Format] = frozenset({"jpeg", "bmp", "ppm"})
"""Formats without transparency."""
ANY_CHANNELS: frozenset[Format] = frozenset({"tiff", "npy", "jp2"})
"""Formats of other than 1 or 3 channels."""


_OME_TYPES = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64")
_STACKS: dict[Layout, tuple[str, ...]] = {
    "ome": _OME_TYPES,
    "ome-pixels": _OME_TYPES,
    "imagej": ("uint8", "uint16", "float32"),
}
"""Number types that programs which stack channels know."""


def write_image(path: Path | str, image: DecodedImage) -> None:
    """Write an image beside `path` and rename it there; missing folders are created.

    Depth, values, channels, alpha and colour profile are kept wherever the format can. Where it cannot:
    JPEG, WebP and BMP are 8 bit; floats and signed integers become 16 bit in PNG; JPEG and BMP have no
    alpha and get the image over white. JPEG has quality 95 without colour subsampling, WebP is lossless
    unless the image came from a lossy file. Raises UserError for an unknown suffix, for channels
    that a format cannot hold, and for errors of the disk.
    """
    path = Path(path)
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None or path.suffix.lower() in READ_ONLY:
        raise UserError(
            f"cannot write {path}: unknown suffix {path.suffix!r}; expected {', '.join(written_suffixes())}"
        )
    channels = image.pixels.shape[2]
    if channels not in (1, 3) and kind not in ANY_CHANNELS:
        raise UserError(
            f"cannot write {path}: {kind.upper()} holds 1 or 3 channels, "
            f"the image has {channels}; use .tif or .npy"
        )
    if path.suffix.lower() == ".pgm" and channels != 1:
        raise UserError(f"cannot write {path}: a PGM is grey, the image has {channels} channels; use .ppm")
    image = replace(image, icc=_fitting_profile(image.icc, channels))
    if holds(kind, image.number_type):
        image = to_stored(image)
    try:
        with atomic_write(path) as temporary:
            _WRITERS[kind](temporary, image)
    except (
        OSError,
        ValueError,
        RuntimeError,
        ImageError,
    ) as error:  # encoders have their own limits, such as WebP's 16383 px
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot write {path}: {reason}", exit_code=1) from error


def _write_png(path: Path, image: DecodedImage) -> None:
    array = with_alpha(image)  # (H, W, 1..4)
    if array.dtype == np.uint8:
        as_image(array).save(path, "PNG", icc_profile=image.icc, compress_level=4)
        return
    import imagecodecs  # Pillow has no 16-bit colour

    array = change_type(array, np.uint16)
    data = bytes(imagecodecs.png_encode(array if array.shape[2] > 1 else array[..., 0], level=4))
    path.write_bytes(_insert_profile(data, image.icc) if image.icc else data)


def _write_jpeg(path: Path, image: DecodedImage) -> None:
    as_image(_over_white(image)).save(path, "JPEG", quality=95, subsampling="4:4:4", icc_profile=image.icc)


def _write_webp(path: Path, image: DecodedImage) -> None:
    array = change_type(with_alpha(image), np.uint8)
    colour = as_image(array).convert("RGB" if image.alpha is None else "RGBA")  # WebP has no grey
    # If lossless, quality and method only set the effort: these are 7 x faster for 6 % more bytes.
    effort = {"quality": 20, "method": 2} if image.lossless else {"quality": 95}
    colour.save(path, "WEBP", lossless=image.lossless, exact=True, icc_profile=image.icc or b"", **effort)


def _write_bmp(path: Path, image: DecodedImage) -> None:
    as_image(_over_white(image)).save(path, "BMP")


def _write_avif(path: Path, image: DecodedImage) -> None:
    array = change_type(with_alpha(image), np.uint8 if image.pixels.dtype == np.uint8 else np.uint16)
    if array.dtype == np.uint8 and (
        image.icc or not image.lossless
    ):  # what Pillow does is not quite lossless
        how = {"quality": 100 if image.lossless else 90, "subsampling": "4:4:4", "speed": 6}
        as_image(array).save(path, "AVIF", icc_profile=image.icc or b"", **how)
    else:
        heif_files.write_avif(path, array, lossless=image.lossless)


def _write_heic(path: Path, image: DecodedImage) -> None:
    dtype = np.uint8 if image.pixels.dtype == np.uint8 else np.uint16
    heif_files.write(path, image, change_type(with_alpha(image), dtype))


def _write_jp2(path: Path, image: DecodedImage) -> None:
    dtype = np.uint8 if image.pixels.dtype == np.uint8 else np.uint16
    alpha = None if image.alpha is None else change_type(image.alpha, dtype)
    jpeg2000_files.write(path, replace(image, pixels=change_type(image.pixels, dtype), alpha=alpha))


def _write_ppm(path: Path, image: DecodedImage) -> None:
    dtype = np.uint8 if image.pixels.dtype == np.uint8 else np.uint16
    pixels = _over_white(image, dtype)
    netpbm_files.write(path, convert_channels(pixels, 3) if path.suffix.lower() == ".ppm" else pixels)


def _write_tiff(path: Path, image: DecodedImage) -> None:
    from tifffile import imwrite

    array = with_alpha(image)
    channels = image.pixels.shape[2]
    if image.alpha is None and _is_stackable(image.layout, array.dtype):
        stack = np.ascontiguousarray(np.moveaxis(array, -1, 0))  # (C, H, W)
        ome, rgb = image.layout != "imagej", image.layout == "ome-pixels" and channels == 3
        how: dict[str, Any] = {"imagej": not ome, "ome": ome, "compression": "zlib" if ome else None}
        how |= {"photometric": "rgb" if rgb else "minisblack", "metadata": {"axes": "YXS" if rgb else "CYX"}}
        imwrite(path, array if rgb else stack, **how)
        return
    planar = image.layout == "planes" and array.shape[2] > 1
    extra = ["unspecified"] * (channels - (3 if channels == 3 else 1)) + ["unassalpha"] * (
        image.alpha is not None
    )
    imwrite(
        path,
        np.moveaxis(array, -1, 0) if planar else array if array.shape[2] > 1 else array[..., 0],
        photometric="rgb" if channels == 3 else "minisblack",
        planarconfig=("separate" if planar else "contig") if array.shape[2] > 1 else None,
        extrasamples=extra or None,
        compression="zlib",
        predictor=array.dtype.itemsize <= 4,  # there is none for longer values
        iccprofile=image.icc,
        metadata=None,
    )


def _write_npy(path: Path, image: DecodedImage) -> None:
    array = with_alpha(image)
    if image.layout == "planes" and image.format == "npy":
        array = np.moveaxis(array, -1, 0)  # (C, H, W)
    elif array.shape[2] == 1:
        array = array[..., 0]
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)


def _is_stackable(layout: Layout, dtype: np.dtype[Any]) -> bool:
    """Whether a program's stacks hold values of a type."""
    return dtype.name in _STACKS.get(layout, ())


_WRITERS = {
    "png": _write_png,
    "jpeg": _write_jpeg,
    "webp": _write_webp,
    "bmp": _write_bmp,
    "tiff": _write_tiff,
    "npy": _write_npy,
    "avif": _write_avif,
    "jp2": _write_jp2,
    "ppm": _write_ppm,
    "heic": _write_heic,
}


def written_suffixes() -> list[str]:
    """The suffixes of formats that results can be written in."""
    return [suffix for suffix in SUFFIXES if suffix not in READ_ONLY]


def _over_white(image: DecodedImage, dtype: DTypeLike = np.uint8) -> NDArray[Any]:
    """(H, W, C) of uint8 or uint16, composited over white."""
    pixels = change_type(image.pixels, dtype)
    if image.alpha is None:
        return pixels
    white = np.float32(np.iinfo(np.dtype(dtype)).max)
    opacity = change_type(image.alpha, dtype)[..., None].astype(np.float32) / white  # (H, W, 1)
    return (white - opacity * (white - pixels.astype(np.float32)) + 0.5).astype(dtype)


def _fitting_profile(icc: bytes | None, channels: int) -> bytes | None:
    """The profile if it is for this number of channels, which translation may have changed."""
    wanted = {1: b"GRAY", 3: b"RGB "}.get(channels)
    return icc if icc and icc[16:20] == wanted else None


def _insert_profile(png: bytes, icc: bytes) -> bytes:
    """Insert a colour profile (iCCP chunk) after the header of a PNG file (its first 33 bytes)."""
    body = b"iCCP" + b"ICC profile\0\0" + zlib.compress(icc)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:33] + chunk + png[33:]
