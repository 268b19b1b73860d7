"""`i2i spectrum` end to end: folders side by side, all kinds of images, one line per error."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from i2icli.cli.app import app
from i2icli.cli.console import run
from i2icli.nn.spectrum import profile_of
from i2icli.report import spectra
from i2icli.report.chart import Chart, Line, chart_image, chart_svg


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """noise/ with four images of 32 px, smooth/ with four blurred ones."""
    rng = np.random.default_rng(0)
    for name, factor in (("noise", 1), ("smooth", 4)):
        (tmp_path / name).mkdir()
        for number in range(4):
            small = Image.fromarray(rng.integers(0, 256, (32 // factor, 32 // factor, 3), dtype=np.uint8))
            small.resize((32, 32), Image.Resampling.BICUBIC).save(tmp_path / name / f"{number}.png")
    return tmp_path


def i2i(*words: object) -> int:
    return run(app, ["spectrum", *map(str, words)])


def test_folders_side_by_side_as_charts_and_a_table(folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    assert i2i("noise", "smooth") == 0
    printed = capsys.readouterr()
    assert "smooth" in printed.out
    assert "32x32" in printed.out
    assert "written: spectrum.png" in printed.err
    assert Image.open("spectrum.png").size[0] == 900
    assert i2i("noise", "smooth", "--out", "a.svg") == 0
    assert "noise (4)" in Path("a.svg").read_text()
    assert i2i("noise", "smooth", "--out", "a.html") == 0
    assert "data:image/png" in Path("a.html").read_text()


def test_an_existing_file_is_kept_without_overwrite(folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    Path("spectrum.png").write_text("mine")
    assert i2i("noise") == 2
    assert "spectrum.png exists already; choose another name, or add --overwrite" in capsys.readouterr().err
    assert Path("spectrum.png").read_text() == "mine"
    assert i2i("noise", "--overwrite") == 0
    assert Image.open("spectrum.png").size[0] == 900


def test_as_many_images_are_read_at_a_time_as_there_are_threads(folders, monkeypatch, capsys) -> None:
    counts: list[int] = []

    def pool(count: int) -> ThreadPoolExecutor:
        counts.append(count)
        return ThreadPoolExecutor(count)

    monkeypatch.chdir(folders)
    monkeypatch.setattr(spectra, "ThreadPoolExecutor", pool)
    assert i2i("noise", "--threads", 3, "--csv") == 0
    assert counts == [3]
    capsys.readouterr()


def test_curves_as_csv_and_json_are_the_means_of_the_profiles(folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    assert i2i("noise", "smooth", "--json") == 0
    noise, smooth = json.loads(capsys.readouterr().out)
    grey = [np.asarray(Image.open(path).convert("L")) for path in sorted(Path("noise").iterdir())]
    np.testing.assert_allclose(noise["mean"], np.mean([profile_of(each) for each in grey], axis=0), atol=0.5)
    assert noise["mean"][-1] > smooth["mean"][-1] + 20
    assert noise["images"] == 4
    assert not Path("spectrum.png").exists()
    assert i2i("noise", "smooth", "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 2 * len(noise["mean"])
    assert float(rows[0]["mean"]) == pytest.approx(noise["mean"][0], rel=1e-4)


def test_frequencies_are_those_of_the_rings(tmp_path, monkeypatch, capsys) -> None:
    """A wave's peak lies at its own frequency; neither the lowest ring nor the highest is 0 or 1."""
    monkeypatch.chdir(tmp_path)
    waves = (0, 2, 5, 9, 12)  # periods in a row of 40 px
    noise = np.random.default_rng(0).normal(128, 9, (40, 40))
    for wave in waves:
        image = noise + 90 * np.sin(2 * np.pi * wave * np.arange(40) / 40)
        Image.fromarray(image.round().astype(np.uint8)).save(f"{wave}.png")
    assert i2i(*(f"{wave}.png" for wave in waves), "--json") == 0
    plain, *found = json.loads(capsys.readouterr().out)
    highest = 40 / 2**0.5  # rings from the centre to a corner
    for wave, each in zip(waves[1:], found, strict=True):
        peak = each["frequency"][int(np.argmax(np.subtract(each["mean"], plain["mean"])))]
        assert abs(peak * highest - wave) <= 0.75
    assert plain["frequency"][0] == pytest.approx(1.5 / highest, abs=1e-5)
    assert plain["frequency"][-1] == pytest.approx((len(plain["mean"]) + 0.5) / highest, abs=1e-5)


def test_every_kind_of_image_is_read(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    image.save("rgb.png")
    image.convert("L").save("grey.png")
    image.convert("RGBA").save("alpha.png")
    image.convert("CMYK").save("cmyk.jpg", quality=100)
    image.convert("P").save("palette.png")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save("deep.png")
    names = ["rgb.png", "grey.png", "alpha.png", "cmyk.jpg", "palette.png", "deep.png"]
    assert i2i(*names, "--json") == 0
    curves = {each["name"]: each["mean"] for each in json.loads(capsys.readouterr().out)}
    for name in ("grey.png", "alpha.png"):
        np.testing.assert_allclose(curves[name], curves["rgb.png"], atol=0.3)
    assert all(np.isfinite(curve).all() for curve in curves.values())


def test_what_a_file_leaves_open_is_asked_for(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 40), np.uint8)
    tifffile.imwrite("pages.tif", pixels, photometric="minisblack")
    np.save("first.npy", pixels)
    assert i2i("pages.tif", "first.npy", "--json") == 1
    assert "--pages" in capsys.readouterr().err
    assert i2i("pages.tif", "first.npy", "--json", "--pages", "images", "--channels-first") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["images"] for row in rows] == [3, 1]
    assert i2i("pages.tif", "--pages", "0") == 2
    assert "--pages 0: expected channels, images or the number of a page" in capsys.readouterr().err


def test_different_sizes_are_compared_relative_to_the_first_value(folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (50, 70), dtype=np.uint8)).save("one.png")
    assert i2i("noise", "one.png", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["mean"][0] for each in found] == [1.0, 1.0]
    assert [len(each["mean"]) for each in found] == [300, 300]
    assert "relative to the first value" in found[0]["unit"]


def test_images_without_a_spectrum_are_skipped_and_reported(folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    Path("noise/broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    Path("noise/empty.png").write_bytes(b"")
    Image.new("RGB", (8, 8), "red").save("noise/tiny.png")
    Image.new("RGB", (32, 32), "red").save("noise/flat.png")
    assert i2i("noise", "--csv") == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) > 10
    for text in ("broken.png", "empty file", "8x8 pixels are too few", "all pixels are equal"):
        assert text in printed.err
    assert all(line.startswith("error: left out: ") for line in printed.err.splitlines())


def test_missing_inputs_do_not_stop_the_others(folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    Path("empty").mkdir()
    Path("broken").mkdir()
    Path("broken/a.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    assert i2i("nowhere", "noise", "empty", "broken", "smooth", "*.xyz", "--json") == 1
    printed = capsys.readouterr()
    assert [each["name"] for each in json.loads(printed.out)] == ["noise", "smooth"]
    for text in (
        "no such file or folder: nowhere",
        "empty: no images",
        "broken/a.png",
        "*.xyz: matches no file",
    ):
        assert text in printed.err
    assert len(printed.err.splitlines()) == 4


def test_only_inputs_that_match_no_file_are_a_usage_error(folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    Path("broken.png").write_bytes(b"rubbish")
    assert i2i("nowhere", "*.xyz") == 2
    assert "nowhere, and 1 more like it" in capsys.readouterr().err
    assert i2i("nowhere", "broken.png") == 1
    Path("dangling.png").symlink_to("nowhere")  # a damaged file, as for the other commands
    assert i2i("dangling.png") == 1


def test_every_file_and_folder_has_a_curve_whatever_its_name(folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    assert i2i("noise/0.png", "smooth/0.png", "smooth/0.png", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in found] == ["0.png", "smooth/0.png"]
    assert found[0]["mean"] != found[1]["mean"]
    assert i2i("[ns]*", "noise/*.png", "--json") == 0
    found = {each["name"]: each["images"] for each in json.loads(capsys.readouterr().out)}
    assert found == {"noise": 4, "smooth": 4, "noise/*.png": 4}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nowhere"], "no such file or folder: nowhere"),
        (["empty"], "no images in this folder"),
        (["*.xyz"], "matches no file"),
        (["noise", "--out", "a.pdf"], "expected a name that ends in .html, .png, .svg"),
        (["noise", "--csv", "--json"], "choose one"),
        (["moving.gif"], "i2i video"),
    ],
)
def test_errors_are_one_line(words, expected, folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    Path("empty").mkdir()
    frame = Image.new("L", (20, 20))
    frame.save("moving.gif", save_all=True, append_images=[Image.new("L", (20, 20), 255)])
    assert i2i(*words) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert expected in line


def test_charts_hold_many_lines_and_hostile_names() -> None:
    x = np.linspace(0, 1, 5)
    lines = [Line.of(f"<script>{n}" * 9, x, np.random.default_rng(n).random((3, 5))) for n in range(11)]
    chart = Chart("a < b & c", lines, "across", "up", ((0.5, "half"),))
    drawn = chart_svg(chart)
    assert "<script>" not in drawn
    assert "a &lt; b &amp; c" in drawn
    assert "stroke-dasharray" in drawn
    assert chart_image(chart).size == (900, 520 + 24 * 6)


def test_one_flat_line_can_be_drawn() -> None:
    line = Line.of("one", [0, 1], np.ones((1, 2)))
    assert line.low is None
    assert chart_image(Chart("", [line], "", "")).size[0] == 900
