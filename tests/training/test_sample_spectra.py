"""Validation compares the spectra of samples and data, and says in words what stands out."""

import json

import pytest
import torch

from i2icli.config import RunOptions
from i2icli.training.run import train
from i2icli.training.sample_spectra import SampleSpectra
from tests.tiny import tiny_config
from tests.training.test_resume import StopAt


def noise(number: int = 24, side: int = 32) -> torch.Tensor:
    return torch.rand(number, 3, side, side) * 2 - 1


def spectra(fake: torch.Tensor, real: torch.Tensor, name: str = "") -> SampleSpectra:
    found = SampleSpectra()
    found.add({name: (fake, real)})
    return found


def test_samples_like_the_data_are_near_and_blurred_ones_far() -> None:
    torch.manual_seed(0)
    real = noise()
    near = spectra(noise(), real).scores()
    far = spectra(torch.nn.functional.avg_pool2d(noise(), 3, 1, 1), real).scores()
    assert near["spectral_distance"] < 2 < 10 < far["spectral_distance"]
    assert 0.5 < near["checkerboard"] < 2
    assert spectra(noise(), real).warnings() == []


def test_a_checkerboard_is_told_in_words() -> None:
    torch.manual_seed(0)
    board = torch.ones(2, 2)
    board[0, 0] = board[1, 1] = -1
    found = spectra(noise() + 0.5 * board.repeat(16, 16), noise(), "B")
    assert found.scores()["checkerboard/B"] > 3
    (warning,) = found.warnings()
    assert warning.startswith("samples of B show a 2-pixel checkerboard")
    assert "times stronger than in real images" in warning
    alike = spectra(noise() + 0.5 * board.repeat(16, 16), noise() + 0.5 * board.repeat(16, 16))
    assert alike.scores()["checkerboard"] < 2  # as real images hold it, too
    assert alike.warnings() == []
    wide = torch.nn.functional.interpolate(board[None, None], scale_factor=2).repeat(1, 1, 8, 8)
    (warning,) = spectra(noise() + 0.5 * wide, noise()).warnings()
    assert warning.startswith("samples show a 4-pixel checkerboard")


def test_samples_of_one_colour_are_told_in_words() -> None:
    torch.manual_seed(0)
    (warning,) = spectra(torch.ones(24, 3, 32, 32) + 0.01 * noise(), noise(), "B").warnings()
    assert warning.startswith("samples of B are nearly of one colour: the training collapsed")
    assert spectra(0.1 * noise(), noise()).warnings() == []  # little contrast, but they show something
    plain = torch.zeros(24, 3, 32, 32)
    assert spectra(plain, plain).warnings() == []  # as real images are


def test_sizes_may_differ_and_tiny_images_have_no_score() -> None:
    torch.manual_seed(0)
    found = spectra(noise(2, 32), noise(2, 32))
    found.add({"": (noise(1, 40), noise(1, 48))})
    assert found.scores()["spectral_distance"] < 10
    assert spectra(noise(2, 8), noise(2, 8)).scores() == {}


@pytest.mark.parametrize(
    ("settled", "stop_after", "early"), [(3, None, False), (4, None, True), (1, 1, True), (1, 2, False)]
)
def test_a_pattern_is_said_to_be_usual_until_a_sensible_part_is_done(
    settled, stop_after, early, toy, tmp_path, monkeypatch
) -> None:
    """Of three steps, in the report too, whether the run was stopped or finished."""
    monkeypatch.setattr("i2icli.training.validation.EARLY", settled)
    monkeypatch.setattr("i2icli.training.sample_spectra.THRESHOLD", -100.0)
    options = RunOptions(out=tmp_path / "run", validate_every=1)
    notes: list[str] = []
    callbacks = StopAt(stop_after)
    callbacks.note = notes.append
    train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=3), options, callbacks)
    report = (tmp_path / "run" / "report.html").read_text()
    assert "-pixel checkerboard" in report
    assert ("(normal this early)" in report) == early
    reported = [note for note in notes if "-pixel checkerboard" in note]
    assert bool(reported) == (stop_after is None)
    assert all(note.endswith("(normal this early)") == early for note in reported)


@pytest.mark.parametrize(("name", "part"), [("pix2pix", "."), ("spectral_dcgan", "train")])
def test_every_run_measures_its_samples(name, part, toy, tmp_path) -> None:
    """With validation images and, where none are set aside, against what it learned from."""
    config = tiny_config(name, steps=2, holdout=0.0)
    result = train(name, [toy(name) / part], config, RunOptions(out=tmp_path / "run"))
    assert result.scores["spectral_distance"] > 0
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    measured = [row for row in rows if "validation" in row]
    assert measured[-1]["validation"]["spectral_distance"] == result.scores["spectral_distance"]
    assert "spectral distance between samples and data" in (tmp_path / "run" / "report.html").read_text()
