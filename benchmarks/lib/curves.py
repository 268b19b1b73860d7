"""Curves as a picture, with title, axes and a legend: one colour for each kind, a thin line for each run."""

from collections.abc import Iterator, Mapping, Sequence
from math import floor, log10
from pathlib import Path
from statistics import mean

from PIL import Image, ImageDraw, ImageFont

COLOURS = ("#d1495b", "#e08e1d", "#00798c", "#3b3561")
WIDTH, HEIGHT = 900, 520
LEFT, RIGHT, TOP, BOTTOM = 84, 20, 44, 96
MIXED = 0.55  # of a thin line with white

Curve = list[tuple[float, float]]


def draw(path: Path, curves: Mapping[str, Sequence[Curve]], title: str, across: str, up: str) -> None:
    """Write a picture of curves by kind: the runs thin, their mean bold. x begins at 0."""
    points = [point for runs in curves.values() for run in runs for point in run]
    low, high = min(y for _, y in points), max(y for _, y in points)
    margin = 0.05 * (high - low) or 1.0
    paper = _Paper(max(x for x, _ in points), low - margin, high + margin)
    paper.axes(title, across, up)
    for colour, runs in zip(COLOURS, curves.values(), strict=False):
        for run in runs:
            paper.line(run, _paler(colour), 1)
    for colour, runs in zip(COLOURS, curves.values(), strict=False):
        paper.line(_mean(runs), colour, 4)
    paper.legend(list(curves))
    path.parent.mkdir(parents=True, exist_ok=True)
    paper.image.save(path)


class _Paper:
    def __init__(self, most: float, low: float, high: float) -> None:
        self.most, self.low, self.high = most, low, high
        self.image = Image.new("RGB", (WIDTH, HEIGHT), "white")
        self.pen = ImageDraw.Draw(self.image)
        self.font, self.large = ImageFont.load_default(15), ImageFont.load_default(19)

    def place(self, x: float, y: float) -> tuple[float, float]:
        across = LEFT + x / self.most * (WIDTH - LEFT - RIGHT)
        return across, TOP + (self.high - y) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def axes(self, title: str, across: str, up: str) -> None:
        self.pen.text((WIDTH / 2, 10), title, fill="black", font=self.large, anchor="ma")
        for y, text in _ticks(self.low, self.high):
            x, height = self.place(0, y)
            self.pen.line([(x, height), (WIDTH - RIGHT, height)], fill="#dddddd")
            self.pen.text((x - 8, height), text, fill="black", font=self.font, anchor="rm")
        floor_ = HEIGHT - BOTTOM
        for value, text in _ticks(0, self.most):
            x, _ = self.place(value, self.low)
            self.pen.line([(x, floor_), (x, floor_ + 5)], fill="black")
            self.pen.text((x, floor_ + 9), text, fill="black", font=self.font, anchor="ma")
        self.pen.line([(LEFT, TOP), (LEFT, floor_), (WIDTH - RIGHT, floor_)], fill="black")
        self.pen.text(
            ((LEFT + WIDTH - RIGHT) / 2, floor_ + 32), across, fill="black", font=self.font, anchor="ma"
        )
        label = Image.new("L", (HEIGHT - TOP - BOTTOM, 22), 255)
        ImageDraw.Draw(label).text((label.width / 2, 1), up, fill=0, font=self.font, anchor="ma")
        self.image.paste(label.rotate(90, expand=True), (6, TOP))

    def line(self, curve: Curve, colour: str, width: int) -> None:
        if len(curve) > 1:
            self.pen.line([self.place(*point) for point in curve], fill=colour, width=width, joint="curve")

    def legend(self, names: list[str]) -> None:
        left, top = float(LEFT), HEIGHT - 22
        for colour, name in zip(COLOURS, names, strict=False):
            self.pen.line([(left, top), (left + 28, top)], fill=colour, width=4)
            self.pen.text((left + 36, top), name, fill="black", font=self.font, anchor="lm")
            left += 36 + self.font.getlength(name) + 28


def _mean(runs: Sequence[Curve]) -> Curve:
    """Measured at the same places of every run, they are averaged place by place."""
    length = min(map(len, runs))
    return [(mean(run[n][0] for run in runs), mean(run[n][1] for run in runs)) for n in range(length)]


def _ticks(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Round numbers between two, five or so, as text."""
    rough = (high - low) / 5
    unit = 10.0 ** floor(log10(rough))
    step = unit * next(factor for factor in (1, 2, 5, 10) if factor * unit >= rough)
    number = -floor(-low / step)
    while number * step <= high:
        yield number * step, f"{number * step:.10g}"
        number += 1


def _paler(colour: str) -> str:
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * MIXED):02x}" for part in parts)
