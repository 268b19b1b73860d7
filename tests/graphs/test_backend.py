"""Exported models as what computes: tasks, parts, rows, pixels."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.graphs.backend import load_graph
from i2icli.graphs.metadata import GraphTask, TensorType
from i2icli.image import to_pixels
from tests.graphs.files import IMAGE, described, graph, halving, node, part, types, write
from tests.tiny import tiny_config

RUNS = [("onnxruntime", ".onnx"), ("openvino", ".onnx"), ("openvino", ".xml")]
U8 = TensorType(dtype="uint8", shape=IMAGE)


def image(rows: int = 1, height: int = 8, width: int = 12, channels: int = 3) -> np.ndarray:
    random = np.random.default_rng(rows)
    return random.uniform(-1, 1, (rows, channels, height, width)).astype(np.float32)


@pytest.mark.parametrize(("runtime", "suffix"), RUNS)
def test_a_graph_computes_with_every_runtime(runtime: str, suffix: str, tmp_path: Path):
    backend = load_graph(halving(tmp_path / f"half{suffix}"), runtime)
    assert (backend.name, backend.runtime, backend.rows) == ("CycleGAN", runtime, 1)
    for rows, height, width in ((1, 8, 12), (3, 20, 8)):
        given = image(rows, height, width)
        output, memory = backend.forward(backend.tasks[0], {"image": given}, None)
        assert memory == {}
        assert output.dtype == np.float32
        np.testing.assert_allclose(output, given / 2, atol=1e-6)


@pytest.mark.parametrize(("runtime", "suffix"), RUNS)
def test_a_graph_of_pixels_gets_and_gives_values(runtime: str, suffix: str, tmp_path: Path):
    metadata = described(inputs={"image": U8}, outputs={"output": U8}, pixels="uint8")
    path = write(tmp_path / f"same{suffix}", graph(metadata, [node("Identity", "image", "output")]))
    backend = load_graph(path, runtime)
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16).repeat(3, 1)
    values = pixels.astype(np.float32) / np.float32(127.5) - 1
    output, _ = backend.forward(backend.tasks[0], {"image": values}, None)
    assert output.dtype == np.float32
    np.testing.assert_array_equal(to_pixels(output[0], np.dtype(np.uint8)), pixels[0].transpose(1, 2, 0))


def test_only_the_tasks_of_the_file_are_offered(tmp_path: Path):
    backend = load_graph(halving(tmp_path / "B.onnx", described(tasks=[GraphTask(name="B")])))
    assert [task.name for task in backend.tasks] == ["B"]
    assert backend.notes == ("this export leaves out: A",)
    config = tiny_config("cyclegan")
    other = next(task for task in config.tasks(config.stages()[0]) if task.name == "A")
    with pytest.raises(UserError, match=r"B\.onnx cannot translate to A; another file of this model does"):
        backend.forward(other, {"image": image()}, None)


def test_a_folder_offers_the_tasks_of_all_its_files(tmp_path: Path):
    halving(tmp_path / "B.onnx", described(tasks=[GraphTask(name="B")]))
    metadata = described(tasks=[GraphTask(name="A")])
    write(tmp_path / "A.onnx", graph(metadata, [node("Neg", "image", "output")]))
    backend = load_graph(tmp_path)
    assert [task.name for task in backend.tasks] == ["B", "A"]
    assert backend.notes == ()
    outputs = {task.name: backend.forward(task, {"image": image()}, None)[0] for task in backend.tasks}
    np.testing.assert_allclose(outputs["A"], -2 * outputs["B"], atol=1e-6)
    write(tmp_path / "C.onnx", graph(described(fingerprint="1" * 64), [node("Neg", "image", "output")]))
    with pytest.raises(UserError, match=r"holds graphs of several models \(A\.onnx, C\.onnx\); name one"):
        load_graph(tmp_path)


def test_a_folder_of_two_formats_is_read_in_one(tmp_path: Path):
    halving(tmp_path / "B.onnx")
    halving(tmp_path / "B.xml")
    assert load_graph(tmp_path, "openvino")._main(load_graph(tmp_path).tasks[0]).path.suffix == ".xml"
    assert load_graph(tmp_path, "onnxruntime")._main(load_graph(tmp_path).tasks[0]).path.suffix == ".onnx"


def test_sources_are_those_of_the_files(tmp_path: Path):
    for source in ("summer", "night"):
        halving(
            tmp_path / f"{source}.onnx",
            described("combogan", tasks=[GraphTask(name="winter", source=source)]),
        )
    [task] = load_graph(tmp_path).tasks
    assert (task.name, set(task.sources), task.requires) == ("winter", {"summer", "night"}, {"source"})
    backend = load_graph(tmp_path / "summer.onnx")
    [task] = backend.tasks
    assert (task.sources, task.requires) == (("summer",), frozenset())
    backend.forward(task, {"image": image()}, None)
    spring = backend.config.resolve(backend.tasks, "winter", "autumn")
    with pytest.raises(UserError, match=r"summer\.onnx cannot translate to winter from autumn"):
        backend.forward(spring, {"image": image()}, None)


def test_a_single_image_meets_many_labels(tmp_path: Path):
    metadata = described("stargan", inputs={"image": IMAGE, "label": ("batch", 4)})
    shape = np.array([0, 4, 1, 1], np.int64)
    nodes = [
        node("Reshape", "label shape", "wide"),
        node("ReduceMean", "wide axes", "mean", keepdims=1),
        node("Add", "image mean", "output"),
    ]
    path = write(tmp_path / "star.onnx", graph(metadata, nodes, {"shape": shape, "axes": np.array([1])}))
    backend = load_graph(path)
    labels = np.array([[4, 0, 0, 0], [0, 8, 0, 0], [0, 0, 0, 0]], np.float32)
    output, _ = backend.forward(backend.tasks[0], {"image": image(), "label": labels}, None)
    np.testing.assert_allclose(output, image() + np.float32([1, 2, 0])[:, None, None, None], atol=1e-6)
    with pytest.raises(
        UserError, match=r"star\.onnx: batch is 2 in image, but 3 in label; expected the same"
    ):
        backend.forward(backend.tasks[0], {"image": image(2), "label": labels}, None)


def test_a_graph_of_fixed_rows_is_run_as_often_as_it_takes(tmp_path: Path):
    sides = (2, 3, 8, 12)
    metadata = described(inputs={"image": sides}, outputs={"output": sides})
    backend = load_graph(halving(tmp_path / "two.onnx", metadata))
    assert backend.rows == 2
    for rows in (1, 2, 3, 5):
        output, _ = backend.forward(backend.tasks[0], {"image": image(rows)}, None)
        np.testing.assert_allclose(output, image(rows) / 2, atol=1e-6)
    with pytest.raises(UserError, match=r"image is float32 2 x 3 x 16 x 12; expected float32 2 x 3 x 8 x 12"):
        backend.forward(backend.tasks[0], {"image": image(2, 16)}, None)


def test_a_number_for_all_rows_goes_to_a_graph_of_fixed_rows(tmp_path: Path):
    sides = (2, 3, 8, 12)
    metadata = described("progan", inputs={"image": sides, "truncate": ()}, outputs={"output": sides})
    path = write(tmp_path / "two.onnx", graph(metadata, [node("Mul", "image truncate", "output")]))
    backend = load_graph(path)
    given = {"image": image(3), "truncate": np.array(0.5, np.float32)}
    found = backend._run(backend._main(backend.tasks[0]), given)
    np.testing.assert_allclose(found["output"], image(3) / 2, atol=1e-6)


def styled(folder: Path, *, with_part: bool = True) -> Path:
    """SPADE with a style: the image is the labels plus a code, which is the mean of a reference."""
    ids = TensorType(dtype="int64", shape=("batch", 1, "height", "width"))
    read = {"labels": ids, "instances": ids, "latent": ("batch", 3)}
    main = described("spade", inputs=read, config={"vae": True, "num_latents": 3, "crop_size": (32, 32)})
    reference = {"reference": ("rows", 3, "h", "w")}
    encode = main.model_copy(
        update={
            "part": "encode-reference",
            "inputs": types(reference),
            "outputs": types({"latent": ("rows", 3)}),
        }
    )
    path, axes = folder / "spade.onnx", np.array([2, 3], np.int64)
    beside = folder / "spade.encode-reference.onnx"
    write(beside, graph(encode, [node("ReduceMean", "reference axes", "latent", keepdims=0)], {"axes": axes}))
    if with_part:
        main = main.model_copy(update={"parts": {"encode-reference": part(beside, path)}})
    nodes = [
        node("Add", "labels instances", "sum"),
        node("Cast", "sum", "plane", to=1),
        node("Unsqueeze", "latent axes", "code"),
        node("Add", "plane code", "output"),
    ]
    return write(path, graph(main, nodes, {"axes": axes}))


def test_a_part_encodes_conditions(tmp_path: Path):
    backend = load_graph(styled(tmp_path))
    task, latent = backend.tasks[0], np.float32([[1, 2, 3]])
    assert backend.encode(task, {"latent": latent}, {})["latent"] is latent
    code = backend.encode(task, {"reference": image(1, 40, 30)}, {})
    assert code.keys() == {"latent"}
    np.testing.assert_allclose(code["latent"], image(1, 40, 30).mean((2, 3)), atol=1e-6)
    maps = np.full((1, 1, 32, 32), 2)
    output, _ = backend.forward(task, {"labels": maps, "instances": maps, **code}, None)
    np.testing.assert_allclose(output[0, :, 0, 0], 4 + code["latent"][0], atol=1e-6)


def test_a_part_that_is_missing_or_another_one_is_named(tmp_path: Path):
    path = styled(tmp_path)
    beside = tmp_path / "spade.encode-reference.onnx"
    kept = beside.read_bytes()

    def encode() -> None:
        backend = load_graph(path)
        backend.encode(backend.tasks[0], {"reference": image()}, {})

    beside.unlink()
    with pytest.raises(UserError, match=r"spade\.encode-reference\.onnx: missing; spade\.onnx needs it"):
        encode()
    beside.write_bytes(kept + b"\x32\x01a")  # a doc string
    with pytest.raises(
        UserError, match=r"not the file that was exported with spade\.onnx; export the model again"
    ):
        encode()
    beside.write_bytes(kept)
    with pytest.raises(UserError, match=r"only a part of a model \(encode-reference\); name the main file"):
        load_graph(beside)
    styled(tmp_path, with_part=False)
    with pytest.raises(
        UserError, match=r"spade\.onnx: lacks its part encode-reference; export the model again"
    ):
        encode()


def recurrent(folder: Path) -> Path:
    """vid2vid, whose output is the sum of all frames so far."""
    plane = ("batch", 1, "height", "width")
    before, after = (
        {f"{start}{name}": plane for name in ("maps", "frames")} for start in ("memory.", "next.")
    )
    main = described("vid2vid", {"source": plane, **before}, {"output": IMAGE, **after})
    path, weights = folder / "vid.onnx", {"three": np.array([1, 3, 1, 1]), "axis": np.array([1])}
    maps, output = node("Identity", "source", "next.maps"), node("Expand", "next.frames three", "output")
    bodies = {
        "first": [maps, node("Identity", "source", "next.frames"), output],
        "begin": [maps, node("ReduceMax", "output axis", "next.frames", keepdims=1)],
    }
    inputs = {"first": {"source": plane}, "begin": {"source": plane, "output": IMAGE}}
    outputs = {"first": {"output": IMAGE, **after}, "begin": after}
    parts = {}
    for name, body in bodies.items():
        update = {"part": name, "inputs": types(inputs[name]), "outputs": types(outputs[name])}
        beside = write(folder / f"vid.{name}.onnx", graph(main.model_copy(update=update), body, weights))
        parts[name] = part(beside, path)
    nodes = [maps, node("Add", "source memory.frames", "next.frames"), output]
    return write(path, graph(main.model_copy(update={"parts": parts}), nodes, weights))


def test_a_memory_goes_from_frame_to_frame(tmp_path: Path):
    backend = load_graph(recurrent(tmp_path))
    [task] = backend.tasks
    frame = {"source": image(channels=1)}
    output, memory = backend.forward(task, frame, None)
    assert memory.keys() == {"maps", "frames"}
    np.testing.assert_allclose(output[:, :1], frame["source"])
    output, memory = backend.forward(task, frame, memory)
    np.testing.assert_allclose(output[:, :1], 2 * frame["source"], atol=1e-6)
    given = image()
    memory = backend.begin(task, frame, given)
    output, _ = backend.forward(task, frame, memory)
    np.testing.assert_allclose(output[:, 0], frame["source"][:, 0] + given.max(1), atol=1e-6)


def test_ids_that_a_graph_cannot_hold_are_refused(tmp_path: Path):
    ids = TensorType(dtype="uint8", shape=("batch", 1, "height", "width"))
    metadata = described("spade", inputs={"labels": ids, "instances": ids})
    nodes = [node("Cast", "labels", "plane", to=1), node("Expand", "plane three", "output")]
    path = write(tmp_path / "ids.onnx", graph(metadata, nodes, {"three": np.array([1, 3, 1, 1])}))
    backend = load_graph(path)
    maps = {"labels": np.full((1, 1, 8, 8), 7), "instances": np.full((1, 1, 8, 8), 300)}
    with pytest.raises(UserError, match=r"instances holds ids up to 300; this graph reads uint8"):
        backend.forward(backend.tasks[0], maps, None)
    output, _ = backend.forward(backend.tasks[0], maps | {"instances": maps["labels"]}, None)
    assert (output == 7).all()


def test_what_a_request_does_not_give_is_named(tmp_path: Path):
    metadata = described(inputs={"image": IMAGE, "noise_1": IMAGE})
    path = write(tmp_path / "noise.onnx", graph(metadata, [node("Add", "image noise_1", "output")]))
    backend = load_graph(path)
    with pytest.raises(UserError, match=r"noise\.onnx: it reads noise_1, which this request does not give"):
        backend.forward(backend.tasks[0], {"image": image()}, None)


def test_an_output_that_is_no_image_is_refused(tmp_path: Path):
    metadata = described(outputs={"output": ("batch", 1, "height", "width")})
    nodes = [node("ReduceMean", "image axis", "output", keepdims=1)]
    backend = load_graph(write(tmp_path / "grey.onnx", graph(metadata, nodes, {"axis": np.array([1])})))
    with pytest.raises(UserError, match=r"gives 1 x 1 x 8 x 12 numbers; expected images of 3 channels"):
        backend.forward(backend.tasks[0], {"image": image()}, None)


def test_a_traced_file_is_refused_with_its_reason(tmp_path: Path):
    (tmp_path / "model.pt2").write_bytes(b"PK")
    with pytest.raises(
        UserError, match=r"\.pt2 is not taken as a model, as torch executes .* to \.safetensors"
    ):
        load_graph(tmp_path / "model.pt2")


def test_running_a_graph_imports_no_torch(tmp_path: Path):
    path = halving(tmp_path / "half.onnx")
    halving(tmp_path / "half.xml")
    for runtime, suffix in (RUNS[0], RUNS[-1]):
        program = (
            "import sys, numpy, pathlib\n"
            "import i2icli.graphs.cache\n"
            "from i2icli.graphs.backend import load_graph\n"
            f"backend = load_graph(pathlib.Path({str(path.with_suffix(suffix))!r}), {runtime!r})\n"
            "image = numpy.zeros((1, 3, 8, 8), numpy.float32)\n"
            "backend.forward(backend.tasks[0], {'image': image}, None)\n"
            "sys.exit(', '.join({'torch', 'torchvision', 'onnx'} & sys.modules.keys()))"
        )
        done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.stderr.strip() == ""
