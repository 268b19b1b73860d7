"""Where results go and what they are called."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from i2icli.files import fitting
from i2icli.image import SUFFIXES, holds
from i2icli.image.kinds import holds_ids
from i2icli.task import Kind

_ANY_TYPE = ".tif"  # of a format that holds images of every number type


@dataclass(frozen=True)
class Place:
    """Where an output of every input goes."""

    folder: str = ""  # below --out
    dtype: str | None = None  # number type of its pixels, where it is not the input's
    kind: Kind = "image"  # of the input

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
        dtype = self.dtype or "uint8"
        deep = ".png" if holds("png", dtype) else _ANY_TYPE
        if holds_ids(self.kind):  # the format of a map says nothing about that of photos
            return _with_suffix(given, deep)
        format = SUFFIXES.get(given.suffix.lower())
        return _with_suffix(given, deep) if format is not None and not holds(format, dtype) else given


def _with_suffix(path: Path, suffix: str) -> Path:
    """The path with another suffix, which may be longer than its own."""
    return path.with_name(fitting(path.stem, suffix))
