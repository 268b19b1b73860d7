"""Reports: self-contained, escaped, small, with correct charts."""

import io
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from i2icli.report.curves import Axis, draw_curves, short_number, thinned
from i2icli.report.log import loss_curves, read_log, score_curves
from i2icli.report.page import write_page
from i2icli.report.sections import Curves, Figure, ImageGrid, Slides, Table, Text, Values


def png() -> bytes:
    """A small image as PNG bytes."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


class Addresses(HTMLParser):
    """Collects every address a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [value or "" for name, value in attrs if name in {"src", "href", "data", "srcset"}]


def page_of_everything(path: Path) -> str:
    evil = "<script>alert(1)</script>"
    write_page(
        path,
        f"a run {evil}",
        [
            Text(f"lead {evil}", lead=True),
            Values({f"name {evil}": f"value {evil}"}, f"Settings {evil}", folded=True),
            Table(["image", "psnr"], [[evil, "11.5"]], "Scores"),
            Curves({evil: [(0, 1), (1, 2)]}, "Losses", y_label=evil, caption=evil),
            Figure(png(), f"step 5 {evil}", "Samples", pixelated=True),
            Slides([(png(), f"step 9 {evil}"), (png(), "step 8")], "Samples"),
            ImageGrid(["before", "after"], [[png(), png()]], [evil], "Held out"),
        ],
    )
    return path.read_text(encoding="utf-8")


def test_a_page_is_self_contained_and_escapes_every_text(tmp_path: Path) -> None:
    text = page_of_everything(tmp_path / "report.html")

    parser = Addresses()
    parser.feed(text)
    assert parser.tags.count("img") == 5
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in parser.found)
    assert "script" not in parser.tags
    assert "link" not in parser.tags
    assert "url(" not in text
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]


def test_curves_are_drawn_for_screens_and_for_phones() -> None:
    drawn = draw_curves({"loss": [(0, 0.0), (100, 10.0)]})
    widths = {kind: int(w) for kind, w in re.findall(r'class="curves (\w+)" viewBox="0 0 (\d+) ', drawn)}
    assert widths["narrow"] <= 360 < widths["wide"]  # units are pixels where a phone shows it full width
    for kind, width in widths.items():
        (body,) = re.findall(rf'class="curves {kind}"(.*?)</svg>', drawn)
        positions = [float(x) for x in re.findall(r'[ "](-?[\d.]+),', body)]
        assert 0 <= min(positions) < max(positions) <= width
        assert body.count("<text") > 8


def test_long_curves_stay_small_and_keep_their_spikes(tmp_path: Path) -> None:
    points = [(float(step), 1.0 + math.sin(step)) for step in range(3000)]
    points[1234] = (1234.0, 50.0)

    kept = thinned(points)
    assert len(kept) <= 400
    assert (1234.0, 50.0) in kept
    assert kept == sorted(kept)

    write_page(tmp_path / "r.html", "long", [Curves({f"loss {index}": points for index in range(8)})])
    assert (tmp_path / "r.html").stat().st_size < 100_000


def test_a_curve_is_drawn_where_its_numbers_are() -> None:
    drawn = draw_curves({"loss": [(0, 0.0), (50, 5.0), (100, 10.0)]})

    line = re.search(r'<polyline class="series-0" points="([^"]+)"', drawn)
    assert line is not None
    (x0, y0), (x1, y1), (x2, y2) = (tuple(map(float, pair.split(","))) for pair in line[1].split())
    assert x0 < x1 < x2
    assert y0 > y1 > y2  # upwards on the screen
    assert (x0 + x2) / 2 == pytest.approx(x1, abs=0.1)
    assert (y0 + y2) / 2 == pytest.approx(y1, abs=0.1)


def test_a_log_scale_spaces_decades_equally_and_drops_non_positive_values() -> None:
    axis = Axis(0.01, 100, 300, 0, log_scale=True)
    assert axis.ticks() == pytest.approx([0.01, 0.1, 1, 10, 100])
    assert axis.to_pixel(1.0) == pytest.approx(150)

    assert "<polyline" in draw_curves({"a": [(0, 1), (1, 0), (2, 10)]}, log_scale=True)
    assert "no data yet" in draw_curves({"a": [(0, 0), (1, -1)]}, log_scale=True)


@pytest.mark.parametrize(
    "points",
    [
        [(0, 1)],
        [(0, 1), (1, 1)],
        [(5, math.nan), (6, 2)],
        [(0, -3), (1, -3)],
        [(0, 1e-12), (1, 1e12)],
        [(0, 0)],
        [(0, -1e308), (1, 1e308), (2, math.inf), (3, 1)],
    ],
)
@pytest.mark.parametrize("log_scale", [False, True])
def test_degenerate_curves_are_drawn_without_nan(points: list[tuple[float, float]], log_scale: bool) -> None:
    assert "nan" not in draw_curves({"a": points}, log_scale=log_scale)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (3, 3.001), (-7, 12), (0, 150_000), (1e-7, 3e-7)])
def test_ticks_are_few_and_within_the_axis(low: float, high: float) -> None:
    ticks = Axis(low, high, 0, 100).ticks()
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-9 <= tick <= high * (1 + 1e-9) for tick in ticks)


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        ((1, 3), ["1", "2", "3"]),
        ((2,), ["1", "2", "3"]),
        ((0, 12), ["0", "5", "10"]),
        ((1, 7_000), ["2,000", "4,000", "6,000"]),
    ],
)
def test_steps_are_whole_numbers(steps: tuple[int, ...], shown: list[str]) -> None:
    drawn = draw_curves({"a": [(step, 0.0003 * (step + 1)) for step in steps]}).split("</svg>")[0]
    assert re.findall(r'y="274" text-anchor="\w+">([^<]+)<', drawn) == shown


def test_numbers_at_an_axis_have_no_exponent() -> None:
    assert [short_number(value) for value in (2e-5, 0.25, 1530.4, 25_000, 1_500_000)] == [
        "0.00002",
        "0.25",
        "1,530",
        "25k",
        "1.5M",
    ]


def test_bytes_that_are_not_an_image_are_refused() -> None:
    with pytest.raises(ValueError, match="PNG, JPEG and WebP"):
        Figure(b"<svg onload=...>").uri  # noqa: B018 - reading it is the test


def test_a_truncated_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"step": 1, "stage": "main", "seconds": 2, "G/gan": 0.5}\n'
        '{"step": 2, "validation": {"psnr": 12}}\n'
        "[]\n"
        '{"step": 3, "G/gan": 0.25}\n'
        '{"step": 4, "G/g'
    )
    rows = read_log(log)

    assert [row["step"] for row in rows] == [1, 2, 3]
    assert loss_curves(rows) == {"G/gan": [(1, 0.5), (3, 0.25)]}
    assert score_curves(rows) == {"psnr": [(2, 12.0)]}
    assert read_log(tmp_path / "none.jsonl") == []


def test_of_a_log_of_others_only_what_is_as_we_write_it_is_taken(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    deep, long = "[" * 100_000, "1" * 5000
    log.write_text(
        f'{deep}\n{{"step": {long}}}\n{{"step": 1{"0" * 400}}}\n{{"step": true}}\n{{"step": -1}}\n'
        f'{{"step": 1, "G/gan": 1{"0" * 400}, "seconds": "x", "criterion": 7}}\n'
        '{"step": 2, "validation": {"psnr": null, "ssim": 0.5, "x": "y"}, "best": true}\n'
        '{"step": 3, "validation": [], "remarks": [1], "criterion": ["psnr", "x"]}\n'
        '{"step": 4, "validation": {"psnr": NaN}, "remarks": ["a"], "criterion": ["psnr", null]}\n'
    )
    rows = read_log(log)

    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert [sorted(row) for row in rows[:3]] == [["G/gan", "step"], ["best", "step", "validation"], ["step"]]
    assert rows[3]["criterion"] == ["psnr", None]
    assert loss_curves(rows) == {}
    assert score_curves(rows)["ssim"] == [(2, 0.5)]
    assert [step for step, _ in score_curves(rows)["psnr"]] == [4]


@pytest.mark.parametrize(
    ("low", "high"), [(0.999, 1), (1500.2, 1500.9), (12_000, 12_010), (1_000_000, 1_002_000), (-1e-4, 1e-4)]
)
def test_ticks_have_labels_that_differ(low: float, high: float) -> None:
    texts = [text for _, text in Axis(low, high, 0, 100).labels()]
    assert len(set(texts)) == len(texts) >= 2
    assert max(map(len, texts)) <= 8


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.25"), (999.7, "1,000"), (1234.5, "1,234"), (12_000, "12k"), (999_960, "1000k")],
)
def test_numbers_are_short_and_without_exponents(value: float, text: str) -> None:
    assert short_number(value) == text
