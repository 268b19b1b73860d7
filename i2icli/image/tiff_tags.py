"""Metadata in the tags of TIFF files: read as they are stored, and written beside results."""

import struct
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from i2icli.image import exif as exifs
from i2icli.image import geo
from i2icli.image.directories import LONG, Directory, Entry, Order, packed, read_directory, text_entry
from i2icli.image.exif import DESCRIPTION, GPS, ORIENTATION, PHOTO, SOFTWARE, Exif, with_texts
from i2icli.image.geo import GeoTags
from i2icli.image.metadata import Metadata, Parts
from i2icli.image.microscopy import resolution_of

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

_ICC, _XMP = 34675, 700
_BYTES = (1, 7)  # types of what has an own format
_CLASSIC = 2**32 - 2**26  # bytes of pixels: for more the form of files, and of directories, is another
# Descriptions that tell programs how the pages of a file belong together: not true of a result.
_OF_STACKS = (b"ImageJ=", b"<?xml", b"<OME", b'{"shape"', b"SCISTR")


def orientation(file: IO[bytes], tiff: "TiffFile", page: "TiffPage") -> int:
    """How an image is to be turned: 1 to 8, 1 where the tag makes no sense."""
    return exifs.orientation_of(_directory(file, tiff, page, {ORIENTATION}))


def parts_of(file: IO[bytes], tiff: "TiffFile", page: "TiffPage") -> Parts:
    """What the tags of a page say beside the image."""
    wanted = exifs.TAGS | geo.TAGS | {geo.SENSOR_MODEL, _ICC, _XMP}
    found = _directory(file, tiff, page, wanted)
    exif = exifs.from_directory(file, found, big=tiff.is_bigtiff)
    main = tuple(entry for entry in exif.main if not _is_of_stack(entry))
    parts = Parts(
        replace(exif, main=main),
        resolution=resolution_of(found),
        geo=GeoTags.of(found),
    )
    for tag in (_ICC, _XMP):
        entry = found.get(tag)
        if entry is None:
            continue
        if tag == _ICC:
            parts.add_profile(entry.value if entry.type in _BYTES else None)
        else:
            parts.xmp = entry.value
    return parts


def tag_arguments(metadata: Metadata, bytes_of_pixels: int) -> dict[str, Any]:
    """What tifffile writes into a file beside the image; `add_directories` completes it."""
    exif = with_description(metadata)
    entries = [*exif.main, *metadata.geo.entries]
    if metadata.xmp is not None:
        entries.append(Entry(_XMP, 1, len(metadata.xmp), metadata.xmp))
    if bytes_of_pixels < _CLASSIC:
        entries += [replace(entry, tag=entry.tag + 1) for entry in exifs.pointers(exif, 0, 0)]
    found: dict[str, Any] = {
        "byteorder": exif.order,
        "extratags": [(each.tag, each.type, each.count, each.value, True) for each in entries],
    }
    if any(entry.tag == SOFTWARE for entry in entries):
        found["software"] = False  # not tifffile's own name instead
    if metadata.resolution is not None:
        found |= {"resolution": metadata.resolution, "resolutionunit": "inch"}
    return found


def add_directories(path: Path, metadata: Metadata) -> None:
    """Write the directories of EXIF behind a file that was written with `tag_arguments`."""
    from tifffile import TiffFile

    exif = metadata.exif
    for tag, entries in ((PHOTO, exif.photo), (GPS, exif.gps)):
        if not entries:
            continue
        with TiffFile(path, mode="r+") as tiff:
            pointer = tiff.pages.first.tags.get(tag + 1)  # tifffile writes none of the right number
            if pointer is not None:
                end = tiff.filehandle.seek(0, 2)
                offset = end + end % 2
                tiff.filehandle.write(bytes(end % 2) + packed(entries, exif.order, offset))
                tiff.filehandle.seek(pointer.offset)
                tiff.filehandle.write(struct.pack(exif.order + "HHII", tag, LONG, 1, offset))


def with_description(metadata: Metadata) -> Exif:
    """The EXIF with the texts for which TIFF has tags; a comment is a description where there is none."""
    texts = dict(metadata.texts)
    exif = with_texts(metadata.exif, metadata.texts)
    if "Comment" in texts and all(entry.tag != DESCRIPTION for entry in exif.main):
        entry = text_entry(DESCRIPTION, texts["Comment"])
        return exif if _is_of_stack(entry) else with_texts(exif, [("Description", texts["Comment"])])
    return exif


def _directory(file: IO[bytes], tiff: "TiffFile", page: "TiffPage", tags: Collection[int]) -> Directory:
    order: Order = "<" if tiff.byteorder == "<" else ">"
    return read_directory(file, order, page.offset, big=tiff.is_bigtiff, only=tags)


def _is_of_stack(entry: Entry) -> bool:
    return entry.tag == DESCRIPTION and entry.value.lstrip().startswith(_OF_STACKS)
