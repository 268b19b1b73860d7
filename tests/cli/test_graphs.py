"""Exported models on the command line: what they are, translating with them, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2icli.__main__ import main
from i2icli.errors import UserError
from i2icli.graphs.metadata import GraphTask
from i2icli.request import Request
from tests.graphs.files import described, graph, halving, node, part, types, write
from tests.tiny import tiny_config

NEEDLESS = {"torch", "onnx", "jinja2", "imageio_ffmpeg", "cv2", "scipy", "safetensors.torch"}
RUN = f"""
import sys
from i2icli.__main__ import main
code = main(sys.argv[1:])
print(sorted({NEEDLESS} & sys.modules.keys()))
sys.exit(code)
"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("suffix", [".onnx", ".xml"])
def test_translating_with_a_graph_loads_no_torch(suffix: str, photo: Path, tmp_path: Path):
    model, out = halving(tmp_path / f"half{suffix}"), tmp_path / "out"
    command = ["translate", photo, "--model", model, "--to", "B", "--out", out]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, command)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    given, made = (np.asarray(Image.open(each), int) for each in (photo, out / "photo.png"))
    assert np.abs(made - (given + 127.5) / 2).max() < 1


def test_a_folder_of_graphs_translates_to_every_target(photo: Path, tmp_path: Path):
    models = tmp_path / "models"
    models.mkdir()
    halving(models / "B.onnx", described(tasks=[GraphTask(name="B")]))
    write(models / "A.onnx", graph(described(tasks=[GraphTask(name="A")]), [node("Neg", "image", "output")]))
    out = tmp_path / "out"
    assert main(["translate", str(photo), "--model", str(models), "--to", "all", "--out", str(out)]) == 0
    given = np.asarray(Image.open(photo), int)
    assert np.abs(np.asarray(Image.open(out / "A" / "photo.png"), int) - (255 - given)).max() <= 1
    assert (out / "B" / "photo.png").is_file()


def test_info_says_what_a_graph_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main_file = described(proven={"difference": 2e-6, "psnr": 120.04}, tasks=[GraphTask(name="B")])
    beside = main_file.model_copy(update={"part": "begin", "outputs": types({"next.x": ("batch", 3)})})
    mean = node("ReduceMean", "image axes", "next.x", keepdims=0)
    found = write(tmp_path / "half.begin.onnx", graph(beside, [mean], {"axes": np.array([2, 3])}))
    path = halving(
        tmp_path / "half.onnx", main_file.model_copy(update={"parts": {"begin": part(found, found)}})
    )
    assert main(["info", str(path)]) == 0
    text = capsys.readouterr().out
    for line in (
        "proven       largest difference 2e-06, 120.0 dB to the model",
        "inputs       image (float32 batch x 3 x height x width)",
        "note: this export leaves out: A",
        "half.begin.onnx  2 parameters",
    ):
        assert " ".join(line.split()) in " ".join(text.split())
    assert main(["info", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["graph"]["weights"] == "fp32"


def test_graphs_that_are_no_models_are_refused(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    foreign = write(
        tmp_path / "x.onnx", graph(None, [node("Abs", "a", "b")], inputs={"a": (1,)}, outputs={"b": (1,)})
    )
    (tmp_path / "model.pt2").write_bytes(b"PK")
    for path, said in (
        (
            foreign,
            "a graph of another tool, with inputs a (float32 1); expected a file written by i2i export",
        ),
        (tmp_path / "model.pt2", "a .pt2 is not taken as a model"),
    ):
        for command in (["info"], ["translate", str(photo), "--out", str(tmp_path / "out"), "--model"]):
            assert main([*command, str(path)]) == 2
            [line] = capsys.readouterr().err.splitlines()
            assert line.startswith(f"error: {path}: ")
            assert said in line


def test_facts_that_cannot_be_are_refused():
    config = tiny_config("pix2pixhd")
    [task] = config.tasks(config.stages()[-1])
    for facts in ({}, {"cluster_counts": 3}, {"cluster_counts": [1]}, {"cluster_counts": ["3"] * 14}):
        with pytest.raises(UserError, match="does not say how many styles each class has; export it again"):
            config.conditions(task, Request(facts=facts))
    assert config.conditions(task, Request(facts={"cluster_counts": [3] * config.num_styled})) == {}
