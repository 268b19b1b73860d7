"""TIFF files, read through tifffile: any depth and number of channels."""

import logging
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from i2icli.image import tiff_tags
from i2icli.image.decoded import (
    DecodedImage,
    Header,
    ImageError,
    check_size,
    upright,
)
from i2icli.image.id_maps import ONE_ID, IdMap, as_map
from i2icli.image.tiff_checks import check_whole
from i2icli.image.values import as_stored, spanning_type, stored_type

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _SEPARATED, _YCBCR = 0, 1, 2, 3, 5, 6  # photometric interpretations
_ALPHA = (1, 2)  # kinds of extra samples: premultiplied, plain
_JPEG = (6, 7)  # compressions; the decoder returns RGB

# What it writes about odd files is no news; without a handler Python would print it.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def read_header(file: IO[bytes]) -> Header:
    """Size, channels and type, without decoding. Raises ImageError or whatever tifffile does."""
    from tifffile import TiffFile

    with TiffFile(file) as tiff:
        page, samples = _checked_page(tiff)
        size = (page.imagelength, page.imagewidth)
        orientation = tiff_tags.orientation(file, tiff, page)
        alpha = _has_alpha(page)
        stored = np.dtype(np.uint8) if page.bitspersample < 8 else stored_type(np.dtype(page.dtype))
        if page.photometric == _PALETTE:
            stored, samples = np.dtype(np.uint8), 3
        elif page.photometric == _SEPARATED:
            samples = 3 + alpha
        size = size[::-1] if orientation in (5, 6, 7, 8) else size
        dtype = spanning_type(stored)
        return Header("tiff", size, samples - alpha, alpha, dtype, orientation, stored)


def read(file: IO[bytes]) -> DecodedImage:
    """Decode the first image, its values as stored. Raises ImageError or whatever tifffile does."""
    from tifffile import TiffFile

    with TiffFile(file) as tiff:
        page, _ = _checked_page(tiff)
        check_whole(file, tiff, tiff.pages if _is_channel_stack(tiff) else [page])
        array = _colours(tiff, page)  # (H, W, C)
        alpha = _has_alpha(page)
        parts = tiff_tags.parts_of(file, tiff, page)
        array = upright(array, parts.exif.orientation)
        icc = None if page.photometric == _SEPARATED else parts.icc
        lossless = page.compression not in _JPEG
    metadata = parts.metadata(array.shape[:2])
    if not alpha:
        return DecodedImage(array, None, "tiff", icc, lossless, metadata=metadata)
    colours = np.ascontiguousarray(array[..., :-1])
    return DecodedImage(colours, array[..., -1].copy(), "tiff", icc, lossless, metadata=metadata)


def read_map(file: IO[bytes]) -> IdMap:
    """The samples of the first image as stored: indices of a palette, not its colours.

    Raises ImageError or whatever tifffile does.
    """
    from tifffile import TiffFile

    with TiffFile(file) as tiff:
        page, _ = _checked_page(tiff)
        if page.compression in _JPEG:
            raise ImageError("JPEG compression is lossy, so its ids are not exact; use a lossless one")
        check_whole(file, tiff, [page])
        array = _interleaved(page)  # (H, W, C)
        if array.shape[2] > 2 and page.photometric != _RGB:
            raise ImageError(f"colours of kind {page.photometric}; {ONE_ID}, or RGB")
        palette = tuple(map(tuple, _palette(page).tolist())) if page.photometric == _PALETTE else ()
        return as_map(upright(array, tiff_tags.orientation(file, tiff, page)), palette)


def _checked_page(file: "TiffFile") -> "tuple[TiffPage, int]":
    """The page that holds the image, and its samples per pixel."""
    page: Any = file.pages[0]
    samples = page.samplesperpixel * (len(file.pages) if _is_channel_stack(file) else 1)
    check_size(page.imagelength, page.imagewidth, samples)
    if page.imagedepth != 1:
        raise ImageError("a volume; expected a 2-D image")
    if page.photometric not in (_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _SEPARATED, _YCBCR):
        raise ImageError(f"TIFF colours of kind {page.photometric}; expected grey, RGB, palette or CMYK")
    images = sum(not _is_preview(other) for other in file.pages)
    if images > 1 and not _is_channel_stack(file):
        raise ImageError(
            f"{images} pages; expected one, with the channels side by side in each pixel or as planes"
        )
    return page, samples


def _is_preview(page: Any) -> bool:
    """Whether a page is a smaller view or a mask of another (NewSubfileType)."""
    return bool(page.subfiletype & 5)


def _is_channel_stack(file: "TiffFile") -> bool:
    """Whether the pages are the channels of one image, as ImageJ and OME write them."""
    return len(file.pages) > 1 and (file.is_imagej or file.is_ome) and file.series[0].axes == "CYX"


def _colours(file: "TiffFile", page: "TiffPage") -> NDArray[Any]:
    """Decode to values (H, W, C) of `as_stored`; alpha, if any, is the last channel."""
    if _is_channel_stack(file):
        return as_stored(np.moveaxis(file.series[0].asarray(), 0, -1))
    array = _interleaved(page)  # (H, W, C)
    if page.photometric == _PALETTE:
        return np.take(_palette(page), array[..., 0], axis=0)  # (H, W, 3)
    if page.bitspersample < 8:
        array = _stretched(array, page.bitspersample, np.uint8)
    elif array.dtype == np.uint16 and page.bitspersample < 16:
        array = _stretched(array, page.bitspersample, np.uint16)
    array = as_stored(array)
    if page.photometric == _MINISWHITE:
        array = -array if array.dtype.kind == "f" else ~array  # the other end of the type's range
    if page.photometric == _SEPARATED:
        array = _from_cmyk(array, _has_alpha(page))
    return array


def _interleaved(page: "TiffPage") -> NDArray[Any]:
    """The samples of a page as (H, W, C)."""
    array = page.asarray()
    if "S" in page.axes:
        array = np.moveaxis(array, page.axes.index("S"), -1)  # planes -> (H, W, C)
    return array.reshape(page.imagelength, page.imagewidth, -1)


def _palette(page: "TiffPage") -> NDArray[Any]:
    """(N, 3) uint8. Raises ImageError."""
    if page.colormap is None:
        raise ImageError("a palette image without its palette")
    return (np.moveaxis(page.colormap, 0, -1) >> 8).astype(np.uint8)


def _stretched(array: NDArray[Any], bits: int, dtype: DTypeLike) -> NDArray[Any]:
    """Scale unsigned values of fewer bits to the whole range of a type."""
    unit = array.astype(np.float32) / (2**bits - 1)
    return np.asarray(unit * np.iinfo(np.dtype(dtype)).max + 0.5).astype(dtype)


def _from_cmyk(array: NDArray[Any], alpha: bool) -> NDArray[Any]:
    """(H, W, 4 or 5) integers -> (H, W, 3 or 4), without a colour profile: inks multiply."""
    if array.dtype.kind != "u" or array.shape[2] != 4 + alpha:
        raise ImageError("CMYK that is not four channels of integers")
    top = np.iinfo(array.dtype).max
    light = 1 - array[..., :4].astype(np.float32) / top
    colour = (light[..., :3] * light[..., 3:] * top + 0.5).astype(array.dtype)  # (H, W, 3)
    return np.concatenate([colour, array[..., 4:]], axis=-1)


def _has_alpha(page: "TiffPage") -> bool:
    return bool(page.extrasamples) and page.extrasamples[-1] in _ALPHA
