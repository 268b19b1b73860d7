"""What image files say about their images beside pixels and colours, for the results made from them."""

from dataclasses import dataclass, field, replace

from i2icli.image import exif as exifs
from i2icli.image.exif import Exif
from i2icli.image.geo import GeoTags
from i2icli.image.xmp import cut, is_position, is_stale

_COLOURS = frozenset({b"GRAY", b"RGB ", b"CMYK", b"Lab ", b"XYZ ", b"YCbr"})


@dataclass(frozen=True)
class Metadata:
    """EXIF, XMP, texts, resolution and place on the map of an image of some size."""

    size: tuple[int, int]  # (height, width) after EXIF rotation
    exif: Exif = field(default_factory=Exif)
    xmp: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()  # names and texts, such as ("Comment", "...")
    resolution: tuple[float, float] | None = None  # pixels per inch: (across, down)
    geo: GeoTags = field(default_factory=GeoTags)
    unread: tuple[str, ...] = ()  # what could not be read: "EXIF", "text" ...
    keep_gps: bool = False  # whether results say where the photo was taken


def fitted(metadata: Metadata, size: tuple[int, int]) -> Metadata:
    """The metadata of a result of (height, width) that shows the same scene.

    The orientation is applied already and not repeated. Lengths and places stay: resolution and place on the
    map follow the size. The position of the camera is left out unless it is to be kept.
    """
    keep = metadata.keep_gps
    across, down = size[1] / metadata.size[1], size[0] / metadata.size[0]
    resolution = metadata.resolution
    if resolution is not None:
        resolution = (resolution[0] * across, resolution[1] * down)
        resolution = resolution if _sensible(resolution) else None
    exif = exifs.sized(metadata.exif, size)
    return replace(
        metadata,
        size=size,
        exif=exif if keep else replace(exif, gps=()),
        xmp=None if metadata.xmp is None else cut(metadata.xmp, keep_gps=keep) or None,
        texts=tuple(
            (name, text)
            for name, text in metadata.texts
            if not is_stale(name) and (keep or not is_position(name))
        ),
        resolution=resolution,
        geo=metadata.geo.scaled(across, down),
    )


@dataclass
class Parts:
    """What was found in a file, piece by piece; what cannot be read is named in `unread`."""

    exif: Exif = field(default_factory=Exif)
    xmp: bytes | None = None
    texts: list[tuple[str, str]] = field(default_factory=list)
    resolution: tuple[float, float] | None = None  # as stored, before EXIF rotation
    geo: GeoTags = field(default_factory=GeoTags)
    icc: bytes | None = None  # colour profile
    unread: list[str] = field(default_factory=list)

    def add_exif(self, data: bytes) -> None:
        """EXIF as files hold it; the first that can be read counts."""
        if not self.exif.whole or self.exif == Exif():
            self.exif = exifs.parse(data)

    def add_profile(self, icc: bytes | None) -> None:
        """A colour profile, unless it is none."""
        self.icc = icc if icc and is_profile(icc) else None
        if self.icc is None:
            self.unread.append("colour profile")

    def metadata(self, size: tuple[int, int]) -> Metadata:
        """All of it, as that of an image of (height, width), upright."""
        unread, xmp, resolution = [*self.unread], self.xmp, self.resolution
        if not self.exif.whole:
            unread.append("EXIF")
        try:
            if xmp is not None:
                cut(xmp, keep_gps=True)
        except ValueError:
            unread.append("XMP")
            xmp = None
        if resolution is None or not _sensible(resolution):
            resolution = self.exif.resolution
        if resolution is not None:
            resolution = resolution[::-1] if self.exif.orientation >= 5 else resolution
            resolution = resolution if _sensible(resolution) else None
        geo = self.geo if self.exif.orientation == 1 else GeoTags()  # they tell of rows as they are stored
        left_out = tuple(dict.fromkeys(unread))
        return Metadata(size, self.exif, xmp, tuple(self.texts), resolution, geo, left_out)


def is_profile(icc: bytes) -> bool:
    """Whether bytes may be an ICC profile: its header says of which colours."""
    return len(icc) >= 128 and icc[16:20] in _COLOURS


def _sensible(resolution: tuple[float, float]) -> bool:
    return all(0 < each < exifs.LARGEST_RESOLUTION for each in resolution)  # False for NaN
