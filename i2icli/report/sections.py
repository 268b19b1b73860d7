"""What a report is made of. Every section names the template block that shows it."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    """Names with values: settings, scores, sizes. `folded` shows them on a click."""

    kind: ClassVar[str] = "values"
    values: Mapping[str, str]
    heading: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under column names; columns that hold only numbers are set to the right."""

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    heading: str = ""

    @property
    def numeric(self) -> list[bool]:
        """For every column whether all its cells are numbers."""
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

    @property
    def svg(self) -> Markup:
        """The drawing, safe to place in a page."""
        return draw_curves(self.series, x_label=self.x_label, y_label=self.y_label, log_scale=self.log_scale)


@dataclass(frozen=True)
class Figure:
    """One picture, such as a sample sheet. `image` is the bytes of a PNG, JPEG or WebP file."""

    kind: ClassVar[str] = "figure"
    image: bytes
    caption: str = ""
    heading: str = ""
    pixelated: bool = False  # keep the pixels of small pictures sharp when they are enlarged

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return data_uri(self.image)


@dataclass(frozen=True)
class Pictures:
    """Pictures in rows under column names: before and after, side by side. Cells are bytes of image files."""

    kind: ClassVar[str] = "pictures"
    columns: Sequence[str]
    rows: Sequence[Sequence[bytes]]
    captions: Sequence[str] = field(default_factory=tuple)  # one per row, or none
    heading: str = ""
    pixelated: bool = False

    @property
    def cells(self) -> list[tuple[str, list[str]]]:
        """For every row its caption and its pictures as data URIs."""
        captions = list(self.captions) or [""] * len(self.rows)
        return [
            (caption, [data_uri(image) for image in row])
            for caption, row in zip(captions, self.rows, strict=True)
        ]


Section = Text | Values | Table | Curves | Figure | Pictures


def data_uri(image: bytes) -> str:
    """An image file inside a page. Raises ValueError for bytes that are no PNG, JPEG or WebP."""
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
