"""Stand-alone charts: lines with bands, axes, legend and title, as SVG or as pixels.

Both are rendered from the same strokes, areas and labels. Curves inside a page are `report.curves`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import escape
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from i2icli.errors import readable
from i2icli.files import atomic_write
from i2icli.report.curves import Axis

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#8c564b")
"""The colour-blind-safe palette of Okabe and Ito; further lines repeat it dashed."""
DASHES = (None, (9.0, 5.0), (3.0, 4.0))

WIDTH, HEIGHT = 900.0, 520.0  # without the legend
LEFT, RIGHT, TOP, BOTTOM = 74.0, 24.0, 54.0, 62.0  # margins around the plot
ROW, SAMPLE = 24.0, 34.0  # height of a row of the legend, length of the line in it
FONT, TITLE = 15.0, 19.0  # font sizes
OPACITY = 0.18  # of bands
SUPERSAMPLING = 2  # of pixels, for smooth edges


@dataclass(frozen=True)
class Line:
    """One line of a chart, optionally with a band from `low` to `high`. All of one length."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, name: str, x: ArrayLike, rows: NDArray[np.float64]) -> "Line":
        """The mean of several curves (N, L), with a band of one standard deviation if N is above 1."""
        mean, deviation = rows.mean(0), rows.std(0)
        band = (mean - deviation, mean + deviation) if len(rows) > 1 else (None, None)
        return cls(name, np.asarray(x, np.float64), mean, *band)


@dataclass(frozen=True)
class Chart:
    """Lines over common axes. `marks`: labelled positions on the x axis."""

    title: str
    lines: Sequence[Line]
    x_label: str
    y_label: str
    marks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Stroke:
    """A line through points."""

    points: Sequence[tuple[float, float]]
    colour: str
    width: float = 1.0
    dash: tuple[float, float] | None = None


@dataclass(frozen=True)
class Area:
    """A closed shape, filled semi-transparently."""

    points: Sequence[tuple[float, float]]
    colour: str


@dataclass(frozen=True)
class Label:
    """A text; `anchor` is start, middle or end, `rotated` reads upwards."""

    text: str
    x: float
    y: float
    anchor: str = "middle"
    size: float = FONT
    rotated: bool = False


@dataclass
class Drawing:
    """The elements of a chart, in drawing order."""

    width: float
    height: float
    parts: list[Stroke | Area | Label] = field(default_factory=list)


def write_chart(path: Path, chart: Chart) -> None:
    """Write a chart as SVG or, for any other suffix that Pillow knows, as pixels."""
    with atomic_write(path) as temporary:
        if path.suffix.lower() == ".svg":
            temporary.write_text(chart_svg(chart), encoding="utf-8")
        else:
            chart_image(chart).save(temporary, format="PNG" if path.suffix.lower() == ".png" else None)


def draw(chart: Chart) -> Drawing:
    """The chart as strokes, areas and labels."""
    x_axis, y_axis = _axes(chart)
    columns = 2 if len(chart.lines) > 3 else 1
    drawing = Drawing(WIDTH, HEIGHT + ROW * -(-len(chart.lines) // columns))
    drawing.parts += _frame(chart, x_axis, y_axis)
    styles = [
        (COLOURS[n % len(COLOURS)], DASHES[n // len(COLOURS) % len(DASHES)]) for n in range(len(chart.lines))
    ]
    polylines = [
        [[(x_axis.to_pixel(x), y_axis.to_pixel(y)) for x, y in zip(line.x, values, strict=True)] for values in
         (line.y, line.low, line.high) if values is not None]
        for line in chart.lines
    ]  # fmt: skip
    for (colour, _), shapes in zip(styles, polylines, strict=True):
        if len(shapes) == 3:
            drawing.parts.append(Area([*shapes[1], *reversed(shapes[2])], colour))
    for (colour, dash), shapes in zip(styles, polylines, strict=True):
        drawing.parts.append(Stroke(shapes[0], colour, 2.4, dash))
    for number, (line, (colour, dash)) in enumerate(zip(chart.lines, styles, strict=True)):
        x = LEFT + (number % columns) * (WIDTH - LEFT - RIGHT) / columns
        y = HEIGHT + ROW * (number // columns)
        drawing.parts.append(Stroke([(x, y), (x + SAMPLE, y)], colour, 3.2, dash))
        drawing.parts.append(Label(_shortened(line.name, columns), x + SAMPLE + 10, y + 5, "start"))
    return drawing


def chart_svg(chart: Chart) -> str:
    """The chart as a self-contained SVG document."""
    drawing = draw(chart)
    size = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}" width="{drawing.width:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" fill="#222">'
    paper = f'<rect width="{drawing.width:g}" height="{drawing.height:g}" fill="white"/>'
    return "\n".join(
        [head, f"<title>{escape(chart.title)}</title>", paper, *map(_svg, drawing.parts), "</svg>"]
    )


def chart_image(chart: Chart) -> Image.Image:
    """The chart as pixels, RGB."""
    drawing = draw(chart)
    size = round(drawing.width * SUPERSAMPLING), round(drawing.height * SUPERSAMPLING)
    image = Image.new("RGB", size, "white")
    for part in drawing.parts:
        if isinstance(part, Area):
            mask = Image.new("L", size, 0)
            ImageDraw.Draw(mask).polygon(_supersampled(part.points), fill=round(255 * OPACITY))
            image.paste(Image.new("RGB", size, part.colour), mask=mask)
        elif isinstance(part, Stroke):
            pen = ImageDraw.Draw(image)
            for piece in _dashes(part) if part.dash else [part.points]:
                pen.line(
                    _supersampled(piece),
                    fill=part.colour,
                    width=round(part.width * SUPERSAMPLING),
                    joint="curve",
                )
    image = image.resize((size[0] // SUPERSAMPLING, size[1] // SUPERSAMPLING), Image.Resampling.BOX)
    for part in drawing.parts:
        if isinstance(part, Label):
            _write(image, part)
    return image


def _axes(chart: Chart) -> tuple[Axis, Axis]:
    xs = np.concatenate([line.x for line in chart.lines])
    each = [values for line in chart.lines for values in (line.y, line.low, line.high) if values is not None]
    ys = np.concatenate(each)
    room = 0.05 * (ys.max() - ys.min()) or 1.0
    return (
        Axis(float(xs.min()), float(xs.max()), LEFT, WIDTH - RIGHT),
        Axis(float(ys.min() - room), float(ys.max() + room), HEIGHT - BOTTOM, TOP),
    )


def _frame(chart: Chart, x_axis: Axis, y_axis: Axis) -> list[Stroke | Area | Label]:
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts: list[Stroke | Area | Label] = [Label(chart.title, WIDTH / 2, 28, size=TITLE)]
    for tick, text in y_axis.labels():
        y = y_axis.to_pixel(tick)
        parts += [
            Stroke([(LEFT, y), (right, y)], "#dddddd"),
            Label(text, LEFT - 8, y + 5, "end"),
        ]
    for tick, text in x_axis.labels():
        x = x_axis.to_pixel(tick)
        parts += [Stroke([(x, floor), (x, floor + 5)], "#444444"), Label(text, x, floor + 22)]
    for value, text in chart.marks:
        x = x_axis.to_pixel(value)
        parts += [
            Stroke([(x, TOP), (x, floor)], "#999999", dash=(4.0, 4.0)),
            Label(text, x - 6, TOP + 14, "end", 13),
        ]
    parts += [Stroke([(LEFT, TOP), (LEFT, floor), (right, floor)], "#444444")]
    parts += [Label(chart.x_label, (LEFT + right) / 2, floor + 44)]
    parts += [Label(chart.y_label, 20, (TOP + floor) / 2, rotated=True)]
    return parts


def _svg(part: Stroke | Area | Label) -> str:
    if isinstance(part, Label):
        transform = f' transform="rotate(-90 {part.x:.1f} {part.y:.1f})"' if part.rotated else ""
        position = f'x="{part.x:.1f}" y="{part.y:.1f}" text-anchor="{part.anchor}" font-size="{part.size:g}"'
        return f"<text {position}{transform}>{escape(part.text)}</text>"
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in part.points)
    if isinstance(part, Area):
        return f'<polygon points="{points}" fill="{part.colour}" fill-opacity="{OPACITY}"/>'
    dash = f' stroke-dasharray="{part.dash[0]:g} {part.dash[1]:g}"' if part.dash else ""
    style = f'fill="none" stroke="{part.colour}" stroke-width="{part.width:g}"{dash}'
    return f'<polyline points="{points}" {style}/>'


def _write(image: Image.Image, label: Label) -> None:
    font = ImageFont.load_default(label.size)
    colour = "#222222"
    if not label.rotated:
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[label.anchor]
        ImageDraw.Draw(image).text((label.x, label.y), label.text, fill=colour, font=font, anchor=anchor)
        return
    length = round(font.getlength(label.text)) + 4
    rotated = Image.new("RGB", (length, round(label.size * 1.5)), "white")
    ImageDraw.Draw(rotated).text(
        (length / 2, label.size * 1.1), label.text, fill=colour, font=font, anchor="ms"
    )
    rotated = rotated.rotate(90, expand=True)
    image.paste(rotated, (round(label.x - rotated.width * 0.75), round(label.y - rotated.height / 2)))


def _dashes(stroke: Stroke) -> list[list[tuple[float, float]]]:
    """The dashes of a line."""
    assert stroke.dash is not None
    points: NDArray[Any] = np.array(stroke.points)
    distance = np.concatenate([[0.0], np.hypot(*np.diff(points, axis=0).T).cumsum()])
    on, off = stroke.dash
    pieces = []
    for start in np.arange(0, distance[-1], on + off):
        positions = np.linspace(start, min(start + on, distance[-1]), 6)
        pieces.append(
            list(zip(*(np.interp(positions, distance, points[:, axis]) for axis in (0, 1)), strict=True))
        )
    return pieces


def _supersampled(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in points]


def _shortened(name: str, columns: int) -> str:
    name, most = readable(name), 90 // columns
    return name if len(name) <= most else name[: most // 2] + " ... " + name[-(most // 2 - 5) :]
