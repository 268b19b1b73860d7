"""What graphs say about themselves: written, read back, and refused in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from i2icli.errors import UserError
from i2icli.graphs.graph_file import open_graph, products_per_value, read_graph_metadata
from i2icli.graphs.metadata import KEY, MOST_CHARACTERS, GraphMetadata, PartFile, encode_part, parse_metadata
from tests.graphs.files import IMAGE, convolving, described, graph, halving, node, types, write
from tests.tiny import tiny_config

PATH, HALF = Path("x.onnx"), np.float32([0.5])


@pytest.mark.parametrize("suffix", [".onnx", ".xml"])
def test_metadata_travel_inside_the_file(suffix: str, tmp_path: Path):
    proven = {"difference": 1e-6, "words": 'Zürich <&> "quoted"'}
    metadata = described(proven=proven, facts={"counts": [1, 2]}, notes=("of two\nlines",))
    path = halving(tmp_path / f"x{suffix}", metadata)
    found = read_graph_metadata(path)
    assert found == metadata
    assert found.settings(path) == tiny_config("cyclegan")


def test_sizes_are_those_of_all_files(tmp_path: Path):
    for suffix, count in ((".onnx", 1), (".xml", 2)):
        found = open_graph(convolving(tmp_path / f"x{suffix}"))
        assert len(found.files) == count
        assert found.size == sum(each.stat().st_size for each in found.files)
        assert found.products == 27


def test_the_median_convolution_decides_what_low_precision_gains():
    assert products_per_value([(64, 3, 7, 7), (64, 64, 3, 3), (64, 64, 3, 3), (64,)]) == 576
    biases = [(1, 64, 1, 1)] * 4  # as OpenVINO keeps them
    assert products_per_value([(64, 3, 7, 7), (64, 64, 3, 3), (64, 64, 3, 3), *biases]) == 576
    assert products_per_value([]) == 0


def test_a_graph_of_another_tool_is_told_by_its_inputs(tmp_path: Path):
    model = graph(None, [node("Identity", "x", "y")], inputs={"x": IMAGE}, outputs={"y": IMAGE})
    for suffix in (".onnx", ".xml"):
        sides = "batch x 3 x height x width" if suffix == ".onnx" else r"\? x 3 x \? x \?"
        with pytest.raises(UserError) as caught:
            open_graph(write(tmp_path / f"x{suffix}", model))
        caught.match(
            rf"x{suffix}: a graph of another tool, with inputs x \(float32 {sides}\); expected a file"
        )
        assert "\n" not in str(caught.value)


def changed(**changes: object) -> str:
    return json.dumps(json.loads(described().to_text()) | changes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"a graph of another tool; expected a file written by i2i export"),
        ("", r"its description of itself is damaged \(no JSON\)"),
        ("[" * 100_000, r"damaged \(no JSON\)"),
        ("null", r"damaged \(no JSON\)"),
        (" " * (MOST_CHARACTERS + 1), r"damaged: 4,194,305 characters, expected at most 4,194,304"),
        (
            changed(format=2, tasks="later"),
            r"format 2 of graphs was written by i2icli 0\.1\.0; upgrade i2icli",
        ),
        (changed(tasks=[]), r"damaged \(tasks: "),
        (changed(tasks=[{"name": "x"}] * 20_001), r"damaged \(tasks: "),
        (changed(tasks=[{"name": "x" * 501}]), r"damaged \(tasks\.0\.name: "),
        (changed(part="forward; rm"), r"damaged \(part: "),
        (
            changed(parts={"first": {"file": "../x.onnx", "sha256": "0" * 64}}),
            r"damaged \(parts\.first\.file: ",
        ),
        (
            changed(parts={"first": {"file": "C:x.onnx", "sha256": "0" * 64}}),
            r"damaged \(parts\.first\.file: ",
        ),
        (changed(parts={"first": {"file": "x.onnx", "sha256": "0"}}), r"damaged \(parts\.first\.sha256: "),
        (changed(inputs={"x": {"dtype": "string", "shape": []}}), r"damaged \(inputs\.x\.dtype: "),
        (changed(inputs={"x": {"dtype": "float32", "shape": [0]}}), r"damaged \(inputs\.x\.shape\.0"),
        (changed(inputs={"x": {"dtype": "float32", "shape": [1] * 9}}), r"damaged \(inputs\.x\.shape: "),
        (changed(outputs={}), r"damaged \(.*no output among its outputs"),
        (changed(config=3), r"damaged \(config: "),
        (changed(fingerprint="x\n\x1b[31m"), r"damaged \(fingerprint: "),
    ],
)
def test_damaged_metadata_are_refused_in_one_line(text: str | None, said: str):
    with pytest.raises(UserError, match=said) as caught:
        parse_metadata(text, PATH)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_settings_that_no_system_has_are_refused():
    metadata = parse_metadata(changed(system="no_such"), PATH)
    with pytest.raises(UserError, match="no_such"):
        metadata.settings(PATH)
    metadata = parse_metadata(changed(config={"widht": 3}), PATH)
    with pytest.raises(UserError, match=r"x\.onnx: setting widht"):
        metadata.settings(PATH)


@pytest.mark.parametrize("suffix", [".onnx", ".xml"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inputs": {"photo": IMAGE}}, r"its inputs are image, but its description says photo; damaged"),
        ({"inputs": {"image": ("batch", 4, "height", "width")}}, r"its input image is float32 .* x 3 x"),
        ({"inputs": {"image": (1, 3, "height", "width")}}, r"its input image is .*says float32 1 x 3"),
        ({"inputs": {"image": ("batch", 3)}}, r"its input image is .* says float32 batch x 3; damaged"),
        ({"outputs": {"output": IMAGE, "next.x": IMAGE}}, r"its outputs are output, but its description"),
        ({"outputs": {"output": ("batch", 1, "height", "width")}}, r"its output output is "),
    ],
)
def test_what_the_file_holds_must_be_as_described(changes: dict, said: str, suffix: str, tmp_path: Path):
    metadata = described().model_copy(update={key: types(value) for key, value in changes.items()})
    nodes = [node("Mul", "image half", "output")]
    model = graph(metadata, nodes, {"half": HALF}, inputs={"image": IMAGE}, outputs={"output": IMAGE})
    with pytest.raises(UserError, match=said):
        open_graph(write(tmp_path / f"x{suffix}", model))


def test_metadata_hold_numbers_only_where_they_are_finite():
    with pytest.raises(ValueError, match="JSON"):
        described(proven={"psnr": float("inf")}).to_text()
    with pytest.raises(ValidationError):
        PartFile(file="a/b.onnx", sha256="0" * 64)
    assert json.loads(described().to_text())["inputs"]["image"]["shape"] == list(IMAGE)
    assert KEY == "i2icli-graph"


def test_parts_that_encode_are_named_by_what_they_read():
    assert encode_part(["reference"]) == "encode-reference"
    assert encode_part({"truncate": 1, "mean_codes": 2, "code": 3}) == "encode-code-mean_codes-truncate"
    assert GraphMetadata.model_validate(described().model_dump() | {"part": "encode-code-mean_codes"})
