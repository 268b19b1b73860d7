"""Whether all of a TIFF file is there: what is missing would silently be read as zeros."""

import struct
from collections.abc import Iterable
from math import prod
from typing import IO, TYPE_CHECKING, Any

from i2icli.image.decoded import ImageError
from i2icli.image.geo import TAGS as GEO_TAGS

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

_GDAL = GEO_TAGS | {42112, 42113}  # tags of files in which pieces without data mean that there are none
_JPEG, _JPEG_END = 7, b"\xff\xd9"
_TAIL = 64  # bytes at the end of a piece in which its last marker is: padding may follow


def check_whole(file: IO[bytes], tiff: "TiffFile", pages: Iterable[Any]) -> None:
    """Raise ImageError if strips or tiles of some pages are missing, or a page that another one points to."""
    _check_chain(file, tiff)
    for page in pages:
        _check_pieces(file, page.aspage())


def _check_chain(file: IO[bytes], tiff: "TiffFile") -> None:
    form, end = tiff.tiff, file.seek(0, 2)
    offset, seen = _number(file, form.offsetformat, 8 if tiff.is_bigtiff else 4), set[int]()
    while offset and offset not in seen:
        seen.add(offset)
        entries = _number(file, form.tagnoformat, offset)
        behind = None if entries is None else offset + form.tagnosize + entries * form.tagsize
        if behind is None or behind + form.offsetsize > end:
            raise ImageError(f"truncated: page {len(seen)} lies beyond the end of the file")
        offset = _number(file, form.offsetformat, behind)


def _check_pieces(file: IO[bytes], page: "TiffPage") -> None:
    what, wanted = ("tile" if page.is_tiled else "strip"), prod(page.chunked)
    offsets, counts, end = page.dataoffsets, page.databytecounts, file.seek(0, 2)
    if page.is_contiguous:
        missing = page.nbytes + offsets[0] > end or (0 in counts and len(counts) > 1)
        if missing or not offsets[0]:
            raise ImageError(f"truncated: the file ends within its {what}s")
        return
    if min(len(offsets), len(counts)) < wanted:
        raise ImageError(f"{min(len(offsets), len(counts))} of {wanted} {what}s; the others are missing")
    sparse = any(tag in page.tags for tag in _GDAL)
    for number, (offset, count) in enumerate(zip(offsets, counts, strict=False), 1):
        if not offset and not count and sparse:
            continue
        if not offset or not count or offset + count > end:
            raise ImageError(f"truncated: {what} {number} of {wanted} is missing")
        if page.compression == _JPEG:
            file.seek(max(offset, offset + count - _TAIL))
            if _JPEG_END not in file.read(min(count, _TAIL)):
                raise ImageError(f"truncated: {what} {number} of {wanted} is not complete")


def _number(file: IO[bytes], form: str, offset: int) -> int | None:
    """The number at an offset of a file; None beyond its end."""
    file.seek(offset)
    data = file.read(struct.calcsize(form))
    return int(struct.unpack(form, data)[0]) if len(data) == struct.calcsize(form) else None
