"""What i2i wrote below a folder is no data: runs, results, sheets."""

import json
from pathlib import Path

import pytest

from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.layouts import recognise
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.image.finding import collect, find_images, holds_images, subfolders
from tests.data.files import fill
from tests.tiny import tiny_config


def run(folder: Path, mark: str = ".i2i-run") -> Path:
    """What a run leaves."""
    fill(folder / "samples", "000001.png")
    fill(folder, "clip.png")
    for name in (mark, "recipe.toml", "model.safetensors", "resume.pt"):
        (folder / name).touch()
    return folder


def results(folder: Path, *names: str, listed: bool = True) -> Path:
    """What a translation leaves."""
    fill(folder, *names)
    fill(folder / "compare", "0001.png")
    (folder / ".i2i-results.json").write_text("{}")
    if listed:
        lines = [json.dumps({"result": name, "content": "x"}) for name in names]
        (folder / ".i2i-inputs.jsonl").write_text("\n".join([*lines, '{"result": "cut o']))
    return folder


def names(folder: Path, *, own: bool = False) -> list[str]:
    return [str(path.relative_to(folder)) for path in find_images(folder, own=own)]


_OPTIONS = DataOptions.of(tiny_config("cyclegan"))


def _filled(folder: Path) -> Path:
    fill(folder, "0.png")
    return folder


@pytest.mark.parametrize("mark", [".i2i-run", "log.jsonl"], ids=["marked", "of an earlier version"])
def test_runs_and_results_below_data_are_no_data(mark: str, tmp_path: Path) -> None:
    fill(tmp_path, "0.png", "1.png")
    run(tmp_path / "runs/x", mark)
    results(tmp_path / "translated", "0.png", "deep/1.png")
    results(tmp_path / "older", "0.png", listed=False)
    assert names(tmp_path) == ["0.png", "1.png"]
    assert subfolders(tmp_path) == {}
    assert len(names(tmp_path, own=True)) == 9
    report = UnpairedImages([tmp_path, _filled(tmp_path.with_name("B"))], _OPTIONS).report
    (line,) = [line for line in report if line.startswith(f"left out in {tmp_path}: ")]
    assert line.endswith("that i2i wrote (older, runs, translated)")


def test_results_are_not_the_other_domain(tmp_path: Path) -> None:
    fill(tmp_path / "photos", "0.png", "1.png")
    results(tmp_path / "translated", "0.png", "1.png")
    with pytest.raises(UserError):
        recognise([tmp_path], pairs=False)
    fill(tmp_path / "drawings", "0.png", "1.png")
    assert [path.name for path in recognise([tmp_path], pairs=True).train] == ["drawings", "photos"]


def test_images_of_others_among_results_are_data(tmp_path: Path) -> None:
    fill(tmp_path / "images", "mine.png")
    results(tmp_path / "images", "0.png")
    assert names(tmp_path) == ["images/mine.png"]
    assert names(tmp_path / "images") == ["mine.png"]
    assert list(subfolders(tmp_path)) == ["images"]


def test_a_run_in_the_data_folder_itself(tmp_path: Path) -> None:
    fill(tmp_path, "0.png")
    run(tmp_path)
    (tmp_path / "clip.png").rename(tmp_path / "other.png")
    assert names(tmp_path) == ["0.png", "other.png"]
    assert holds_images(tmp_path)


def test_a_folder_of_results_that_is_named_is_meant(tmp_path: Path) -> None:
    results(tmp_path / "out", "0.png", "B/1.png")
    assert names(tmp_path / "out") == ["0.png", "B/1.png"]
    assert names(tmp_path / "out/B") == ["1.png"]
    assert holds_images(tmp_path / "out")
    assert collect(tmp_path).images == ()


def test_results_of_videos(tmp_path: Path) -> None:
    fill(tmp_path, "0.png")
    fill(tmp_path / "film", "000001.png")
    (tmp_path / ".i2i-video").mkdir()
    (tmp_path / ".i2i-video/film.json").write_text("{}")
    assert names(tmp_path) == ["0.png"]
    assert names(tmp_path / "film") == ["000001.png"]
