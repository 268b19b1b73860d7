"""The report of a run: what it shows, and that writing it again and again costs little."""

import json

import numpy as np
import pytest
from PIL import Image

from i2icli.config import RunOptions
from i2icli.report import thumbnails
from i2icli.report.thumbnails import embedded
from i2icli.training import run_report
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.run import train
from i2icli.training.run_folder import RunFolder
from i2icli.training.run_report import LiveReport, write_run_report
from tests.tiny import tiny_config


@pytest.fixture
def folder(tmp_path):
    found = RunFolder(tmp_path)
    losses = {"G/gan_AB": 1.0, "G/cycle_A": 2.0, "D/gan_A": 0.5}
    found.log_file.write_text(json.dumps({"step": 50, "stage": "main", "seconds": 5.0} | losses) + "\n")
    found.samples.mkdir()
    return found


def sheet(folder, step, size=(200, 300)):
    path = folder.samples / f"{step:06}.png"
    Image.fromarray(np.random.default_rng(step).integers(0, 256, (*size, 3), np.uint8)).save(path)
    return path


def page(folder):
    write_run_report(folder, "cyclegan", tiny_config("cyclegan"), final=False)
    return folder.report.read_text()


def test_losses_are_explained_beside_their_curves(folder):
    assert "<dt>cycle_A</dt><dd>Difference between images and themselves after translation" in page(folder)


def test_the_newest_sheet_is_exact_and_older_ones_are_compressed(folder):
    for step in (50, 100, 150):
        sheet(folder, step)
    text = page(folder)
    assert text.count("data:image/png") == 1
    assert text.count("data:image/webp") == 2
    assert text.index("step 150") < text.index("step 100")
    assert len(text) < sum(path.stat().st_size for path in folder.samples.iterdir())


def test_the_first_samples_are_in_the_report_before_anything_is_saved(tmp_path, toy_pairs, monkeypatch):
    monkeypatch.setattr(run_report, "SHORT", 60.0)  # however busy the machine is
    shown = []

    class Reading(NoCallbacks):
        def progress(self, progress):
            if progress.step == 3:
                shown.append((tmp_path / "run/report.html").read_text())

    train(
        "pix2pix", [toy_pairs], tiny_config("pix2pix", steps=4), RunOptions(out=tmp_path / "run"), Reading()
    )
    assert "data:image" in shown[0]
    assert "step 1" in shown[0]


def test_what_else_lies_beside_the_sheets_and_damaged_ones_are_left_out(folder):
    for step in (50, 100, 150):
        sheet(folder, step)
    for name in ("best.png", "._000050.png", "000200.png"):
        (folder.samples / name).write_bytes(b"")
    (folder.samples / "000100.png").write_bytes(b"nothing")
    text = page(folder)
    assert "step 50" in text
    assert "step 150" in text
    assert "step 100" not in text
    assert "step 200" not in text


def test_a_compressed_sheet_is_kept_until_its_file_changes(folder, monkeypatch):
    path = sheet(folder, 50)
    first = embedded(path, exact=False)
    with monkeypatch.context() as without:
        without.setattr(thumbnails.Image, "open", lambda _: pytest.fail("read again"))
        assert embedded(path, exact=False) is first
    sheet(folder, 50, size=(100, 100))
    assert embedded(path, exact=False) != first


def test_a_large_sheet_is_embedded_smaller(folder, monkeypatch):
    monkeypatch.setattr(thumbnails, "EXACT_BYTES", 1000)
    monkeypatch.setattr(thumbnails, "LONGEST", 64)
    assert embedded(sheet(folder, 50), exact=True).startswith(b"RIFF")


def test_the_report_of_a_running_training_takes_a_hundredth_of_the_time_at_most(folder, monkeypatch):
    now, written = [0.0], []

    def write(*_, **__):
        written.append(now[0])
        now[0] += 2.0

    monkeypatch.setattr(run_report, "write_run_report", write)
    report, config = LiveReport(folder, "cyclegan", lambda: now[0]), tiny_config("cyclegan")
    for now[0] in (0.0, 10.0, 201.0, 203.0, 210.0):
        report.update(config)
    assert written == [0.0, 203.0]
