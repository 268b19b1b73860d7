"""Sections of a report. `kind` selects the block of the template that renders one."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from markupsafe import Markup

from i2icli.report.curves import Series, draw_curves

_SIGNATURES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"RIFF": "image/webp",
}


@dataclass(frozen=True)
class Text:
    """A paragraph; `lead` sets the first one larger."""

    kind: ClassVar[str] = "text"
    text: str
    heading: str = ""
    lead: bool = False


@dataclass(frozen=True)
class Values:
    """Names with values: settings, scores, sizes. `folded` collapses them."""

    kind: ClassVar[str] = "values"
    values: Mapping[str, str]
    heading: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under column names; numeric columns are right-aligned."""

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    heading: str = ""

    @property
    def numeric(self) -> list[bool]:
        """For every column, whether all its cells are numbers."""
        return [all(_is_number(row[index]) for row in self.rows) for index in range(len(self.columns))]


@dataclass(frozen=True)
class Curves:
    """Lines over training steps, one per name, as (x, y) points."""

    kind: ClassVar[str] = "curves"
    series: Series
    heading: str = ""
    x_label: str = "step"
    y_label: str = ""
    log_scale: bool = False
    caption: str = ""
    legend: Mapping[str, str] = field(default_factory=dict)  # a sentence by the name of a line

    @property
    def svg(self) -> Markup:
        """The chart as markup that is safe to embed."""
        return draw_curves(self.series, x_label=self.x_label, y_label=self.y_label, log_scale=self.log_scale)

    @property
    def explained(self) -> dict[str, str]:
        """Every sentence of the legend by the names of the lines it is about."""
        names: dict[str, list[str]] = {}
        for name in self.series:
            if name in self.legend:
                names.setdefault(self.legend[name], []).append(name)
        return {", ".join(each): text for text, each in names.items()}


@dataclass(frozen=True)
class Figure:
    """One image, such as a sample sheet. `image` is the bytes of a PNG, JPEG or WebP file."""

    kind: ClassVar[str] = "figure"
    image: bytes
    caption: str = ""
    heading: str = ""
    pixelated: bool = False  # upscale small images without smoothing

    @property
    def uri(self) -> str:
        """The image as a data URI."""
        return data_uri(self.image)


@dataclass(frozen=True)
class Slides:
    """Images of one series, the first of them shown; the others are reached by scrolling sideways.

    A click enlarges one; links below go to each.
    """

    kind: ClassVar[str] = "slides"
    images: Sequence[tuple[bytes, str]]  # bytes of an image file, and its caption
    heading: str = ""

    @cached_property
    def slides(self) -> list[tuple[str, str]]:
        """For every image, its data URI and its caption."""
        return [(data_uri(image), caption) for image, caption in self.images]


@dataclass(frozen=True)
class ImageGrid:
    """Images in rows under column names, side by side. Cells are bytes of image files."""

    kind: ClassVar[str] = "images"
    columns: Sequence[str]
    rows: Sequence[Sequence[bytes]]
    captions: Sequence[str] = field(default_factory=tuple)  # one per row, or none
    heading: str = ""
    pixelated: bool = False

    @property
    def cells(self) -> list[tuple[str, list[str]]]:
        """For every row, its caption and its images as data URIs."""
        captions = list(self.captions) or [""] * len(self.rows)
        return [
            (caption, [data_uri(image) for image in row])
            for caption, row in zip(captions, self.rows, strict=True)
        ]


Section = Text | Values | Table | Curves | Figure | Slides | ImageGrid


def data_uri(image: bytes) -> str:
    """An image file as a data URI. Raises ValueError for bytes other than PNG, JPEG or WebP."""
    for signature, kind in _SIGNATURES.items():
        if image.startswith(signature):
            return f"data:{kind};base64,{base64.b64encode(image).decode('ascii')}"
    raise ValueError("a report shows PNG, JPEG and WebP files; these bytes are none of them")


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").replace("%", "").strip())
    except ValueError:
        return False
    return True
