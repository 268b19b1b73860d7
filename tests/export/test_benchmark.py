"""`i2i benchmark`: every runtime and precision that is installed, beside float32 in torch."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from i2icli.__main__ import main
from i2icli.export import benchmark
from i2icli.export.benchmark import Benchmark, Row, fastest
from i2icli.export.benchmark_options import BenchmarkOptions
from i2icli.export.exporting import Exporter
from i2icli.image import DecodedImage, write_image
from i2icli.runtime.checkpoint import load_model, write_model
from tests.export.models import lively

Capture = pytest.CaptureFixture[str]
ROWS = [
    ("torch", "fp32"),
    ("torch", "bf16"),
    ("onnxruntime", "fp32"),
    ("onnxruntime", "fp16 weights"),
    ("onnxruntime", "int8"),
    ("openvino", "fp32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    system = lively("cyclegan", width=8)
    networks = {name: system.get_submodule(name) for name in system.inference_modules}
    write_model(folder / "model.safetensors", system, "cyclegan", networks)
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
        write_image(folder / "photos" / f"{number}.png", DecodedImage(pixels, None, "png"))
    return folder


@pytest.mark.slow
def test_all_that_is_installed_is_measured(model: Path, capsys: Capture):
    photos = str(model / "photos")
    arguments = ["benchmark", str(model), "--calibrate", photos, "--size", "32", "--batch-size", "1,2"]
    assert main([*arguments, "--rounds", "1", "--threads", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["runtime"], row["precision"]) for row in rows] == ROWS
    assert [row["error"] for row in rows if row["precision"] != "bf16"] == [None] * 6
    for row in (row for row in rows if not row["error"]):
        assert [each["batch"] for each in row["measured"]] == [1, 2]
        assert all(each["ms_per_image"] > 0 and each["ratio"] > 0 for each in row["measured"])
    psnr = {(row["runtime"], row["precision"]): row["psnr"] for row in rows}
    assert psnr["torch", "fp32"] is None
    for runtime in ("onnxruntime", "openvino"):
        assert psnr[runtime, "fp32"] is None or psnr[runtime, "fp32"] > 90
        assert psnr[runtime, "int8"] < 60
    sizes = {(row["runtime"], row["precision"]): row["bytes"] for row in rows}
    assert sizes["onnxruntime", "fp16 weights"] < sizes["onnxruntime", "fp32"]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """Rows that are shown without measuring anything."""
    found = [
        Row("torch", "fp32", 45_700_000, {1: [0.5, 0.6, 0.7]}, {1: 1.0}),
        Row("torch", "bf16", error="this processor does not compute bf16"),
        Row("onnxruntime", "fp16 weights", 23_000_000, {1: [0.5, 0.4, 0.3]}, {1: 1.5}, 72.04),
        Row("openvino", "bf16", 45_700_000, {1: [0.2] * 3, 4: [0.1] * 3}, {1: 3.0, 4: 6.0}, 49.6),
        Row("openvino", "int8", 11_500_000, {1: [0.1] * 3}, {1: 7.0}, 27.0),
    ]
    monkeypatch.setattr(Benchmark, "run", lambda _: found)
    return found


@pytest.mark.usefixtures("rows")
def test_the_table_fits_and_ends_with_what_to_do(model: Path, capsys: Capture):
    assert main(["benchmark", str(model)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line.rstrip()) for line in lines[:-1]) <= 80
    shown = [" ".join(line.split()) for line in lines]
    assert shown[0] == "runtime precision batch ms per image to fp32 file PSNR to fp32"
    assert shown[1] == "torch fp32 1 600.0 1.00x 45.7 MB"
    assert shown[2] == "onnxruntime fp16 weights 1 400.0 1.50x 23.0 MB 72.0 dB"
    assert shown[4] == "openvino bf16 4 100.0 6.00x 45.7 MB 49.6 dB"
    assert lines[6] == "torch bf16: this processor does not compute bf16"
    command = f"i2i translate IMAGES --model {model} --runtime openvino --precision bf16"
    assert lines[-1] == f"fastest at 40 dB or better: openvino bf16, 6.00x; use it:  {command}"


def test_the_fastest_that_is_accurate_is_named(rows: list[Row], model: Path, capsys: Capture):
    for row in rows[3:]:
        row.psnr = 39.9
    assert fastest(rows) is rows[2]
    assert main(["benchmark", str(model)]) == 0
    assert f"1.50x; use it:  i2i export {model} --to onnx --half" in capsys.readouterr().out
    rows[4].psnr = 40.0
    assert main(["benchmark", str(model), "--calibrate", str(model / "photos")]) == 0
    advice = capsys.readouterr().out.splitlines()[-1]
    assert advice.endswith(f"i2i export {model} --to openvino --int8 --calibrate {model / 'photos'}")
    rows[2].error = "the proof failed"
    rows[4].psnr = None  # equal
    assert fastest(rows) is rows[4]
    assert fastest([Row("torch", "fp32", error="not enough memory")]) is None


def test_a_row_that_cannot_be_made_says_why(model: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(benchmark, "installed", lambda: ("onnxruntime",))
    monkeypatch.setattr(benchmark, "fast_dtype", lambda _: None)

    def failing(*_: object) -> None:
        raise benchmark.UserError("the proof failed: it differs")

    monkeypatch.setattr(Exporter, "export", failing)
    system = load_model(model / "model.safetensors")
    tasks = system.config.tasks(system.clock.stage)[:1]
    path, options = model / "model.safetensors", BenchmarkOptions(size=32, rounds=2)
    rows = Benchmark(lambda: load_model(path), path, tasks, options).run()
    assert [(row.runtime, row.precision, row.error) for row in rows] == [
        ("torch", "fp32", ""),
        ("torch", "bf16", "this processor does not compute bf16"),
        ("onnxruntime", "fp32", "the proof failed: it differs"),
        ("onnxruntime", "fp16 weights", "the proof failed: it differs"),
        ("openvino", "fp32", "not installed: pip install 'i2icli[openvino]'"),
        ("openvino", "bf16", "not installed: pip install 'i2icli[openvino]'"),
    ]
    assert list(rows[0].ratio.values()) == [1.0]
    assert fastest(rows) is rows[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{model}", "--batch-size", "0"], "--batch-size"),
        (["{model}", "--size", "large"], "--size"),
        (["{model}", "--images", "{model}/none"], "--images .*none: no such folder"),
        (["{model}/graph.onnx"], "this is a graph; name the model that it was exported from"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    arguments: list[str], message: str, model: Path, capsys: Capture
):
    (model / "graph.onnx").touch()
    assert main(["benchmark", *(each.format(model=model) for each in arguments)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(message, error)
