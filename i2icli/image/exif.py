"""EXIF: what cameras and people wrote about an image, read as it is stored and fitted to results."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from io import BytesIO
from typing import IO

from i2icli.image.directories import (
    Directory,
    Entry,
    Order,
    long_entry,
    packed,
    ratio_entry,
    read_directory,
    text_entry,
)

ORIENTATION, RESOLUTIONS, UNIT = 0x0112, (0x011A, 0x011B), 0x0128
PHOTO, GPS = 0x8769, 0x8825  # entries of the main directory that tell where the others are
DESCRIPTION, SOFTWARE, ARTIST, COPYRIGHT = 0x010E, 0x0131, 0x013B, 0x8298
LARGEST_RESOLUTION = 50_000_000  # pixels per inch: half a nanometre each, and what all formats hold
_START = b"Exif\0\0"
_ORDERS: dict[bytes, Order] = {b"II*\0": "<", b"MM\0*": ">"}
_WIDTH, _HEIGHT = 0xA002, 0xA003
# What is about the image and not about the way it is stored: names, cameras, people, times, Windows' own.
_KEPT = frozenset(
    {0x010D, DESCRIPTION, 0x010F, 0x0110, SOFTWARE, 0x0132, ARTIST, 0x013C, COPYRIGHT, 0x4746, 0x4749}
    | set(range(0x9C9B, 0x9CA0))
)
# Those of the photo that do not survive: makers' notes point into the file they came from and may hold
# positions; how JPEG was compressed; where a further directory is.
TAGS = _KEPT | {ORIENTATION, *RESOLUTIONS, UNIT, PHOTO, GPS}
_DROPPED = frozenset({0x927C, 0x9101, 0x9102, 0xA005})
_INCHES = {2: 1.0, 3: 2.54}  # by the unit of resolutions: how many of it an inch has
_TEXT_TAGS = {"Description": DESCRIPTION, "Software": SOFTWARE, "Author": ARTIST, "Copyright": COPYRIGHT}


@dataclass(frozen=True)
class Exif:
    """The directories of EXIF; those of thumbnails and of storage are left out."""

    order: Order = "<"
    main: tuple[Entry, ...] = ()
    photo: tuple[Entry, ...] = ()
    gps: tuple[Entry, ...] = ()
    orientation: int = 1  # 1 to 8
    resolution: tuple[float, float] | None = None  # pixels per inch: (across, down)
    whole: bool = True  # whether all of it could be read

    def __bool__(self) -> bool:
        return bool(self.main or self.photo or self.gps)


def parse(data: bytes) -> Exif:
    """EXIF as files hold it. What is no EXIF at all, or only in part, is not `whole`."""
    while data.startswith(_START):
        data = data[len(_START) :]
    order = _ORDERS.get(data[:4])
    if order is None or len(data) < 8:
        return Exif(whole=False)
    (offset,) = struct.unpack_from(order + "I", data, 4)
    file = BytesIO(data)
    return from_directory(file, read_directory(file, order, offset))


def from_directory(file: IO[bytes], main: Directory, *, big: bool = False) -> Exif:
    """EXIF in the main directory of a file: of EXIF itself, or of a TIFF file."""
    photo, gps = (_inside(file, main, tag, big) for tag in (PHOTO, GPS))
    per_inch = _INCHES.get(main.number(UNIT) or 2)
    across, down = (main.ratio(tag) for tag in RESOLUTIONS)
    resolution = None
    if across and down and per_inch and max(across, down) < LARGEST_RESOLUTION:
        resolution = (across * per_inch, down * per_inch)
    return Exif(
        main.order,
        tuple(entry for entry in main.entries if entry.tag in _KEPT),
        tuple(entry for entry in photo.entries if entry.tag not in _DROPPED),
        gps.entries,
        orientation_of(main),
        resolution,
        main.whole and photo.whole and gps.whole,
    )


def orientation_of(main: Directory) -> int:
    """How an image is to be turned: 1 to 8, 1 where the entry makes no sense."""
    found = main.number(ORIENTATION) or main.ratio(ORIENTATION)
    return int(found) if found is not None and found in range(1, 9) else 1


def _inside(file: IO[bytes], main: Directory, tag: int, big: bool) -> Directory:
    offset = main.number(tag)
    if offset is None:
        return Directory(main.order)
    return read_directory(file, main.order, offset, big=big)


def sized(exif: Exif, size: tuple[int, int]) -> Exif:
    """The same for an image of (height, width): it says so where it did before."""
    known = {_HEIGHT: size[0], _WIDTH: size[1]}
    photo = tuple(
        long_entry(exif.order, entry.tag, known[entry.tag]) if entry.tag in known else entry
        for entry in exif.photo
    )
    return replace(exif, photo=photo)


def with_texts(exif: Exif, texts: Iterable[tuple[str, str]]) -> Exif:
    """With texts for which EXIF has tags, where they are empty: Author, Description ..."""
    taken = {entry.tag for entry in exif.main}
    added = {_TEXT_TAGS[name]: text for name, text in texts if name in _TEXT_TAGS}
    more = tuple(text_entry(tag, text) for tag, text in added.items() if tag not in taken)
    return replace(exif, main=(*exif.main, *more))


def with_resolution(exif: Exif, resolution: tuple[float, float]) -> Exif:
    """With pixels per inch (across, down)."""
    across, down = (
        ratio_entry(exif.order, tag, each) for tag, each in zip(RESOLUTIONS, resolution, strict=True)
    )
    unit = Entry(UNIT, 3, 1, struct.pack(exif.order + "H", 2))
    return replace(exif, main=(*exif.main, across, down, unit))


def to_bytes(exif: Exif) -> bytes:
    """As files hold it, without "Exif" before it."""
    start = (b"II*\0" if exif.order == "<" else b"MM\0*") + struct.pack(exif.order + "I", 8)
    first = packed([*exif.main, *pointers(exif, 0, 0)], exif.order, 8)
    photo_at = 8 + len(first)
    photo = packed(exif.photo, exif.order, photo_at) if exif.photo else b""
    gps_at = photo_at + len(photo)
    gps = packed(exif.gps, exif.order, gps_at) if exif.gps else b""
    first = packed([*exif.main, *pointers(exif, photo_at, gps_at)], exif.order, 8)
    return start + first + photo + gps


def pointers(exif: Exif, photo_at: int, gps_at: int) -> list[Entry]:
    """The entries of the main directory that tell where the others are, for those that there are."""
    places = ((PHOTO, photo_at, exif.photo), (GPS, gps_at, exif.gps))
    return [long_entry(exif.order, tag, offset) for tag, offset, entries in places if entries]
