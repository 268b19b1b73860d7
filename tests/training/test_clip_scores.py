"""Validation of systems of videos: flicker is scored, a clip is kept to be shown, the report shows it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from i2icli.report.clips import write_film, write_strip
from i2icli.system import Batch, Evaluation, System
from i2icli.training.clip_scores import ClipScores, spectrum_row
from i2icli.training.run_folder import RunFolder
from i2icli.training.run_report import write_run_report
from i2icli.training.validation import validate
from tests.tiny import tiny_config


def flickering(length: int, amount: float = 0.2) -> torch.Tensor:
    """(1, T, 3, 16, 16): grey, brighter in every second frame."""
    return (amount * (torch.arange(length) % 2)).view(1, length, 1, 1, 1).expand(1, length, 3, 16, 16)


class Video:
    """Evaluates clips by what they hold."""

    def evaluate(self, batch: Batch) -> Evaluation:
        return Evaluation(clips=dict(batch))


def clips(*lengths: int) -> Iterator[Batch]:
    for length in lengths:
        yield {"fake": flickering(length), "truth": torch.zeros(1, length, 3, 16, 16)}


def measured(batches: Iterator[Batch]) -> Any:
    return validate(cast("System[Any]", Video()), batches)


def test_flicker_of_clips_is_scored_beside_that_of_the_real_video():
    found = measured(clips(16, 16, 5))
    assert found.scores["flicker"] == pytest.approx(0.2 * 127.5 / 2, rel=0.03)
    assert found.scores["flicker/real"] == pytest.approx(0, abs=1e-4)
    assert {name: tuple(frames.shape) for name, frames in found.clip.items()} == {
        "fake": (16, 3, 16, 16),
        "truth": (16, 3, 16, 16),
    }
    assert found.flicker.result.argmax() == 7  # half a cycle per frame


def test_short_clips_are_shown_but_have_no_spectrum():
    found = measured(clips(5))
    assert "flicker" not in found.scores
    assert found.clip["fake"].shape == (5, 3, 16, 16)
    assert found.flicker is None


def test_what_moves_all_over_has_no_flicker():
    noise = torch.rand(1, 16, 3, 16, 16)
    assert measured(iter([{"fake": noise, "truth": noise}])).flicker is None


def test_systems_without_clips_are_left_alone():
    scores = ClipScores()
    scores.add(Evaluation())
    assert (scores.scores(), scores.shown, scores.flicker()) == ({}, {}, None)


def test_the_report_shows_clip_film_and_spectrum(tmp_path: Path):
    folder = RunFolder(tmp_path)
    found = measured(clips(16))
    row = {"step": 5, "validation": found.scores, "best": True, "remarks": []}
    folder.log(row | {"flicker": spectrum_row(found.flicker)})
    write_strip(folder.strip, found.clip)
    write_film(folder.film, found.clip)
    write_run_report(folder, "cyclegan", tiny_config("cyclegan"))
    page = folder.report.read_text(encoding="utf-8")
    assert "data:image/webp;base64," in page
    assert "A clip that was not trained on" in page
    assert "Flicker of what is at rest" in page
    assert "100% of the pixels are at rest" in page
