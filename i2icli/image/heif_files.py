"""HEIC files, read and written by pillow-heif where that is installed; what AVIF files say of their depth."""

from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from i2icli.image.decoded import DecodedImage, Header, ImageError, Pixels, check_size
from i2icli.image.id_maps import ONE_ID, IdMap
from i2icli.image.pixels import change_type

BRANDS: dict[bytes, str] = {b"avif": "avif", b"avis": "avif"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "heic"
)
"""What a file of this family calls itself, in this order of preference."""
_META = 2**20  # bytes in which an AVIF describes itself
_QUALITY = {"quality": 95, "chroma": 444}


def format_of(head: bytes) -> str | None:
    """avif or heic by the first bytes of a file, None for a video."""
    end = min(int.from_bytes(head[:4]), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    return next((format for brand, format in BRANDS.items() if brand in brands), None)


def avif_bits(file: IO[bytes]) -> tuple[int, bool, bool]:
    """Bits per sample of an AVIF, whether it is grey, and whether it is without loss; rewinds the file.

    Colours are stored without loss where they are not converted: whole samples, identity as their matrix.
    """
    file.seek(0)
    meta = file.read(_META)
    file.seek(0)
    at = meta.find(b"av1C")
    if at < 0 or len(meta) < at + 7:
        return 8, False, False
    flags = meta[at + 6]
    bits = 8 if not flags & 64 else 12 if flags & 32 else 10
    grey, subsampled = bool(flags & 16), bool(flags & 12)
    colours = meta.find(b"colrnclx")
    identity = colours >= 0 and meta[colours + 12 : colours + 14] == b"\0\0"
    return bits, grey, identity and not subsampled and not grey


def read_avif(file: IO[bytes]) -> NDArray[Any]:
    """An AVIF of more than 8 bits or in grey, (H, W, C) uint8 or uint16; the file stays where it was."""
    import imagecodecs

    position = file.tell()
    file.seek(0)
    array = imagecodecs.avif_decode(file.read(), numthreads=1)
    bits = avif_bits(file)[0]
    file.seek(position)
    if bits > 8:
        array = (array.astype(np.float32) * (65535 / (2**bits - 1)) + 0.5).astype(np.uint16)
    return array if array.ndim == 3 else array[..., None]


def write_avif(path: Path, array: NDArray[Any], *, lossless: bool) -> None:
    """Write (H, W, 1..4) of uint8, or of uint16 as 12 bits."""
    import imagecodecs

    bits = 8 if array.dtype == np.uint8 else 12
    if bits == 12:
        array = (array.astype(np.float32) * (4095 / 65535) + 0.5).astype(np.uint16)
    array = np.ascontiguousarray(array if array.shape[2] > 1 else array[..., 0])
    how: dict[str, Any] = (
        {} if lossless else {"level": 95, "pixelformat": "444" if array.ndim == 3 else "400"}
    )
    path.write_bytes(imagecodecs.avif_encode(array, bitspersample=bits, speed=6, numthreads=1, **how))


def read_header(file: IO[bytes]) -> Header:
    """Size, channels and depth of a HEIC. Raises ImageError or whatever the library does."""
    image = _opened(file)
    channels = 1 if image.mode.startswith("L") else 3
    dtype = np.dtype(np.uint16 if ";16" in image.mode else np.uint8)
    return Header("heic", image.size[::-1], channels, "A" in image.mode, dtype)


def read(file: IO[bytes]) -> DecodedImage:
    """Decode the main image of a HEIC, rotated as it says. Raises ImageError or what the library does."""
    image = _opened(file)
    array = np.asarray(image)
    array = array if array.ndim == 3 else array[..., None]
    if array.dtype == np.uint16:  # of 10 or 12 bits, the lowest are empty
        array = array | (array >> int(image.info.get("bit_depth", 16)))
    pixels: Pixels = array
    alpha = None
    if "A" in image.mode:
        pixels, alpha = np.ascontiguousarray(array[..., :-1]), array[..., -1].copy()
    return DecodedImage(pixels, alpha, "heic", image.info.get("icc_profile") or None, lossless=False)


def read_map(file: IO[bytes]) -> IdMap:  # noqa: ARG001 - as those of other formats
    """Raises ImageError."""
    raise ImageError(f"HEIC is lossy, so its ids or colours are not exact; {ONE_ID}")


def write(path: Path, image: DecodedImage, array: NDArray[Any]) -> None:
    """Write (H, W, 1..4) as HEIC, of 8 or 10 bits."""
    channels = array.shape[2]
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    if channels == 2 or (array.dtype == np.uint16 and channels == 1):
        grey = np.repeat(array[..., :1], 3, axis=2)
        array, mode = np.concatenate([grey, array[..., 1:]], axis=2), "RGBA" if channels == 2 else "RGB"
    deep = array.dtype == np.uint16
    array = np.ascontiguousarray(array if deep else change_type(array, np.uint8))
    size = array.shape[1], array.shape[0]
    made = _library().from_bytes(mode=mode + ";16" * deep, size=size, data=array.tobytes())
    made.save(path, icc_profile=image.icc, **_QUALITY)


def _opened(file: IO[bytes]) -> Any:
    library = _library()
    file.seek(0)
    image = library.open_heif(file, convert_hdr_to_8bit=False)
    check_size(image.size[1], image.size[0])
    return image


def _library() -> ModuleType:
    """pillow-heif. Raises ImageError naming the extra."""
    try:
        import pillow_heif
    except ImportError:
        raise ImageError("a HEIC image, for which a library is missing: pip install 'i2icli[heic]'") from None
    library: ModuleType = pillow_heif
    return library
