"""Where results go and what they are called."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from i2icli.files import fitting
from i2icli.image import SUFFIXES, holds
from i2icli.image.decoded import Format
from i2icli.image.kinds import holds_ids
from i2icli.image.write import ANY_CHANNELS, NO_ALPHA, READ_ONLY
from i2icli.task import Kind, Port

_ANY_TYPE = ".tif"  # of a format that holds images of every number type


@dataclass(frozen=True)
class Place:
    """Where an output of every input goes."""

    folder: str = ""  # below --out
    dtype: str | None = None  # number type of its pixels, where it is not the input's
    kind: Kind = "image"  # of the input
    channels: int | None = None  # of the colours; None: 1 or 3
    alpha: bool = False  # whether transparency is a part of the output

    @classmethod
    def of(cls, port: Port, folder: str = "", kind: Kind = "image") -> Self:
        """That of the images of a port."""
        alpha = port.reading.alpha
        return cls(folder, port.dtype, kind, port.channels - alpha, alpha)

    @property
    def deepest(self) -> str:
        """The suffix of a format without loss that holds the output."""
        return ".png" if self._fits("png") else _ANY_TYPE

    def names(self, inputs: Iterable[Path], suffix: str | None) -> dict[Path, Path]:
        """The names of the results for inputs below a folder: an input's, with another suffix if need be.

        suffix: the one that is asked for. Inputs that would get the same name by their new suffix keep the
        old one as well: a.bmp and a.jpg become a.bmp.png and a.jpg.png.
        """
        found = {each: self._name(each, suffix) for each in inputs}
        often = Counter(found.values())

        def own(given: Path, name: Path) -> Path:
            both = often[name] > 1 and name != given
            return given.with_name(fitting(given.name, name.suffix)) if both else name

        return {given: own(given, name) for given, name in found.items()}

    def _name(self, given: Path, suffix: str | None) -> Path:
        if suffix:
            return _with_suffix(given, suffix)
        if holds_ids(self.kind):  # the format of a map says nothing about that of photos
            return _with_suffix(given, self.deepest)
        format = SUFFIXES.get(given.suffix.lower())
        if format == "ppm" and self._fits(format):
            return _with_suffix(given, self._of_netpbm(given.suffix))
        written = given.suffix.lower() not in READ_ONLY
        if format is None or (written and self._fits(format)):
            return given
        return _with_suffix(given, self.deepest)

    def _fits(self, format: Format) -> bool:
        """Whether a format holds the output."""
        whole = holds(format, self.dtype or "uint8")
        shown = self.channels in (None, 1, 3) or format in ANY_CHANNELS
        return whole and shown and not (self.alpha and format in NO_ALPHA)

    def _of_netpbm(self, suffix: str) -> str:
        """The one of its suffixes that is for grey, or for colours; .pnm is for both."""
        wanted = {1: ".pgm", 3: ".ppm"}.get(self.channels or 0, ".pnm")
        return suffix if suffix.lower() in (wanted, ".pnm") else wanted


def _with_suffix(path: Path, suffix: str) -> Path:
    """The path with another suffix, which may be longer than its own."""
    return path.with_name(fitting(path.stem, suffix))
