"""The segmentation network that scores photos generated from label maps."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from i2icli import registry
from i2icli.config import RunOptions
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.training import run_segmenter
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.run import TrainResult, train
from i2icli.training.run_folder import RunFolder
from i2icli.training.run_segmenter import segmenter_info
from i2icli.training.segmenter import (
    Segmenter,
    SegmenterInfo,
    fit_segmenter,
    read_segmenter,
    write_segmenter,
)
from i2icli.training.validation import quality
from tests.example import CLASSES, LABELS, LabelPainter, PainterConfig
from tests.tiny import tiny_config

CPU = torch.device("cpu")
COLOURS = torch.tensor([[-0.8, -0.8, -0.8], [0.8, -0.8, 0.0], [-0.8, 0.8, 0.3], [0.8, 0.8, -0.5]])
INFO = SegmenterInfo(classes=("0 a", "1 b", "2 c", "3 d"), channels=3, size=(16, 16), steps=60)


class Rectangles(Examples):
    """Label maps of four rectangles, two rows unlabelled, and photos in the colours of their classes."""

    def __init__(self, first: int, count: int) -> None:
        self.first, self.count = first, count

    def __len__(self) -> int:
        return self.count

    def get(self, index: int, rng: np.random.Generator | None) -> Example:  # noqa: ARG002
        drawn = np.random.default_rng(self.first + index)
        row, column = drawn.integers(3, 13, 2)
        labels = np.zeros((16, 16), np.int64)
        labels[:row, column:], labels[row:, :column], labels[row:, column:] = 1, 2, 3
        given = torch.from_numpy(drawn.permutation(CLASSES)[labels])  # (16, 16)
        photo = COLOURS[given].movedim(-1, 0) + 0.1 * torch.from_numpy(drawn.normal(size=(3, 16, 16)))
        given[-2:] = CLASSES
        return {
            "labels": given[None],
            "instances": given[None],
            "reference": photo.float(),
            "image": photo.float(),
        }


class RectangleFolder(DataFolder):
    """Nothing is read."""

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:  # noqa: ARG002
        return Rectangles(0, 20), Rectangles(100, 6)


def batches(count: int, size: int = 4) -> list[dict[str, Tensor]]:
    examples = [Rectangles(0, 20).get(index % 20, None) for index in range(count * size)]
    return [
        {name: torch.stack([each[name] for each in examples[start : start + size]]) for name in examples[0]}
        for start in range(0, count * size, size)
    ]


def fitted(steps: int = 60, **changes: Any) -> tuple[Segmenter, float]:
    info = INFO.model_copy(update={"steps": steps} | changes)
    found = fit_segmenter(info, batches(steps), CPU, seed=3)
    assert found is not None
    return found


def test_it_learns_what_is_labelled_and_is_asked_in_evaluation_mode() -> None:
    segmenter, accuracy = fitted()
    held_out = Rectangles(100, 1).get(0, None)
    predicted = segmenter.predict(held_out["image"][None])
    assert predicted.shape == (1, 1, 16, 16)
    labelled = held_out["labels"] < CLASSES
    assert (predicted[0] == held_out["labels"])[labelled].double().mean() > 0.9
    assert accuracy > 0.9
    assert not any(module.training for module in segmenter.network.modules())


def test_it_follows_from_the_seed_and_disturbs_no_draw() -> None:
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    first, _ = fitted(3)
    assert torch.equal(torch.rand(4), expected)
    again, _ = fitted(3)
    for one, other in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_batch_without_labels_changes_nothing_into_nan() -> None:
    (batch,) = batches(1)
    batch["labels"][:] = CLASSES
    found = fit_segmenter(INFO, [batch] * 2, CPU, seed=0)
    assert found is not None
    assert all(weight.isfinite().all() for weight in found[0].network.parameters())


def test_it_stops_when_it_is_asked_to() -> None:
    assert fit_segmenter(INFO, batches(3), CPU, seed=0, stop=lambda: True) is None


@pytest.mark.parametrize("size", [(5, 7), (16, 16), (33, 20)])
def test_photos_of_any_size_are_segmented_in_that_size(size: tuple[int, int]) -> None:
    segmenter, _ = fitted(1)
    assert segmenter.predict(torch.zeros(2, 3, *size)).shape == (2, 1, *size)


def test_a_file_gives_the_same_network_back(tmp_path: Path) -> None:
    segmenter, _ = fitted(3)
    write_segmenter(tmp_path / "segmenter.safetensors", segmenter)
    again = read_segmenter(tmp_path / "segmenter.safetensors")
    assert again.info == segmenter.info.model_copy(update={"steps": 3})
    photo = Rectangles(100, 1).get(0, None)["image"][None]
    assert torch.equal(again.predict(photo), segmenter.predict(photo))


def test_another_or_a_damaged_file_is_refused_in_a_line(tmp_path: Path) -> None:
    segmenter, _ = fitted(1)
    path = tmp_path / "segmenter.safetensors"
    write_segmenter(path, segmenter)
    whole = path.read_bytes()
    for damaged in (whole[:-100], whole[: len(whole) // 4], b"", whole.replace(b"3 d", b"3 \xff")):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"segmenter\.safetensors: .* trains a new one") as error:
            read_segmenter(path)
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="there is no segmentation network"):
        read_segmenter(tmp_path / "missing.safetensors")


# -- in a run --------------------------------------------------------------------------------


class Notes(NoCallbacks):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)

    warn = note


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = registry.Entry("tests.example:LabelPainter", "tests.example:PainterConfig", "", "", "")
    monkeypatch.setitem(registry.SYSTEMS, "example", entry)
    monkeypatch.setattr(LabelPainter, "open_data", staticmethod(lambda *given: RectangleFolder(given[1])))
    monkeypatch.setattr(DataOptions, "of", lambda config, **_: config)  # nothing is read


def run(out: Path, steps: int = 8, **options: Any) -> tuple[TrainResult, list[str]]:
    notes = Notes()
    given = RunOptions(out=out, workers=0, validate_every=4, sample_every=1000, device="cpu", **options)
    config = PainterConfig(steps=steps, batch_size=2, lr=0.05, ema=0.0)
    result = train("example", [out.parent], config, given, notes)
    return result, [line for line in notes.lines if "segmentation network" in line]


def test_a_run_trains_it_once_and_scores_generated_beside_real_photos(tmp_path: Path) -> None:
    result, lines = run(tmp_path / "run", steps=60)
    assert len(lines) == 2
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    scores = [row["validation"] for row in rows if "validation" in row]
    assert scores[-1] == result.scores
    for name in ("miou", "pixel_accuracy"):
        assert scores[0][f"{name}/real"] == scores[-1][f"{name}/real"] > 0.8
        assert scores[0][name] < scores[-1][name]  # the painter learns
    report = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert "mean IoU of the label maps found" in report


def test_the_model_is_the_same_with_and_without_and_after_a_resume(tmp_path: Path) -> None:
    run(tmp_path / "with")
    _, lines = run(tmp_path / "without", segmenter=False)
    assert lines == []
    assert not (tmp_path / "without/segmenter.safetensors").exists()
    result, _ = run(tmp_path / "resumed", time_limit=1e-6)
    assert not result.finished
    _, lines = run(tmp_path / "resumed")
    assert len(lines) == 2  # it stopped before the first validation
    models = [load_file(tmp_path / name / "model.safetensors") for name in ("with", "without", "resumed")]
    for other in models[1:]:
        assert all(torch.equal(models[0][key], other[key]) for key in models[0])
    one, other = ((tmp_path / name / "segmenter.safetensors").read_bytes() for name in ("with", "resumed"))
    assert one == other


def test_a_resumed_run_keeps_it_unless_it_is_damaged_or_too_short(tmp_path: Path) -> None:
    run(tmp_path / "run")
    kept = tmp_path / "run/segmenter.safetensors"
    before = kept.read_bytes()
    _, lines = run(tmp_path / "run")
    assert lines == []
    kept.write_bytes(before[:-9])
    _, lines = run(tmp_path / "run", validate_images=3)
    assert lines == []  # nothing left to validate
    _, lines = run(tmp_path / "run", steps=12)
    assert ["damaged" in line for line in lines] == [True, False, False]
    assert "12 steps" in lines[1]
    _, lines = run(tmp_path / "run", steps=16)
    assert len(lines) == 2  # trained for longer with the run


def test_a_run_interrupted_in_between_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_segmenter, "fit_segmenter", lambda *_: None)
    result, lines = run(tmp_path / "run")
    assert result.finished
    assert "miou" not in result.scores
    assert lines[1] == "segmentation network: interrupted, so photos are not scored by it"
    assert not (tmp_path / "run/segmenter.safetensors").exists()


def test_the_best_model_follows_the_score_that_is_asked_for(tmp_path: Path) -> None:
    run(tmp_path / "run", best_by="miou")
    best = (tmp_path / "run/best.safetensors").stat().st_mtime_ns
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    scored = [(row["validation"]["miou"], row["best"]) for row in rows if "validation" in row]
    assert scored[0][1]
    assert scored[1][1] == (scored[1][0] > scored[0][0])  # follows the generated photos
    run(tmp_path / "run", steps=12, best_by="miou")  # another network, whose scores are not comparable
    assert (tmp_path / "run/best.safetensors").stat().st_mtime_ns > best


def test_a_new_network_leaves_the_best_model_of_another_score(tmp_path: Path) -> None:
    run(tmp_path / "run", best_by="psnr")
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    before = max(row["validation"]["psnr"] for row in rows if "validation" in row)
    run(tmp_path / "run", steps=12, best_by="psnr")
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    last = [row for row in rows if "validation" in row][-1]
    assert last["best"] == (last["validation"]["psnr"] > before)


def test_a_new_network_leaves_the_best_model_of_another_score(tmp_path: Path) -> None:
    run(tmp_path / "run", best_by="psnr")
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    before = max(row["validation"]["psnr"] for row in rows if "validation" in row)
    run(tmp_path / "run", steps=12, best_by="psnr")
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    last = [row for row in rows if "validation" in row][-1]
    assert last["best"] == (last["validation"]["psnr"] > before)


def test_the_best_score_of_another_kind_is_forgotten(tmp_path: Path) -> None:
    run(tmp_path / "run", segmenter=False, time_limit=1e-6)
    for best_by, kept in (("psnr", 1e6), ("ssim", None)):  # steps 2 and 3, before a validation
        folder = RunFolder(tmp_path / "run")
        state = folder.load_state()
        assert state is not None
        folder.save_state(state | {"best": 1e6, "criterion": "psnr"})
        run(tmp_path / "run", segmenter=False, time_limit=1e-6, best_by=best_by)
        after = folder.load_state()
        assert after is not None
        assert after["best"] == kept


def test_a_score_that_is_not_measured_is_named(tmp_path: Path) -> None:
    notes = Notes()
    options = RunOptions(out=tmp_path / "run", workers=0, device="cpu", best_by="miou", segmenter=False)
    train("example", [tmp_path], PainterConfig(steps=2, batch_size=2), options, notes)
    expected = "--best-by miou: not measured here (psnr, ssim are), so best.safetensors is not kept"
    assert expected in notes.lines
    assert not (tmp_path / "run/best.safetensors").exists()


def test_what_is_wanted_follows_from_the_settings() -> None:
    config = PainterConfig(steps=20_000)
    (stage,) = config.stages()
    info = segmenter_info(config, stage)
    assert info is not None
    assert info.classes == tuple(map(str, LABELS.classes))
    assert (info.channels, info.size) == (3, (16, 16))
    assert info.steps == 20_000 // run_segmenter.SHARE
    longer = segmenter_info(PainterConfig(steps=10**7), stage)
    assert longer is not None
    assert longer.steps == run_segmenter.MOST
    pix2pix = tiny_config("pix2pix")
    assert segmenter_info(pix2pix, pix2pix.stages()[0]) is None


def test_real_photos_do_not_select_a_model() -> None:
    assert quality({"miou": 0.2, "miou/real": 0.9}, "miou") == 0.2
    assert quality({"miou/real": 0.9}, "miou") is None
