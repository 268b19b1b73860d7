"""Where the pixels of a GeoTIFF lie on the map; the tags are data, and follow the size of a result."""

import struct
from dataclasses import dataclass, field, replace
from math import isfinite

from i2icli.image.directories import DOUBLE, Directory, Entry

PIXEL_SCALE, TIE_POINTS, TRANSFORMATION, KEYS = 33550, 33922, 34264, 34735
TAGS = frozenset({PIXEL_SCALE, TIE_POINTS, TRANSFORMATION, KEYS, 34736, 34737})
SENSOR_MODEL = 50844  # of satellites (RPC): it holds for the pixels of the original size alone
_RASTER_TYPE, _IS_POINT = 1025, 2  # a key: places are those of the pixels' centres, not of their corners


@dataclass(frozen=True)
class GeoTags:
    """Tags of GeoTIFF, in the byte order of the file they came from."""

    directory: Directory = field(default_factory=lambda: Directory("<"))

    def __bool__(self) -> bool:
        return bool(self.directory.entries)

    @classmethod
    def of(cls, directory: Directory) -> "GeoTags":
        """Those among all tags of an image."""
        kept = tuple(entry for entry in directory.entries if entry.tag in TAGS | {SENSOR_MODEL})
        return cls(Directory(directory.order, kept))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """As they are stored."""
        return self.directory.entries

    def scaled(self, across: float, down: float) -> "GeoTags":
        """Those of an image of so many times the width and height that shows the same part of the map."""
        if (across, down) == (1, 1) or not self:
            return self
        if not all(isfinite(each) for tag in (PIXEL_SCALE, TIE_POINTS) for each in self._doubles(tag)):
            return GeoTags()
        scale = list(self._doubles(PIXEL_SCALE))
        scale[:2] = [each / factor for each, factor in zip(scale, (across, down), strict=False)]
        factors, half = (across, down), 0.5 if self._of_centres() else 0.0
        points = list(self._doubles(TIE_POINTS))
        for at in range(0, len(points) - 5, 6):
            for axis, factor in enumerate(factors):
                points[at + axis] = (points[at + axis] + half) * factor - half
        matrix = list(self._doubles(TRANSFORMATION))
        for row in range(0, len(matrix) - 3, 4):
            for axis, factor in enumerate(factors):
                step = matrix[row + axis]
                matrix[row + axis] = step / factor
                matrix[row + 3] += half * (step / factor - step)
        changed = {PIXEL_SCALE: scale, TIE_POINTS: points, TRANSFORMATION: matrix}
        kept = tuple(
            self._with(entry, changed[entry.tag]) if changed.get(entry.tag) else entry
            for entry in self.entries
            if entry.tag != SENSOR_MODEL
        )
        return GeoTags(replace(self.directory, entries=kept))

    def _doubles(self, tag: int) -> tuple[float, ...]:
        return self.directory.doubles(tag)

    def _with(self, entry: Entry, values: list[float]) -> Entry:
        data = struct.pack(f"{self.directory.order}{len(values)}d", *values)
        return Entry(entry.tag, DOUBLE, len(values), data)

    def _of_centres(self) -> bool:
        """Whether places are those of the pixels' centres: a key says so."""
        entry = self.directory.get(KEYS)
        if entry is None or entry.type != 3:
            return False
        keys = struct.unpack(f"{self.directory.order}{entry.count}H", entry.value)
        names_and_values = zip(keys[4::4], keys[7::4], strict=False)  # four numbers come before them
        return (_RASTER_TYPE, _IS_POINT) in names_and_values
