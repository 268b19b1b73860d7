"""Graphs that want more than to compute are refused before a runtime sees them, each in one line."""

import os
import pickle
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from i2icli.errors import UserError
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.metadata import KEY
from i2icli.graphs.sessions import open_session
from tests.graphs.files import IMAGE, convolving, described, graph, halving, node, write

HALVES = node("Mul", "image half", "output")
HALF = {"half": np.float32([0.5])}
VALUE = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
BODY = helper.make_graph([node("Identity", "x", "y")], "body", [VALUE], [VALUE])


def refused(path: Path, said: str) -> None:
    """Opening it ends in one line, and soon."""
    start = time.perf_counter()
    with pytest.raises(UserError, match=said) as caught:
        open_graph(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
    assert time.perf_counter() - start < 20


def changed(change: Callable[[onnx.ModelProto], Any]) -> onnx.ModelProto:
    """A harmless graph after a change."""
    model = graph(described(), [HALVES], HALF)
    change(model)
    return model


def with_node(operator: str, **attributes: Any) -> onnx.ModelProto:
    return changed(lambda model: model.graph.node.append(node(operator, "image", "more", **attributes)))


def shaped(operator: str, *inputs: str, **weights: Any) -> onnx.ModelProto:
    """An operator that makes something as large as constants say."""
    constants = {name: np.asarray(value) for name, value in {"half": HALF["half"], **weights}.items()}
    return graph(described(), [HALVES, node(operator, " ".join(inputs), "more")], constants)


def doubled(start: str, count: int = 40) -> onnx.ModelProto:
    """A graph that makes 2 to the power of `count` times as many numbers of some, and looks at their mean."""
    axis = 0 if start == "half" else 3
    names = [start, *(f"more_{number}" for number in range(count))]
    nodes = [node("Concat", f"{a} {a}", b, axis=axis) for a, b in pairwise(names)]
    nodes += [node("ReduceMean", names[-1], "mean", keepdims=0), node("Mul", "image mean", "output")]
    return graph(described(), nodes, HALF)


def twice(model: onnx.ModelProto) -> None:
    helper.set_model_props(model, {KEY: "a"})
    model.metadata_props.append(onnx.StringStringEntryProto(key=KEY, value=described().to_text()))


def initializer(**changes: Any) -> onnx.ModelProto:
    def change(model: onnx.ModelProto) -> None:
        for name, value in changes.items():
            if isinstance(value, list):
                del getattr(model.graph.initializer[0], name)[:]
                getattr(model.graph.initializer[0], name).extend(value)
            else:
                setattr(model.graph.initializer[0], name, value)

    return changed(change)


ONNX: dict[str, tuple[Callable[[], onnx.ModelProto], str]] = {
    "loop": (
        lambda: with_node("Loop", body=BODY),
        "operator Loop; a graph of ours neither repeats nor draws",
    ),
    "if": (lambda: with_node("If", then_branch=BODY, else_branch=BODY), "operator If"),
    "scan": (lambda: with_node("Scan", body=BODY, num_scan_inputs=1), "operator Scan"),
    "body of another name": (lambda: with_node("Abs", body=BODY), "'Abs' holds graphs of its own"),
    "bodies": (lambda: with_node("Abs", bodies=[BODY]), "'Abs' holds graphs of its own"),
    "random": (lambda: with_node("RandomNormalLike"), "operator RandomNormalLike"),
    "bernoulli": (lambda: with_node("Bernoulli"), "operator Bernoulli"),
    "python": (lambda: with_node("PyOp", domain="com.microsoft"), "operator PyOp"),
    "context": (lambda: with_node("EPContext", domain="com.microsoft"), "operator EPContext"),
    "domain": (lambda: with_node("Shell", domain="evil.example\n"), r"operators of 'evil\.example"),
    "opset": (
        lambda: changed(lambda model: model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))),
        r"operators of 'ai\.onnx\.ml'",
    ),
    "function": (
        lambda: changed(
            lambda model: model.functions.append(
                helper.make_function("", "Mul", ["a"], ["b"], [node("Abs", "a", "b")], [])
            )
        ),
        "functions of its own",
    ),
    "training": (lambda: changed(lambda model: model.training_info.add()), "functions of its own"),
    "sparse": (lambda: changed(lambda model: model.graph.sparse_initializer.add()), "sparse tensors"),
    "sparse constant": (
        lambda: with_node(
            "Constant",
            sparse_value=helper.make_sparse_tensor(
                numpy_helper.from_array(np.float32([1])), numpy_helper.from_array(np.array([0])), [1]
            ),
        ),
        "sparse tensors",
    ),
    "shape without bytes": (lambda: initializer(dims=[2**40, 2**20]), "has not the bytes"),
    "overflowing shape": (lambda: initializer(dims=[2**62, 4]), "has not the bytes"),
    "negative shape": (lambda: initializer(dims=[-1]), "impossible shape"),
    "rank": (lambda: initializer(dims=[1] * 100), "more than 8 numbers"),
    "few bytes": (lambda: initializer(raw_data=b"123"), "has not the bytes"),
    "many bytes": (lambda: initializer(raw_data=b"12345"), "has not the bytes"),
    "two kinds of data": (lambda: initializer(float_data=[1.0]), "has not the bytes"),
    "texts": (lambda: initializer(data_type=TensorProto.STRING), "no plain tensor"),
    "unknown type": (lambda: initializer(data_type=77), "no plain tensor"),
    "same names": (
        lambda: changed(lambda model: model.graph.initializer.append(model.graph.initializer[0])),
        "two constants of the same name",
    ),
    "described twice": (lambda: changed(twice), "describes itself twice"),
    "out of order": (
        lambda: graph(described(), [node("Abs", "a", "output"), node("Abs", "image", "a")]),
        "'Abs' is out of order",
    ),
    "a name twice": (
        lambda: graph(described(), [node("Abs", "image", "output"), node("Neg", "image", "output")]),
        "'Neg' is out of order",
    ),
    "doubling constants": (lambda: doubled("half"), "'Concat' only reads constants; an export computes that"),
    "tiling what was made": (
        lambda: graph(
            described(),
            [HALVES, node("Tile", "half s", "a"), node("Tile", "a s", "b")],
            HALF | {"s": np.array([2**20])},
        ),
        "'Tile' only reads constants; an export computes that",
    ),
    "constant of a shape": (
        lambda: shaped("ConstantOfShape", "s", s=[2**20, 2**20]),
        "ConstantOfShape asks for",
    ),
    "tile": (lambda: shaped("Tile", "half", "s", s=[2**40]), "Tile asks for more"),
    "expand": (lambda: shaped("Expand", "half", "s", s=[2**15, 2**15]), "Expand asks for more"),
    "pad": (lambda: shaped("Pad", "half", "s", s=[2**30, 2**30]), "Pad asks for more"),
    "no graph": (lambda: onnx.ModelProto(ir_version=10), "holds no graph"),
    "sequence": (
        lambda: changed(
            lambda model: model.graph.input[0].type.sequence_type.elem_type.tensor_type.SetInParent()
        ),
        "is no tensor",
    ),
    "no rank": (
        lambda: changed(lambda model: model.graph.input[0].type.tensor_type.ClearField("shape")),
        "rank",
    ),
    "empty side": (
        lambda: changed(lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[0], "dim_value", 0)),
        "impossible shape",
    ),
    "same inputs": (lambda: changed(lambda m: m.graph.input.append(m.graph.input[0])), "the same name"),
    "many layers": (
        lambda: changed(lambda m: m.graph.node.extend([node("Abs", "image", "a")] * 20_001)),
        "more than 20,000 layers",
    ),
}


@pytest.mark.parametrize("name", ONNX)
def test_an_onnx_file_that_wants_more_is_refused(name: str, tmp_path: Path):
    make, said = ONNX[name]
    refused(write(tmp_path / "x.onnx", make()), said)


def test_the_harmless_one_is_not(tmp_path: Path):
    assert open_graph(write(tmp_path / "x.onnx", changed(lambda _: None))).metadata == described()


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def nested(number: int, depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = field(number, data)
    return data


class Executed:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_bytes_that_two_readers_could_read_differently_are_refused(tmp_path: Path):
    path = tmp_path / "x.onnx"
    whole = changed(lambda _: None).SerializeToString()
    for data, said in (
        (b"", "cannot be read"),
        (b"\0", "an impossible field"),
        (whole + whole, "field 7 twice"),
        (whole + field(7, field(1, field(4, b"Loop"))), "field 7 twice"),
        (whole + b"\x3b\x3c", "a field of an unknown type"),  # a group
        (whole + b"\x38\x01", "field 7 of an unexpected type"),
        (whole + b"\x80" * 11 + b"\x01", "an impossible number"),
        (whole + b"\xff" * 9 + b"\x7f", "an impossible"),
        (whole + field(14, b"")[:-1] + varint(2**60), "ends too early"),
        (whole[:-1], "ends too early"),
        (whole + field(8, field(1, b"\xff\xfe")), "not in UTF-8"),
        (whole + field(99, nested(1, 10_000))[:-1], "ends too early"),
        (whole + field(20, nested(1, 10_000)), "functions of its own"),
        (field(7, field(1, field(5, nested(6, 10_000)))), "holds graphs of its own"),
        (field(7, field(11, field(2, nested(4, 10_000)))), "is no tensor"),
    ):
        path.write_bytes(data)
        refused(path, said)


def test_a_file_of_millions_of_parts_is_given_up(tmp_path: Path):
    path = tmp_path / "x.onnx"
    path.write_bytes(b"\x08\x01" * 1_000_001)
    refused(path, "more parts than any graph of ours")


def test_files_of_other_kinds_are_refused_unexecuted(tmp_path: Path):
    path, trace = tmp_path / "x.onnx", tmp_path / "executed"
    for data in (pickle.dumps(Executed(trace)), pickle.dumps(Executed(trace), 0)):
        for suffix in (".onnx", ".xml"):
            path.with_suffix(suffix).write_bytes(data)
            path.with_suffix(".bin").write_bytes(data)
            refused(path.with_suffix(suffix), "not run, as")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(Executed(trace)))
    refused(path, "not run, as")
    np.savez(path.with_suffix(".npz"), a=np.zeros(3))
    path.with_suffix(".npz").rename(path)
    refused(path, "not run, as")
    assert not trace.exists()
    path.unlink()
    path.mkdir()
    refused(path, "no such file")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.onnx")
        refused(tmp_path / "pipe.onnx", "no such file")
    refused(tmp_path / "x.txt", r"not a graph by its name; expected \.onnx or \.xml")


def outside(location: str, offset: int | None = 0, length: int | None = 4, count: int = 1) -> onnx.ModelProto:
    """A graph whose constant lies in another file."""

    def change(model: onnx.ModelProto) -> None:
        found = model.graph.initializer[0]
        found.ClearField("raw_data")
        found.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", offset), ("length", length)):
            if value is not None:
                found.external_data.append(onnx.StringStringEntryProto(key=key, value=str(value)))
        for number in range(1, count):
            other = model.graph.initializer.add()
            other.CopyFrom(found)
            other.name = f"more_{number}"

    return changed(change)


def test_external_data_stay_in_the_folder(tmp_path: Path):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    path, secret = folder / "x.onnx", tmp_path / "secret"
    for place in (secret, folder / "x.data", folder / "sub" / "x.data"):
        place.write_bytes(np.float32([0.25]).tobytes())
    (folder / "link.data").symlink_to(secret)
    write(path, outside("x.data"))
    found = open_graph(path)
    assert found.files == (path, folder / "x.data")
    x = np.ones((1, 3, 8, 8), np.float32)
    for runtime in ("onnxruntime", "openvino"):
        assert (open_session(found, runtime).run({"image": x})["output"] == 0.25).all()
    before = found.sha256()
    (folder / "x.data").write_bytes(np.float32([0.75]).tobytes())
    assert open_graph(path).sha256() != before
    places = [
        str(secret),
        "../secret",
        "sub/x.data",
        "sub\\x.data",
        "C:x.data",
        "..",
        ".",
        "",
        "x.data\0",
        "~",
    ]
    for location in (*places, "link.data", "missing.data", "x.data/", "./x.data"):
        refused(write(path, outside(location)), "it asks for")
    for offset, length, said in (
        (1, 4, "beyond the end"),
        (2**60, 4, "has not the bytes"),
        (-1, 4, "has not the bytes"),
        (0, 3, "has not the bytes"),
        (0, 2**62, "has not the bytes"),
        ("0x0", 4, "has not the bytes"),
        ("٣", 4, "has not the bytes"),
    ):
        refused(write(path, outside("x.data", offset, length)), said)
    refused(write(path, outside("x.data", count=20)), r"constants share bytes of x\.data")
    assert open_graph(write(path, outside("x.data", None, None)))


LAUGHS = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
XML: dict[str, tuple[Callable[[str], str], str]] = {
    "laughs": (
        lambda text: f'<!DOCTYPE net [<!ENTITY a0 "ha">{LAUGHS}]>' + text.replace('name="', 'name="&a12;', 1),
        "declares entities",
    ),
    "file": (
        lambda text: '<!DOCTYPE net [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + text,
        "declares entities",
    ),
    "doctype": (lambda text: f"<!DOCTYPE net>{text}", "declares entities"),
    "instruction": (lambda text: text.replace("<layers>", "<?run it?><layers>"), "declares entities"),
    "cdata": (lambda text: text.replace("<dim>3</dim>", "<dim><![CDATA[3]]></dim>"), "declares entities"),
    "deep": (lambda text: text.replace("<rt_info>", "<rt_info>" + "<a>" * 100_000), "nested deeper"),
    "wide": (
        lambda text: text.replace("<rt_info>", "<rt_info>" + "<a/>" * 800_001),
        "nested deeper, or longer",
    ),
    "root": (lambda text: text.replace("<net ", "<web ").replace("</net>", "</web>"), "no OpenVINO graph"),
    "empty": (lambda _: '<net name="x"/>', "holds no layers"),
    "half": (lambda text: text[: len(text) // 2], "no readable XML"),
    "two roots": (lambda text: text + "<net/>", "no readable XML"),
    "extension": (lambda text: text.replace('"opset1"', '"extension"', 1), "layers of 'extension'"),
    "loop": (lambda text: text.replace('"Tanh"', '"Loop"'), "layer Loop; a graph of ours neither repeats"),
    "random": (lambda text: text.replace('"Tanh"', '"RandomUniform"'), "layer RandomUniform"),
    "state": (lambda text: text.replace('"Tanh"', '"ReadValue"'), "layer ReadValue"),
    "body": (lambda text: text.replace("</edges>", "</edges><body><layers/></body>"), "graphs within graphs"),
    "body in a layer": (lambda text: text.replace("</layer>", "<body/></layer>", 1), "graphs within graphs"),
    "offset": (lambda text: text.replace('offset="0"', 'offset="9999"'), "beyond the end"),
    "size": (lambda text: text.replace('size="324"', 'size="325"'), "has not the bytes"),
    "shape": (
        lambda text: text.replace('shape="3, 3, 3, 3"', 'shape="99999, 99999, 9"'),
        "has not the bytes",
    ),
    "no shape": (lambda text: text.replace('shape="3, 3, 3, 3"', 'shape="-3, 3"'), "impossible shape"),
    "texts": (
        lambda text: text.replace('element_type="f32" shape="3', 'element_type="string" shape="3'),
        "plain",
    ),
    "two data": (lambda text: text.replace("<output>", '<data size="1"/><output>', 1), "two kinds of data"),
    "twice": (
        lambda text: text.replace("</rt_info>", f'<{KEY} value="a"/></rt_info>'),
        "describes itself twice",
    ),
    "circle": (
        lambda text: text.replace(
            "</edges>", '<edge from-layer="3" from-port="1" to-layer="3" to-port="9"/></edges>'
        ),
        "go in circles",
    ),
    "edge": (
        lambda text: text.replace(
            "</edges>", '<edge from-layer="77" from-port="1" to-layer="3" to-port="9"/></edges>'
        ),
        "connections between layers that there are not",
    ),
    "numbers": (lambda text: text.replace('layer id="1"', 'layer id="0"'), "two layers of the same number"),
    "only constants": (
        lambda text: text.replace('from-layer="0"', 'from-layer="1"', 1),
        "Convolution only reads constants",
    ),
    "unconnected": (lambda text: re.sub(r"<edge [^>]*/>", "", text), "reads nothing"),
    "names": (lambda text: text.replace('names="image"', 'names="image,b"'), "no name of its own"),
    "type": (
        lambda text: text.replace('shape="?,3,?,?" element_type="f32"', 'shape="?" element_type="x"'),
        "a type",
    ),
}


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convolving(tmp_path_factory.mktemp("openvino") / "x.xml")


@pytest.mark.parametrize("name", XML)
def test_an_openvino_file_that_wants_more_is_refused(name: str, harmless: Path, tmp_path: Path):
    change, said = XML[name]
    path, text = tmp_path / "x.xml", harmless.read_text().removeprefix('<?xml version="1.0"?>')
    path.with_suffix(".bin").write_bytes(harmless.with_suffix(".bin").read_bytes())
    assert change(text) != text
    path.write_text(change(text))
    refused(path, said)


def test_an_openvino_file_of_other_bytes_is_refused(harmless: Path, tmp_path: Path):
    path, data = tmp_path / "x.xml", harmless.read_bytes()
    path.write_bytes(data)
    refused(path, r"weights are missing; expected x\.bin beside it")
    path.with_suffix(".bin").write_bytes(harmless.with_suffix(".bin").read_bytes()[:-1])
    refused(path, r"beyond the end of x\.bin")
    path.with_suffix(".bin").write_bytes(harmless.with_suffix(".bin").read_bytes())
    open_graph(path)
    for other in (
        data.decode().encode("utf-16"),
        data.replace(b'"1.0"', b'"1.0" encoding="utf-16"'),
        data + b"\0",
    ):
        path.write_bytes(other)
        refused(path, "not run, as it is no")
    with path.open("wb") as file:
        file.truncate(2**27)
    refused(path, "more than 67,108,864 bytes")


def with_biases_in_8_bits(shape: list[int]) -> onnx.ModelProto:
    """A graph as calibration writes it: a bias of few bits becomes numbers, of the shape of a map."""
    nodes = [
        node("DequantizeLinear", "few scale", "numbers", axis=0),
        node("Reshape", "numbers shape", "bias"),
        node("Add", "image bias", "output"),
    ]
    weights = {"few": np.array([1, 2, 3], np.int32), "scale": np.float32([0.1, 0.2, 0.3])}
    return graph(described(), nodes, weights | {"shape": np.array(shape)})


def test_constants_in_8_bits_are_harmless(tmp_path: Path):
    for shape in ([1, 3, 1, 1], [1, -1, 1, 1]):
        path = write(tmp_path / "x.xml", with_biases_in_8_bits(shape))
        assert 'type="Reshape"' in path.read_text()
        open_graph(path)
    weights = path.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes().replace(b"\xff" * 8, b"\7" * 8))
    refused(path, "Reshape asks for more than")


def test_absurd_sizes_in_an_openvino_file_are_refused(tmp_path: Path):
    sides = np.array([1, 3, 1, 1])
    path = write(
        tmp_path / "x.xml", graph(described(), [node("Expand", "image sides", "output")], {"sides": sides})
    )
    open_graph(path)
    data = path.with_suffix(".bin").read_bytes()
    assert sides.tobytes() in data
    absurd = np.array([1, 3, 2**20, 2**20]).tobytes()
    path.with_suffix(".bin").write_bytes(data.replace(sides.tobytes(), absurd))
    refused(path, "Broadcast asks for more than")


def test_looking_takes_no_memory_for_what_only_is_declared(tmp_path: Path):
    program = (
        "import resource, sys, pathlib\n"
        "from i2icli.errors import UserError\n"
        "from i2icli.graphs.graph_file import open_graph\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in map(pathlib.Path, sys.argv[1:]):\n"
        "    try: open_graph(path)\n"
        "    except UserError: pass\n"
        "    else: sys.exit('opened')\n"
        "sys.exit(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > 200_000)"
    )
    paths = [tmp_path / f"{number}.onnx" for number in range(3)]
    write(paths[0], initializer(dims=[2**40, 2**20]))
    write(paths[1], ONNX["many layers"][0]())
    paths[2].write_bytes(field(14, field(1, KEY.encode()) + field(2, b"[" * 2**27)))
    done = subprocess.run([sys.executable, "-c", program, *map(str, paths)], timeout=60)
    assert done.returncode == 0


def fuzzed(folder: Path, count: int, *options: str) -> str:
    halving(folder / "half.onnx")
    convolving(folder / "conv.onnx")
    convolving(folder / "open.xml")
    command = [sys.executable, "-m", "tests.graphs.fuzz", str(folder), str(count), "0", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_damaged_files_end_in_one_line(tmp_path: Path):
    assert "refused before" in fuzzed(tmp_path, 40)


@pytest.mark.slow
def test_thousands_of_damaged_files_end_in_one_line(tmp_path: Path):
    print(fuzzed(tmp_path, 5000))


@pytest.mark.slow
def test_tens_of_thousands_are_looked_into(tmp_path: Path):
    print(fuzzed(tmp_path, 20_000, "--only-look"))


def test_names_are_spelled_out(tmp_path: Path):
    sides = ("\x1b[31mred\n", *IMAGE[1:])
    model = graph(None, [node("Identity", "a\ab", "y")], inputs={"a\ab": sides}, outputs={"y": IMAGE})
    refused(write(tmp_path / "x.onnx", model), r"with inputs a\\x07b \(float32 \\x1b\[31mred\\n x 3")
