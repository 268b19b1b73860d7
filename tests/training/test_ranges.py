"""Data of any number type are learned as their 8-bit twin is, in their range, which a run keeps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.metadata import read_metadata
from i2icli.recipe import resolve_config
from i2icli.report.log import read_log
from i2icli.training.plan import plan
from i2icli.training.run import TrainResult, train
from tests.tiny import tiny_config

SIDE = 32
TWINS: dict[
    str, tuple[float, float, Any]
] = {  # 12 bits, Hounsfield units, standard scores: gain, offset, type
    "scope": (16, 0, np.uint16),
    "ct": (8, -1024, np.int16),
    "scores": (0.02, -2.5, np.float32),
}

SCORES = ("psnr", "ssim", "spectral_distance")


def bounds(twin: str) -> tuple[float, float]:
    """What 0 and 255 of the 8-bit twin are."""
    gain, offset, _ = TWINS[twin]
    return offset, 255 * gain + offset


def write(folder: Path, twin: str | None = None) -> Path:
    """Six pairs of noise in A/ and B/, 8 bit or what a twin makes of these."""
    rng = np.random.default_rng(0)
    for name in "AB":
        (folder / name).mkdir(parents=True)
        for number in range(6):
            values = rng.integers(0, 256, (SIDE, SIDE))
            values.flat[:2] = 0, 255
            gain, offset, dtype = TWINS[twin] if twin else (1, 0, np.uint8)
            tifffile.imwrite(folder / name / f"{number}.tif", (values * gain + offset).astype(dtype))
    return folder


def trained(system: str, data: Path, out: Path, **settings: Any) -> TrainResult:
    config = tiny_config(system, **({"steps": 4, "preprocess": "none", "holdout": 0.2} | settings))
    return train(system, [data], config, RunOptions(out=out, log_every=1, validate_every=2))


def numbers(result: TrainResult) -> list[dict[str, float]]:
    """All that a run logged of its losses and scores."""
    rows = [row.get("validation") or row for row in read_log(result.folder / "log.jsonl")]
    return [{name: value for name, value in row.items() if "/" in name or name in SCORES} for row in rows]


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[str, TrainResult]:
    """What the 8-bit data give."""
    folder = tmp_path_factory.mktemp("plain")
    data = write(folder / "data")
    return {system: trained(system, data, folder / system) for system in ("pix2pix", "cyclegan")}


@pytest.mark.parametrize("system", ["pix2pix", "cyclegan"])
@pytest.mark.parametrize("twin", TWINS)
def test_a_twin_in_its_range_trains_to_the_same_losses_and_scores(
    system: str, twin: str, plain: dict[str, TrainResult], tmp_path: Path
) -> None:
    low, high = bounds(twin)
    how = {"pix2pix": f"{low:g},{high:g}", "cyclegan": "found"}[system]
    result = trained(system, write(tmp_path / "data", twin), tmp_path / "run", range=how)
    wanted, found = numbers(plain[system]), numbers(result)
    assert sum(map(len, wanted)) > 14
    assert [row.keys() for row in wanted] == [row.keys() for row in found]
    for before, after in zip(wanted, found, strict=True):
        assert after == pytest.approx(before, rel=1e-4, abs=1e-5)
    assert result.scores == pytest.approx(plain[system].scores, rel=1e-4)
    kept = read_metadata(result.folder / "model.safetensors").settings(result.folder)
    assert tuple(map(float, kept.range.split(","))) == tuple(map(pytest.approx, bounds(twin)))
    assert resolve_config(system, result.folder / "recipe.toml").range == kept.range


def test_resized_it_differs_by_the_rounding_of_8_bits_alone(tmp_path: Path) -> None:
    how = {"preprocess": "resize-and-crop", "load_size": 36, "steps": 2}
    plain = trained("pix2pix", write(tmp_path / "plain"), tmp_path / "run", **how)
    deep = trained("pix2pix", write(tmp_path / "deep", "scope"), tmp_path / "deep-run", range="found", **how)
    for before, after in zip(numbers(plain), numbers(deep), strict=True):
        assert after == pytest.approx(before, rel=0.02, abs=0.02)


def test_a_run_keeps_its_range(tmp_path: Path) -> None:
    data, run = write(tmp_path / "data", "ct"), tmp_path / "run"
    trained("pix2pix", data, run, range="found", steps=2)
    assert trained("pix2pix", data, run, range="found").finished  # found again, the same
    assert trained("pix2pix", data, run, range="-1024,1016", steps=5).finished
    for other in ("type", "-1024,3071", "percentile:10,90"):
        with pytest.raises(
            UserError, match=r"was started with --range -1024,1016, not with --range .*add --range"
        ):
            trained("pix2pix", data, run, range=other, steps=6)


def test_more_data_of_another_range_are_named_at_a_resume(tmp_path: Path) -> None:
    data, run = write(tmp_path / "data", "scope"), tmp_path / "run"
    trained("pix2pix", data, run, range="found", steps=2)
    for name in "AB":
        values = tifffile.imread(data / name / "0.tif")
        values[0, 0] = 5000
        tifffile.imwrite(data / name / "0.tif", values)
    with pytest.raises(UserError, match=r"started with --range 0,4080, not with --range 0,5000"):
        trained("pix2pix", data, run, range="found", steps=3)


def test_what_uses_little_of_its_type_is_said_once_before_training(tmp_path: Path) -> None:
    data, line = write(tmp_path / "data", "scope"), "values 0 to 4080 use 6 % of 16 bit: add --range 0,4080"
    assert plan("pix2pix", [data], tiny_config("pix2pix", steps=1)).report.count(line) == 1
    ranged = plan("pix2pix", [data], tiny_config("pix2pix", steps=1, range="0,4080"))
    assert not any("--range" in each for each in ranged.report)
    assert 'range = "0,4080"' in ranged.recipe
