"""Measuring whether DTN preserves digits: the demo's classifier, and the benchmark's folders and accuracy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.experiments import digits as digits_benchmark
from i2icli.demo.dtn import DEMO, DigitClassifier
from i2icli.demo.toy.digits import digit, write_digits
from i2icli.image import read_image
from i2icli.systems.dtn.config import DTNConfig
from tests.data.files import scanned


class Copyist:
    """A translator that outputs the ground truth of toy digits, or its input."""

    def __init__(self, folder: Path, *, knowing: bool) -> None:
        self.outputs = {}
        for path in (folder / "test" / "source").rglob("*.png"):
            truth = folder / "test" / "target" / path.parent.name / path.name
            self.outputs[read_image(path).pixels.tobytes()] = read_image(truth).pixels
        self.knowing = knowing

    def translate(self, pixels: np.ndarray) -> np.ndarray:
        return self.outputs[pixels.tobytes()] if self.knowing else pixels


def test_the_demo_measures_digit_accuracy(tmp_path: Path) -> None:
    write_digits(tmp_path, train=1, test=20)
    metrics = [
        dict(DEMO.evaluate(Copyist(tmp_path, knowing=knowing), tmp_path).metrics) for knowing in (True, False)
    ]  # type: ignore[arg-type]
    accuracies = [int(each["digit accuracy on outputs"].split()[0]) for each in metrics]
    assert accuracies[0] >= 90
    assert accuracies[1] <= 70  # chalk on a board is a little like a sign
    assert metrics[0]["digit accuracy on real signs"] == metrics[0]["digit accuracy on outputs"]


def test_the_classifier_reads_signs_and_not_ink() -> None:
    classifier = DigitClassifier()
    digits = [digit(number, 77) for number in range(10)]
    numbers = list(range(10))
    assert classifier.accuracy([each.sign for each in digits], numbers) in ("90 % of 10", "100 % of 10")
    assert int(classifier.accuracy([each.ink for each in digits], numbers).split()[0]) <= 40


def test_the_benchmark_writes_folders_that_are_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digits_benchmark, "TEST", 20)
    rng = np.random.default_rng(0)
    for name, side in (("mnist", 28), ("other", 20)):
        images = rng.integers(0, 256, (120, side, side), dtype=np.uint8)
        np.savez(tmp_path / f"{name}.npz", images=images, labels=np.arange(120) % 10)

    digits_benchmark.write(tmp_path / "mnist.npz", tmp_path / "other.npz", tmp_path / "out")

    colours = scanned("dtn", [tmp_path / "out" / "colours-mnist"], DTNConfig())
    assert (len(colours.source), len(colours.target), len(colours.held_out)) == (100, 50, 20)
    assert (colours.settings["channels"], colours.truth) == ((3, 1), True)
    kept = {path.stem[:5] for path in (tmp_path / "out/colours-mnist/source").rglob("*.png")}
    kept |= {path.stem for path in (tmp_path / "out/colours-mnist/target").rglob("*.png")}
    assert not kept & {path.stem for path in (tmp_path / "out/colours-mnist/test").rglob("*.png")}
    assert len(kept) == 100
    other = scanned("dtn", [tmp_path / "out" / "other-mnist"], DTNConfig())
    assert (len(other.source), len(other.target), len(other.held_out)) == (100, 100, 20)
    assert (other.settings["channels"], other.truth) == ((1, 1), False)


def test_the_benchmark_measures_accuracy() -> None:
    images = torch.stack(
        [digits_benchmark.grey(Image.fromarray(digit(number, 1).sign)) for number in range(10)]
    )
    assert images.shape == (10, 1, 32, 32)
    assert digits_benchmark.jittered(images).shape == images.shape

    class Knows(torch.nn.Module):
        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return torch.eye(10)[: len(given)]

    assert digits_benchmark.accuracy(Knows(), images, torch.arange(10)) == "100.0 % of 10"
    assert digits_benchmark.accuracy(Knows(), images, torch.arange(10).roll(1)) == "  0.0 % of 10"
