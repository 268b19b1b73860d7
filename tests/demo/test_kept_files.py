"""A demo replaces nothing that was there."""

from dataclasses import replace
from pathlib import Path

import pytest

import i2icli.demo.run as demo_run
from i2icli.__main__ import main
from i2icli.demo.pix2pix import DEMO
from i2icli.training.callbacks import NoCallbacks


def little(folder: Path, _seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scene.png").write_text("synthetic")


@pytest.fixture(autouse=True)
def _little_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_run, "_demos", lambda _: [replace(DEMO, write=little)])


@pytest.mark.parametrize("link", [False, True])
def test_data_alone_are_written_into_an_empty_folder_only(
    link: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / DEMO.folder
    if link:
        folder.symlink_to("gone")
    else:
        folder.mkdir()
        (folder / "scene.png").write_text("mine")
    assert main(["demo", "pix2pix", "--data-only", str(tmp_path)]) == 2
    assert f"error: {folder} exists already" in capsys.readouterr().err
    assert link or (folder / "scene.png").read_text() == "mine"
    assert main(["demo", "pix2pix", "--data-only", str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / DEMO.folder / "scene.png").read_text() == "synthetic"


@pytest.mark.parametrize("link", [False, True])
def test_a_target_that_is_no_folder_is_named(
    link: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "toy"
    target.symlink_to("gone") if link else target.write_text("mine")
    assert main(["demo", "pix2pix", "--data-only", str(target)]) == 2
    assert f"error: {target}: a file, or a link to nothing; choose a folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["report.html", "strip.png", f"data/{DEMO.folder}"])
def test_a_demo_keeps_what_others_wrote(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    assert main(["demo", "pix2pix", "--out", str(tmp_path)]) == 2
    assert f"{tmp_path / name} exists and was not made by i2i demo; choose another" in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "mine"


def test_a_demo_that_is_run_again_knows_its_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_run, "train", stopped)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            list(demo_run.run(["pix2pix"], tmp_path / "demo", NoCallbacks()))
        (tmp_path / "demo/report.html").touch()
