"""What files hold beside the image, apart from it: decoders get the image alone, and cannot stumble."""

from contextlib import suppress
from dataclasses import replace
from typing import IO, Any

from PIL import Image

from i2icli.image import webp_chunks
from i2icli.image.decoded import Format
from i2icli.image.directories import LARGEST_PART
from i2icli.image.heif_boxes import HeifBoxes
from i2icli.image.jpeg_segments import JpegSegments
from i2icli.image.metadata import Metadata, Parts, fitted
from i2icli.image.png_chunks import PngChunks
from i2icli.image.webp_chunks import WebpChunks


def separated(file: IO[bytes], format: Format, *, head: bool = False) -> tuple[IO[bytes], Parts | None]:
    """The image of a file alone, as a file, and what else there is; None of a format that is left to Pillow.

    head: only what `Image.open` reads. Raises ImageError, OSError.
    """
    if format == "png":
        png = PngChunks(file)
        return png.clean(head=head), png.parts(head=head)
    if format == "jpeg":
        jpeg = JpegSegments(file)
        return jpeg.clean(head=head), jpeg.parts()
    if format == "webp":
        webp = WebpChunks(file)
        return webp.clean(), webp.parts()
    if format == "avif":
        avif = HeifBoxes(file)
        return avif.clean(), None if head else avif.parts()
    return file, None


def of_pillow(image: Image.Image) -> Parts:
    """What Pillow found beside an image that it has opened or made."""
    parts, info = Parts(), image.info
    exif = _exif_of(image)
    if exif:
        parts.add_exif(exif)
    if info.get("icc_profile"):
        parts.add_profile(info["icc_profile"])
    xmp = info.get("xmp")
    parts.xmp = xmp if isinstance(xmp, bytes) and len(xmp) <= LARGEST_PART else None
    with suppress(TypeError, ValueError):  # odder than ratios
        across, down = (float(each) for each in info.get("dpi", ()))
        parts.resolution = (across, down)
    comment = info.get("comment")
    if isinstance(comment, bytes):
        comment = comment.decode("utf-8", "replace")
    if isinstance(comment, str) and comment:
        parts.texts.append(("Comment", comment))
    return parts


def with_pillows(parts: Parts | None, image: Image.Image) -> Parts:
    """What was found in a file, with profile and orientation of an AVIF from Pillow; all of other formats."""
    if parts is None:
        return of_pillow(image)
    if image.format == "AVIF":
        found = of_pillow(image)
        parts.icc = found.icc
        parts.exif = replace(parts.exif, orientation=found.exif.orientation)
    return parts


def info_of(metadata: Metadata | None, icc: bytes | None, size: tuple[int, int]) -> dict[str, Any]:
    """Metadata and colour profile of a result of (height, width) as Pillow keeps them with an image."""
    found: dict[str, Any] = {} if icc is None else {"icc_profile": icc}
    if metadata is None:
        return found
    metadata = fitted(metadata, size)
    if metadata.resolution is not None:
        found["dpi"] = metadata.resolution
    return found | webp_chunks.save_arguments(metadata)


def fitting_profile(icc: bytes | None, channels: int) -> bytes | None:
    """The profile if it is for this number of channels, which translation may have changed."""
    wanted = {1: b"GRAY", 3: b"RGB "}.get(channels)
    return icc if icc and icc[16:20] == wanted else None


def _exif_of(image: Image.Image) -> bytes:
    """As it may have been changed in memory, or as it is stored where Pillow cannot read it."""
    try:
        found = image.getexif()
        return found.tobytes() if found else b""
    except Exception:  # as odd as what is in the file
        stored = image.info.get("exif")
        return stored if isinstance(stored, bytes) else b""
