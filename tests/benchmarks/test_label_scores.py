"""Scores of folders of photos: those that the run's own validation gives."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.experiments import label_scores
from i2icli.config import RunOptions
from i2icli.scores import mean_iou, pixel_accuracy
from i2icli.training.run import train
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def trained(toy: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    run = train(
        "spade",
        [toy("spade")],
        tiny_config("spade", steps=2),
        RunOptions(out=tmp_path_factory.mktemp("runs") / "run"),
    )
    return run.folder, run.scores


def test_real_photos_score_as_in_validation(trained: Any, toy: Any, capsys: Any) -> None:
    folder, scores = trained
    data = toy("spade") / "test"
    counts = label_scores.LabelScorer(folder).counts(*label_scores.pairs(data / "images", data / "labels"))
    assert pixel_accuracy(counts) == pytest.approx(scores["pixel_accuracy/real"])
    assert mean_iou(counts) == pytest.approx(scores["miou/real"])
    label_scores.main([str(folder), str(data / "labels"), str(data / "images")])
    assert f"{100 * scores['miou/real']:8.1f} %   {data / 'images'}" in capsys.readouterr().out


def test_photos_without_a_label_map_are_named(trained: Any, toy: Any) -> None:
    data = toy("spade")
    with pytest.raises(SystemExit, match=r"labels: no label map 0002\.\*"):
        label_scores.main([str(trained[0]), str(data / "test/labels"), str(data / "train/images")])
