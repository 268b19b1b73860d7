"""Runtimes: which one runs a file, in which precision, and what they say when they fail."""

import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.graphs import openvino_session, sessions
from i2icli.graphs.backend import load_graph
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.sessions import choose_runtime, failure, open_session
from tests.graphs.files import convolving, described, graph, node, write

X = np.zeros((1, 3, 8, 8), np.float32)


def test_the_first_runtime_that_takes_a_file_runs_it(monkeypatch: pytest.MonkeyPatch):
    assert choose_runtime(Path("x.onnx")) == "onnxruntime"
    assert choose_runtime(Path("x.onnx"), "openvino") == choose_runtime(Path("x.xml")) == "openvino"
    with pytest.raises(
        UserError, match=r"x\.xml: onnxruntime does not run \.xml files; try --runtime openvino"
    ):
        choose_runtime(Path("x.xml"), "onnxruntime")
    monkeypatch.setattr(
        sessions, "find_spec", lambda name: None if name == "onnxruntime" else find_spec(name)
    )
    assert choose_runtime(Path("x.onnx")) == "openvino"
    with pytest.raises(UserError, match=r"needs the package onnxruntime: pip install 'i2icli\[onnx\]'"):
        choose_runtime(Path("x.onnx"), "onnxruntime")
    monkeypatch.setattr(sessions, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"needs the package openvino: pip install 'i2icli\[openvino\]'"):
        choose_runtime(Path("x.xml"))


@pytest.mark.parametrize(("runtime", "suffix"), [("onnxruntime", ".onnx"), ("openvino", ".xml")])
def test_arrays_that_do_not_fit_are_described(runtime: str, suffix: str, tmp_path: Path):
    session = open_session(open_graph(convolving(tmp_path / f"x{suffix}")), runtime)
    wanted = rf"x{suffix}: image is float32 {{}}; expected float32 batch x 3 x height x width"
    for array, found in ((X[0], "3 x 8 x 8"), (X[:, :2], "1 x 2 x 8 x 8"), (X[:0], "0 x 3 x 8 x 8")):
        with pytest.raises(UserError, match=wanted.format(found)):
            session.run({"image": array})
    with pytest.raises(UserError, match=r"image is float64 1 x 3 x 8 x 8; expected float32"):
        session.run({"image": X.astype(np.float64)})
    with pytest.raises(UserError, match=r"got photo; expected image"):
        session.run({"photo": X})
    assert session.run({"image": X[:, :, ::2, ::2]})["output"].shape == (1, 3, 4, 4)


def test_precision_is_chosen_and_never_accidental(tmp_path: Path):
    small = open_graph(convolving(tmp_path / "x.xml"))
    assert open_session(small).precision == "fp32"
    assert open_session(small, precision="auto").precision == "fp32", "too small to gain"
    with pytest.raises(
        UserError, match=r"onnxruntime computes fp32 on a processor, not bf16; try --precision"
    ):
        open_session(open_graph(convolving(tmp_path / "x.onnx")), precision="bf16")


def wide(path: Path) -> Path:
    weights = {"weight": np.random.default_rng(0).standard_normal((3, 64, 3, 3)).astype(np.float32)}
    sides = ("batch", 64, "height", "width")
    metadata = described(inputs={"image": sides})
    return write(path, graph(metadata, [node("Conv", "image weight", "output", pads=[1] * 4)], weights))


def test_low_precision_is_taken_where_the_processor_has_it(tmp_path: Path):
    openvino = pytest.importorskip("openvino")
    found = open_graph(wide(tmp_path / "x.xml"))
    able = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    x = np.random.default_rng(0).standard_normal((1, 64, 32, 32)).astype(np.float32)
    full = open_session(found, precision="fp32").run({"image": x})["output"]
    exact = open_session(open_graph(wide(tmp_path / "x.onnx")), "onnxruntime").run({"image": x})["output"]
    np.testing.assert_allclose(full, exact, atol=1e-3)
    session = open_session(found, precision="auto")
    assert session.precision == ("bf16" if able else "fp32")
    if able:
        low = session.run({"image": x})["output"]
        assert 1e-3 < np.abs(low - exact).max() < 0.5
    else:
        with pytest.raises(UserError, match=r"this processor does not compute bf16; try --precision fp32"):
            open_session(found, precision="bf16")


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_an_unknown_operator_is_named_with_its_layer(runtime: str, tmp_path: Path):
    nodes = [node("Frobnicate", "image", "output", name="layer_7")]
    found = open_graph(write(tmp_path / "x.onnx", graph(described(), nodes)))
    with pytest.raises(UserError, match=r"x\.onnx: \w+ cannot load it \(.*Frobnicate") as caught:
        open_session(found, runtime)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_sizes_that_the_layers_cannot_compute_are_one_line(runtime: str, tmp_path: Path):
    weights = {"sides": np.array([-1, 3, 16, 16])}
    model = graph(described(), [node("Reshape", "image sides", "output")], weights)
    session = open_session(open_graph(write(tmp_path / "x.onnx", model)), runtime)
    with pytest.raises(UserError, match=rf"x\.onnx: {runtime} cannot run it \(.*") as caught:
        session.run({"image": np.zeros((1, 3, 5, 7), np.float32)})
    assert str(caught.value).isprintable()


def test_memory_that_ends_is_told_apart():
    for text in ("std::bad_alloc", "Failed to allocate memory for requested buffer of size 1"):
        assert isinstance(failure(Path("x"), "onnxruntime", RuntimeError(text), "run"), MemoryError)
    found = failure(
        Path("x"), "onnxruntime", RuntimeError("[ONNXRuntimeError] : 1 : FAIL : what\nhappened"), "run"
    )
    assert str(found) == "x: onnxruntime cannot run it (what happened)"


def test_memory_ends_before_that_of_the_machine(tmp_path: Path):
    names = ["image", *(f"wide_{number}" for number in range(40))]  # twice as wide each
    nodes = [node("Concat", f"{a} {a}", b, axis=3) for a, b in pairwise(names)]
    nodes += [node("ReduceMean", names[-1], "mean", keepdims=0), node("Mul", "image mean", "output")]
    path = write(tmp_path / "x.onnx", graph(described(), nodes))
    program = (
        "import pathlib, sys, numpy\n"
        "from i2icli.graphs import onnx_session\n"
        "from i2icli.graphs.graph_file import open_graph\n"
        "onnx_session.total_memory = lambda: 2**28\n"
        f"session = onnx_session.OnnxSession(open_graph(pathlib.Path({str(path)!r})))\n"
        "try: session.run({'image': numpy.zeros((1, 3, 8, 8), numpy.float32)})\n"
        "except MemoryError as error: sys.exit('ended: ' + str(error))"
    )
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.stderr.strip() == "ended: onnxruntime: out of memory"


def test_low_precision_that_nobody_asked_for_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = wide(tmp_path / "x.xml")
    for able, precision, notes in (
        (["BF16", "FP32"], "auto", ("computed in bf16; --precision fp32 computes exact values",)),
        (["FP32"], "auto", ()),
        (["BF16", "FP32"], "fp32", ()),
        (["BF16", "FP32"], "bf16", ()),
    ):
        core = SimpleNamespace(get_property=lambda *_, able=able: able)
        monkeypatch.setattr(openvino_session, "_core", lambda core=core: core)
        assert load_graph(path, precision=precision).notes[1:] == notes
    assert load_graph(wide(tmp_path / "x.onnx")).notes[1:] == ()
