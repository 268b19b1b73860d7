"""TIFF files, read through tifffile: any depth and number of channels."""

from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from i2icli.image.decoded import (
    DecodedImage,
    Header,
    ImageError,
    Layout,
    check_size,
    upright,
)
from i2icli.image.id_maps import ONE_ID, IdMap, as_map
from i2icli.image.tiff_pages import PageImage, chosen, images_in
from i2icli.image.values import as_stored, spanning_type, stored_type
from i2icli.reading import AS_FOUND, Reading

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

_ORIENTATION, _ICC = 274, 34675  # tags
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _SEPARATED, _YCBCR = 0, 1, 2, 3, 5, 6  # photometric interpretations
_ALPHA = _PREMULTIPLIED, _ = (1, 2)  # kinds of extra samples: premultiplied, plain
_SEPARATE = 2  # planes in place of samples side by side
_JPEG = (6, 7)  # compressions; the decoder returns RGB


def read_header(file: IO[bytes], reading: Reading = AS_FOUND) -> Header:
    """Size, channels and type, without decoding. Raises ImageError or whatever tifffile does."""
    with _opened(file) as tiff:
        page, samples, images = _checked_page(tiff, reading)
        size = (page.imagelength, page.imagewidth)
        orientation = _orientation(page)
        alpha = _has_alpha(images)
        stored = np.dtype(np.uint8) if page.bitspersample < 8 else stored_type(np.dtype(page.dtype))
        if page.photometric == _PALETTE:
            stored, samples = np.dtype(np.uint8), 3 * len(images)
        elif page.photometric == _SEPARATED:
            samples = 3 * len(images) + alpha
        size = size[::-1] if orientation in (5, 6, 7, 8) else size
        dtype = spanning_type(stored)
        return Header("tiff", size, samples - alpha, alpha, dtype, orientation, stored)


def read(file: IO[bytes], reading: Reading = AS_FOUND) -> DecodedImage:
    """Decode an image, its values as stored. Raises ImageError or whatever tifffile does.

    Colours that were multiplied by their opacity are divided by it, unless opacity is a channel of its own.
    """
    with _opened(file) as tiff:
        page, _, images = _checked_page(tiff, reading)
        array = np.concatenate([_colours(image) for image in images], axis=-1)  # (H, W, C)
        alpha = _has_alpha(images)
        layout = _layout(tiff, images)
        array = upright(array, _orientation(page))
        icc = None if page.photometric == _SEPARATED else page.tags.valueof(_ICC)
        lossless = page.compression not in _JPEG
    if not alpha:
        return DecodedImage(array, None, "tiff", icc, lossless, layout=layout)
    colours, opacity = np.ascontiguousarray(array[..., :-1]), array[..., -1].copy()
    if page.extrasamples[-1] == _PREMULTIPLIED and reading.channels != array.shape[2]:
        colours = _divided(colours, opacity)
    return DecodedImage(colours, opacity, "tiff", icc, lossless, layout=layout)


def count_images(file: IO[bytes]) -> int:
    """How many images a file holds where its pages are images. Raises ImageError or what tifffile does."""
    with _opened(file) as tiff:
        return len(images_in(tiff))


def read_map(file: IO[bytes], reading: Reading = AS_FOUND) -> IdMap:
    """The samples of an image as stored: indices of a palette, not its colours.

    Raises ImageError or whatever tifffile does.
    """
    with _opened(file) as tiff:
        page, _, images = _checked_page(tiff, reading)
        if page.compression in _JPEG:
            raise ImageError("JPEG compression is lossy, so its ids are not exact; use a lossless one")
        array = np.concatenate([_interleaved(image) for image in images], axis=-1)  # (H, W, C)
        if array.shape[2] > 2 and page.photometric != _RGB:
            raise ImageError(f"colours of kind {page.photometric}; {ONE_ID}, or RGB")
        palette = tuple(map(tuple, _palette(page).tolist())) if page.photometric == _PALETTE else ()
        return as_map(upright(array, _orientation(page)), palette)


def _opened(file: IO[bytes]) -> "TiffFile":
    """Without the other files of a set, which its text may name wherever they are."""
    from tifffile import TiffFile

    return TiffFile(file, _multifile=False)


def _checked_page(file: "TiffFile", reading: Reading) -> "tuple[TiffPage, int, list[PageImage]]":
    """The page that says what the pixels are, their number of samples, and what holds them."""
    images = chosen(file, reading)
    page = images[0].page
    samples = sum(image.samples for image in images)
    check_size(page.imagelength, page.imagewidth, samples)
    if page.imagedepth != 1:
        raise ImageError("a volume; expected a 2-D image")
    if page.photometric not in (_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _SEPARATED, _YCBCR):
        raise ImageError(f"TIFF colours of kind {page.photometric}; expected grey, RGB, palette or CMYK")
    return page, samples, images


def _layout(file: "TiffFile", images: "list[PageImage]") -> Layout:
    """How the channels lie in a file, for results to be written like it."""
    page = images[0].page
    if file.is_ome:
        return "ome-pixels" if page.samplesperpixel > 1 else "ome"
    if file.is_imagej and page.samplesperpixel == 1 and (len(images) > 1 or len(images[0].planes) > 1):
        return "imagej"
    return "planes" if page.planarconfig == _SEPARATE and page.samplesperpixel > 1 else "pixels"


def _colours(image: "PageImage") -> NDArray[Any]:
    """Decode to values (H, W, C) of `as_stored`; alpha, if any, is the last channel."""
    page = image.page
    array = _interleaved(image)  # (H, W, C)
    if len(image.planes) > 1:
        return as_stored(array)
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
        array = _from_cmyk(array, page.samplesperpixel > 4)
    return array


def _interleaved(image: "PageImage") -> NDArray[Any]:
    """The samples of all its pages as (H, W, C)."""
    page = image.page
    planes: list[NDArray[Any]] = []
    for array in image.arrays():
        if "S" in page.axes:
            array = np.moveaxis(array, page.axes.index("S"), -1)  # planes -> (H, W, C)
        planes.append(array.reshape(page.imagelength, page.imagewidth, -1))
    return np.concatenate(planes, axis=-1) if len(planes) > 1 else planes[0]


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


def _has_alpha(images: "list[PageImage]") -> bool:
    """Whether the last sample of a page is opacity; channels of several pages are none."""
    page = images[0].page
    alone = len(images) == 1 and len(images[0].planes) == 1
    return alone and bool(page.extrasamples) and page.extrasamples[-1] in _ALPHA


def _divided(colours: NDArray[Any], opacity: NDArray[Any]) -> NDArray[Any]:
    """Colours (H, W, C) that were multiplied by their opacity (H, W), as they were before."""
    if colours.dtype.kind != "u":
        return colours
    top = np.iinfo(colours.dtype).max
    share = np.maximum(opacity, 1)[..., None].astype(np.float64) / top
    return np.asarray((colours / share + 0.5).clip(0, top)).astype(colours.dtype)


def _orientation(page: "TiffPage") -> int:
    return int(page.tags.valueof(_ORIENTATION, default=1))
