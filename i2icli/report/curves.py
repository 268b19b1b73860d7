"""Curves as inline SVG: axes with round numbers, grid, legend, optional log scale."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from i2icli.errors import print_number

Points = Sequence[tuple[float, float]]
Series = Mapping[str, Points]

SIZES = {"wide": (760, 300), "narrow": (340, 240)}  # the page shows the one that fits
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 12, 44  # margins around the plot
MAX_POINTS = 400  # per curve: more than the eye can distinguish at this width
NOISY_POINTS = 120  # longer curves are drawn faint, with their trend on top
MAX_DIGITS = 15  # of a label: more a number does not hold
HUGE = 1e300  # from here on values cannot be drawn, nor can infinity and NaN
COLOURS = 8  # line colours defined in the style sheet


@dataclass(frozen=True)
class Axis:
    """Maps values from `low` to `high` to pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log_scale: bool = False
    whole: bool = False  # its values are whole numbers, such as steps

    def to_pixel(self, value: float) -> float:
        """The pixel position of a value."""
        low, high, value = (self._scaled(number) for number in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers within the axis, about five."""
        if self.log_scale:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            decades = [10.0**power for power in powers]
            if len(decades) >= 2:
                return decades[:: math.ceil(len(decades) / 6)]
        step = _round_step((self.high - self.low) / 5, whole=self.whole)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]

    def labels(self) -> list[tuple[float, str]]:
        """The ticks with texts that tell them apart."""
        ticks = self.ticks()
        each = ([short_number(tick, digits) for tick in ticks] for digits in range(3, MAX_DIGITS + 1))
        texts = next((texts for texts in each if len(set(texts)) == len(texts)), [""] * len(ticks))
        return list(zip(ticks, texts, strict=True))

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log_scale else value


def draw_curves(
    series: Series, *, x_label: str = "step", y_label: str = "", log_scale: bool = False
) -> Markup:
    """Curves by name as SVG, noisy ones faint under their trend; a wide and a narrow version.

    Points that are not finite, too large, or not positive on a log scale are omitted.
    """
    shown = {name: _drawable(points, log_scale) for name, points in series.items()}
    shown = {name: points for name, points in shown.items() if points}
    if not shown:
        return Markup('<p class="empty">no data yet</p>')
    drawings: list[str] = []
    for kind, (width, height) in SIZES.items():
        x_axis, y_axis = _axes(shown, log_scale, width, height)
        body = [*_grid(x_axis, y_axis), *_labels(x_label, y_label, x_axis, y_axis)]
        for index, points in enumerate(shown.values()):
            style = f"series-{index % COLOURS}"
            if len(points) > NOISY_POINTS:
                body.append(_line(thinned(points), f"{style} faint", x_axis, y_axis))
            body.append(_line(trend(points), style, x_axis, y_axis))
        head = f'<svg class="curves {kind}" viewBox="0 0 {width} {height}" role="img" aria-label="curves">'
        drawings += [head, *body, "</svg>"]
    return Markup("".join(drawings) + _legend(shown))  # all texts in it are escaped


def thinned(points: Points, most: int = MAX_POINTS) -> Points:
    """At most `most` points: the minimum and maximum of every interval, so that spikes stay visible."""
    if len(points) <= most:
        return points
    intervals = most // 2
    kept: list[tuple[float, float]] = []
    for index in range(intervals):
        begin, end = (len(points) * edge // intervals for edge in (index, index + 1))
        interval = sorted(points[begin:end], key=lambda point: point[1])
        kept += sorted({interval[0], interval[-1]})
    return kept


def trend(points: Points, intervals: int = NOISY_POINTS // 2) -> Points:
    """The mean of every interval of a noisy curve, from its first x to its last; short curves unchanged."""
    if len(points) <= NOISY_POINTS:
        return points
    edges = [len(points) * edge // intervals for edge in range(intervals + 1)]
    means: list[tuple[float, float]] = []
    for begin, end in pairwise(edges):
        interval = points[begin:end]
        mean = sum(y for _, y in interval) / len(interval)
        x = (
            points[0][0]
            if begin == 0
            else points[-1][0]
            if end == len(points)
            else interval[len(interval) // 2][0]
        )
        means.append((x, mean))
    return means


def _drawable(points: Points, log_scale: bool) -> Points:
    return [(x, y) for x, y in points if abs(x) < HUGE and abs(y) < HUGE and (y > 0 or not log_scale)]


def _axes(shown: Series, log_scale: bool, width: int, height: int) -> tuple[Axis, Axis]:
    xs = [x for points in shown.values() for x, _ in points]
    ys = [y for points in shown.values() for _, y in points]
    low, high = min(ys), max(ys)
    if log_scale:
        low, high = low / 1.1, high * 1.1
    else:
        room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        low, high = (0.0 if low >= 0 and low < room * 4 else low - room), high + room
    x_low, x_high = min(xs), max(xs)
    if x_low == x_high:
        x_low, x_high = x_low - 1, x_high + 1
    return (
        Axis(x_low, x_high, LEFT, width - RIGHT, whole=all(float(x).is_integer() for x in xs)),
        Axis(low, high, height - BOTTOM, TOP, log_scale),
    )


def _grid(x_axis: Axis, y_axis: Axis) -> list[str]:
    parts: list[str] = []
    right, floor = round(x_axis.end), round(y_axis.start)
    for tick, text in y_axis.labels():
        y = y_axis.to_pixel(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for tick, text in x_axis.labels():
        x = x_axis.to_pixel(tick)
        anchor = "end" if x > right - 12 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{floor + 18}" text-anchor="{anchor}">{text}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{floor}" y2="{floor}"/>')
    return parts


def _labels(x_label: str, y_label: str, x_axis: Axis, y_axis: Axis) -> list[str]:
    middle, bottom = (x_axis.start + x_axis.end) / 2, round(y_axis.start) + BOTTOM - 6
    parts = [f'<text x="{middle}" y="{bottom}" text-anchor="middle">{escape(x_label)}</text>']
    if y_label:
        y = (y_axis.start + y_axis.end) / 2
        rotated = f'x="14" y="{y}" transform="rotate(-90 14 {y})"'
        parts.append(f'<text {rotated} text-anchor="middle">{escape(y_label)}</text>')
    return parts


def _line(points: Points, style: str, x_axis: Axis, y_axis: Axis) -> str:
    pixels = [f"{x_axis.to_pixel(x):.1f},{y_axis.to_pixel(y):.1f}" for x, y in points]
    if len(pixels) == 1:
        x, y = pixels[0].split(",")
        return f'<circle class="{style} dot" cx="{x}" cy="{y}" r="3"/>'
    return f'<polyline class="{style}" points="{" ".join(pixels)}"/>'


def _legend(shown: Series) -> str:
    entries = [
        f'<li><svg viewBox="0 0 18 4"><polyline class="series-{index % COLOURS}" points="0,2 18,2"/></svg>'
        f"{escape(name)} <b>{short_number(trend(points)[-1][1])}</b></li>"
        for index, (name, points) in enumerate(shown.items())
    ]
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _round_step(rough: float, *, whole: bool) -> float:
    """The next larger of 1, 2, 2.5, 5 times a power of ten; whole: that is a whole number."""
    rough = max(rough, 1.0) if whole else rough
    power = 10.0 ** math.floor(math.log10(rough))
    steps = (factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return next(step for step in steps if not whole or step.is_integer())


def short_number(value: float, digits: int = 3) -> str:
    """12000 -> "12k", 1530 -> "1,530", 0.25 -> "0.25"; digits: significant ones, see `print_number`."""
    for unit, least, letter in ((1e6, 1e6, "M"), (1e3, 1e4, "k")):
        if abs(value) >= least:
            return f"{print_number(value / unit, digits)}{letter}".replace(",", "")
    return print_number(value, digits)
