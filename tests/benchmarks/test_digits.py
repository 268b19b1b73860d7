"""What tells whether DTN kept its digits: the lesson's reader, and the benchmark's folders and shares."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.demo.dtn import DEMO, Reader
from i2icli.demo.toy.digits import digit, write_digits
from i2icli.image import read_image
from i2icli.systems.dtn.config import DTNConfig
from tests.data.files import scanned


class Copyist:
    """A translator that knows the truth of the toy digits, or answers with what it was given."""

    def __init__(self, folder: Path, *, knowing: bool) -> None:
        self.answers = {}
        for path in (folder / "test" / "source").rglob("*.png"):
            truth = folder / "test" / "target" / path.parent.name / path.name
            self.answers[read_image(path).pixels.tobytes()] = read_image(truth).pixels
        self.knowing = knowing

    def translate(self, pixels: np.ndarray) -> np.ndarray:
        return self.answers[pixels.tobytes()] if self.knowing else pixels


def test_the_lesson_counts_digits(tmp_path: Path) -> None:
    write_digits(tmp_path, train=1, test=20)
    figures = [
        dict(DEMO.show(Copyist(tmp_path, knowing=knowing), tmp_path).figures) for knowing in (True, False)
    ]  # type: ignore[arg-type]
    shares = [int(found["digits read correctly from the output"].split()[0]) for found in figures]
    assert shares[0] >= 90
    assert shares[1] <= 70  # chalk on a board is a little like a sign
    assert (
        figures[0]["digits read correctly from real signs"]
        == figures[0]["digits read correctly from the output"]
    )


def test_the_reader_knows_signs_and_not_ink() -> None:
    reader = Reader()
    digits = [digit(number, 77) for number in range(10)]
    numbers = list(range(10))
    assert reader.share([each.sign for each in digits], numbers) in ("90 % of 10", "100 % of 10")
    assert int(reader.share([each.ink for each in digits], numbers).split()[0]) <= 40


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """benchmarks/experiments/digits.py as a module."""
    spec = spec_from_file_location(
        "digits", Path(__file__).parents[2] / "benchmarks" / "experiments" / "digits.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_benchmark_writes_folders_that_are_recognised(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "TEST", 20)
    rng = np.random.default_rng(0)
    for name, side in (("mnist", 28), ("other", 20)):
        images = rng.integers(0, 256, (120, side, side), dtype=np.uint8)
        np.savez(tmp_path / f"{name}.npz", images=images, labels=np.arange(120) % 10)

    benchmark.write(tmp_path / "mnist.npz", tmp_path / "other.npz", tmp_path / "out")

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


def test_the_benchmark_reads_what_is_there(benchmark: ModuleType) -> None:
    images = torch.stack([benchmark.grey(Image.fromarray(digit(number, 1).sign)) for number in range(10)])
    assert images.shape == (10, 1, 32, 32)
    assert benchmark.jittered(images).shape == images.shape

    class Knows(torch.nn.Module):
        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return torch.eye(10)[: len(given)]

    assert benchmark.share(Knows(), images, torch.arange(10)) == "100.0 % of 10"
    assert benchmark.share(Knows(), images, torch.arange(10).roll(1)) == "  0.0 % of 10"
