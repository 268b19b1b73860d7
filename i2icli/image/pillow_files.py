"""PNG, JPEG, WebP, BMP, GIF and AVIF files, read through Pillow (deep PNG and AVIF through imagecodecs)."""

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.classes import Colour
from i2icli.errors import UserError
from i2icli.image import heif_files
from i2icli.image.beside import fitting_profile, info_of, of_pillow, separated, with_pillows
from i2icli.image.decoded import (
    MAX_PIXELS,
    DecodedImage,
    Format,
    Header,
    ImageError,
    Pixels,
    check_size,
    upright,
)
from i2icli.image.id_maps import ONE_ID, IdMap, as_map
from i2icli.image.metadata import Parts
from i2icli.image.pixels import change_type
from i2icli.image.transparency import as_read
from i2icli.image.values import to_stored
from i2icli.reading import AS_FOUND, Reading
from i2icli.value_range import ValueRange

# Pillow's own limit is lower; sizes are checked against ours right after a file is opened.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

_GREY_BITS = {"L;2": 2, "L;4": 4}  # how Pillow calls grey of few bits in an image that it has not decoded yet
_COLOURS = {"1": 1, "L": 1, "LA": 1, "I": 1, "I;16": 1, "I;16B": 1}  # other modes become RGB


def read_header(file: IO[bytes], format: Format) -> Header:
    """Size, channels and depth, without decoding. Raises ImageError or whatever Pillow does."""
    depth, has_colour, has_alpha = _png_kind(file) if format == "png" else (8, False, False)
    clean, parts = separated(file, format, head=True)
    with _opened(clean, format) as image:
        width, height = image.size
        orientation = _orientation(image, parts)
        size = (width, height) if orientation in (5, 6, 7, 8) else (height, width)
        if depth == 16:  # not visible in Pillow's mode
            channels, has_alpha = (3 if has_colour else 1), has_alpha or "transparency" in image.info
            return Header(format, size, channels, has_alpha, np.dtype(np.uint16), orientation)
        channels, alpha = _COLOURS.get(image.mode, 3), image.has_transparency_data
        dtype: np.dtype[Any] = np.dtype(np.uint8)
        if format == "avif":
            bits, grey, _ = heif_files.avif_bits(file)
            dtype, channels = np.dtype(np.uint16 if bits > 8 else np.uint8), 1 if grey else channels
        return Header(format, size, channels, alpha, dtype, orientation)


def read(file: IO[bytes], format: Format) -> DecodedImage:
    """Decode an image, its values as stored. Raises ImageError or whatever the decoders do."""
    deep = format == "png" and _png_kind(file)[0] == 16
    lossless = _is_lossless(file, format)
    clean, parts = separated(file, format)
    with _opened(clean, format) as image:
        parts = with_pillows(parts, image)
        if format == "avif" and heif_files.avif_bits(file)[:2] != (8, False):
            array = heif_files.read_avif(clean)  # Pillow has 8 bits, and colours where there is alpha
        else:
            array = _decode_16_bit(clean) if deep else _decode(image)
        pixels, alpha = _split(upright(array, parts.exif.orientation))  # (H, W, C), (H, W)
        icc = None if image.mode == "CMYK" else parts.icc  # CMYK was converted to RGB
        metadata = parts.metadata(pixels.shape[:2])
        return DecodedImage(pixels, alpha, format, icc, lossless, metadata=metadata)


def read_map(file: IO[bytes], format: Format) -> IdMap:
    """The values of the pixels as stored: indices of a palette, not its colours.

    Raises ImageError for lossy formats, or whatever the decoders do.
    """
    if not _is_lossless(file, format):
        raise ImageError(f"{format.upper()} is lossy, so its ids or colours are not exact; {ONE_ID}")
    deep = format == "png" and _png_kind(file)[0] == 16
    clean, parts = separated(file, format)
    with _opened(clean, format) as image:
        orientation = _orientation(image, parts)
        return as_map(upright(_decode_16_bit(clean), orientation)) if deep else map_of(image, orientation)


def map_of(image: Image.Image, orientation: int | None = None) -> IdMap:
    """The same of an image that Pillow has opened or made. Raises ImageError.

    orientation: 1 to 8; None: what the image says.
    """
    bits = _grey_bits(image)
    if image.mode in ("RGBX", "RGBa") or image.mode[0] not in "1LPIR":
        raise ImageError(f"colours of kind {image.mode}; {ONE_ID}, or RGB")
    palette = tuple(_triples(image.getpalette("RGB") or [])) if image.mode == "P" else ()
    array = np.asarray(image)  # (H, W) or (H, W, C)
    if image.mode in ("LA", "La", "PA"):
        array = array[..., 0]
    if bits < 8:
        array = array // (255 // (2**bits - 1))  # Pillow scales such greys to 8 bits
    return as_map(upright(array, orientation or _orientation(image)), palette)


def from_pillow(
    image: Image.Image, range: ValueRange | None = None, reading: Reading = AS_FOUND
) -> DecodedImage:
    """A Pillow image of any mode, EXIF rotation applied; by default it is written as PNG.

    range: of its values, reading: what becomes of transparency. Raises ImageError as `as_read`.
    """
    array = np.asarray(image)[..., None] if image.mode == "I" and range is not None else _decode(image)
    parts = of_pillow(image)
    colours, alpha = _split(upright(array, parts.exif.orientation))
    icc = None if image.mode == "CMYK" else parts.icc
    metadata = parts.metadata(colours.shape[:2])
    return as_read(DecodedImage(colours, alpha, "png", icc, metadata=metadata), range, reading)


def to_pillow(image: DecodedImage) -> Image.Image:
    """An image as L, LA, RGB or RGBA, 8 bit; as I;16, I or F if it has one channel of other stored values.

    Its `info` holds metadata under the names that Pillow uses: exif, xmp, dpi, icc_profile.

    Raises UserError for other numbers of channels.
    """
    channels = image.pixels.shape[2]
    if channels == 1 and image.stored is not None and image.stored.dtype != np.uint8:
        values = to_stored(image).pixels[..., 0]
        wanted = {"uint16": np.uint16, "float32": np.float32}.get(values.dtype.name, np.int32)
        made = Image.fromarray(values.astype(wanted))
    elif channels in (1, 3):
        made = as_image(change_type(with_alpha(image), np.uint8))
    else:
        raise UserError(f"a Pillow image holds 1 or 3 channels, not {channels}; use arrays instead")
    made.info.update(info_of(image.metadata, fitting_profile(image.icc, channels), image.pixels.shape[:2]))
    return made


def is_moving_gif(path: Path) -> bool:
    """Whether a file is a GIF of several frames, which is a video and no image."""
    if path.suffix.lower() != ".gif":
        return False
    try:
        with Image.open(path, formats=("GIF",)) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # decoders react to hostile bytes with any exception there is
        return False


def as_image(array: NDArray[Any]) -> Image.Image:
    """(H, W, 1..4) uint8 -> L, LA, RGB or RGBA."""
    return Image.fromarray(np.ascontiguousarray(array[..., 0] if array.shape[2] == 1 else array))


def with_alpha(image: DecodedImage) -> NDArray[Any]:
    """(H, W, C), or (H, W, C + 1) with alpha as the last channel if there is one."""
    if image.alpha is None:
        return image.pixels
    return np.concatenate([image.pixels, image.alpha[..., None]], axis=-1)


def _split(array: NDArray[Any]) -> tuple[Pixels, NDArray[Any] | None]:
    """(H, W, 1..4) -> colour (H, W, 1 or 3) and alpha (H, W)."""
    if array.shape[2] in (1, 3):
        return array, None
    return np.ascontiguousarray(array[..., :-1]), np.ascontiguousarray(array[..., -1])


def _orientation(image: Image.Image, parts: Parts | None = None) -> int:
    """How an image is to be turned, 1 to 8; parts: what was found in its file, if that was looked into."""
    return (parts or of_pillow(image)).exif.orientation


def _opened(file: IO[bytes], format: Format) -> Image.Image:
    try:
        image = Image.open(file, formats=(format.upper(),))
    except Image.DecompressionBombError as error:
        raise ImageError("too large; the limit is 0.5 gigapixel") from error
    try:
        check_size(image.height, image.width)
        # Phones store a second, smaller image in a JPEG (MPO); the first is the photo.
        frames = getattr(image, "n_frames", 1)
        if format != "jpeg" and frames > 1:
            raise ImageError(
                f"an animation of {frames} frames; expected a still image, or a video for i2i video"
            )
    except BaseException:
        image.close()
        raise
    return image


def _decode(image: Image.Image) -> NDArray[Any]:
    """-> (H, W, C) with 1 (grey), 2 (grey, alpha), 3 or 4 channels; uint8 but for the deeper grey modes."""
    if image.mode == "F":
        return np.asarray(image)[..., None]
    if image.mode.startswith("I"):  # I;16, and I, in which Pillow also keeps 16 bit
        return np.asarray(image).clip(0, 65535).astype(np.uint16)[..., None]
    grey = image.mode in _COLOURS
    wanted = ("L" if grey else "RGB") + ("A" if image.has_transparency_data else "")
    image.load()
    array = np.asarray(image if image.mode == wanted else image.convert(wanted))
    return array if array.ndim == 3 else array[..., None]


def _grey_bits(image: Image.Image) -> int:
    """Bits per pixel of a grey image in its file; 8 where that is unknown, as once it is decoded."""
    tiles = getattr(image, "tile", None)
    return _GREY_BITS.get(tiles[0][3], 8) if image.mode == "L" and tiles else 8


def _triples(values: list[int]) -> list[Colour]:
    return list(zip(values[::3], values[1::3], values[2::3], strict=True))


def _png_kind(file: IO[bytes]) -> tuple[int, bool, bool]:
    """Bits per sample, whether there is colour, whether there is alpha: from the IHDR chunk."""
    file.seek(0)
    head = file.read(26)
    if len(head) < 26:
        raise ImageError("truncated: it ends within its header")
    depth, colour_type = head[24:]
    file.seek(0)
    return depth, bool(colour_type & 2), bool(colour_type & 4)


def _decode_16_bit(file: IO[bytes]) -> NDArray[Any]:
    """-> (H, W, C) uint16; Pillow would keep only 8 bits of colour images. The position stays as it was."""
    import imagecodecs

    position = file.tell()
    file.seek(0)
    array = imagecodecs.png_decode(file.read())
    file.seek(position)
    return array if array.ndim == 3 else array[..., None]


def _is_lossless(file: IO[bytes], format: Format) -> bool:
    """Whether an image holds exactly what was written into it."""
    if format == "webp":
        return _is_lossless_webp(file)
    return heif_files.avif_bits(file)[2] if format == "avif" else format != "jpeg"


def _is_lossless_webp(file: IO[bytes]) -> bool:
    """Whether the pixels are in a VP8L chunk; walks the RIFF chunks up to them."""
    file.seek(12)
    found = False
    while len(head := file.read(8)) == 8:
        if head[:4] in (b"VP8 ", b"VP8L"):
            found = head[:4] == b"VP8L"
            break
        size = int.from_bytes(head[4:], "little")
        file.seek(size + size % 2, 1)
    file.seek(0)
    return found
