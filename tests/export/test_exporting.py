"""Files as they are written: what stands in them, what takes their places, what a failure leaves."""

import errno
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from i2icli.errors import UserError
from i2icli.export import exporting
from i2icli.export.exporting import Exporter
from i2icli.export.files import beside
from i2icli.export.half import store_half
from i2icli.export.onnx_file import _name_sides, to_onnx
from i2icli.export.options import ExportOptions
from i2icli.export.parts import parts_of
from i2icli.export.trace import trace
from i2icli.export.uint8 import with_pixels
from i2icli.graphs.backend import load_graph
from i2icli.graphs.graph_file import open_graph
from tests.export.models import lively


def generator():
    """A small system that is quickly traced: it makes images of codes."""
    return lively("spectral_dcgan")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the graph of one, and what was reported while it was made."""
    folder, told = tmp_path_factory.mktemp("written"), []
    exporter = Exporter(generator(), ExportOptions(), ("a note",), told.append)
    tasks = exporter.system.config.tasks(exporter.system.clock.stage)
    return exporter.export(tasks, folder / "dcgan.onnx"), told


def test_a_graph_describes_itself(written):
    exported, told = written
    found = open_graph(exported.path).metadata
    config = generator().config
    assert (found.system, found.precision, found.pixels, found.part) == (
        "spectral_dcgan",
        "fp32",
        "float",
        "forward",
    )
    assert found.settings(exported.path) == config
    assert found.notes == ("a note",)
    assert found.inputs["latent"].shape == ("batch", config.num_latents)
    assert found.outputs["output"].shape == ("batch", 3, 32, 32)
    assert found.proven["difference"] < 1e-4
    assert found.proven["spread"] > 0.01
    assert [line.split(":")[0] for line in told if not line.endswith("...")] == [
        f"{step} forward" for step in ("tracing", "writing", "proving")
    ]
    assert exported.files == (exported.path,)
    assert exported.bytes == exported.path.stat().st_size


def test_nothing_of_this_machine_stands_in_it(written):
    data = written[0].path.read_bytes()
    for word in (str(Path.cwd()), str(Path.home()), "site-packages", ".py", str(written[0].path.parent)):
        assert word.encode() not in data
    model = onnx.load(written[0].path)
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)


def test_it_computes_what_the_system_computes(written):
    system, backend = generator(), load_graph(written[0].path, "onnxruntime")
    codes = np.random.default_rng(0).standard_normal((4, 8), np.float32)
    output, memory = backend.forward(backend.tasks[0], {"latent": codes}, None)
    wanted, _ = system(backend.tasks[0], {"latent": torch.from_numpy(codes)})
    torch.testing.assert_close(torch.from_numpy(output), wanted, atol=1e-4, rtol=0)
    assert memory == {}


def test_equal_models_give_equal_files(written):
    system = generator()
    part = parts_of(system, system.config.tasks(system.clock.stage))[-1]
    first = to_onnx(trace(part, system)).SerializeToString(deterministic=True)
    model = onnx.load(written[0].path)
    del model.metadata_props[:]
    assert model.SerializeToString(deterministic=True) == first


def test_what_is_there_is_kept_unless_asked(written):
    exporter = Exporter(generator(), ExportOptions())
    tasks = exporter.system.config.tasks(exporter.system.clock.stage)
    before = written[0].path.read_bytes()
    with pytest.raises(UserError, match=r"dcgan\.onnx: there already; .*--overwrite"):
        exporter.export(tasks, written[0].path)
    assert written[0].path.read_bytes() == before


def test_a_graph_that_fails_its_proof_is_set_aside(tmp_path, monkeypatch):
    def damaged(traced, opset):
        model = to_onnx(traced, opset)
        weight = next(each for each in model.graph.initializer if len(each.dims) == 4)
        values = onnx.numpy_helper.to_array(weight) * np.float32(1.01)
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
        return model

    monkeypatch.setattr(exporting, "to_onnx", damaged)
    exporter = Exporter(generator(), ExportOptions())
    tasks = exporter.system.config.tasks(exporter.system.clock.stage)
    with pytest.raises(UserError, match=r"proof failed.*kept as .*dcgan\.onnx\.unproven") as failed:
        exporter.export(tasks, tmp_path / "dcgan.onnx")
    assert failed.value.exit_code == 1
    assert [each.name for each in tmp_path.iterdir()] == ["dcgan.onnx.unproven"]


def fail(path, error):
    """Half a file is written, and then something happens."""
    path.write_bytes(b"half")
    raise error


def test_an_error_of_the_system_names_the_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "new" / "folder" / "a.onnx"
    error = OSError(errno.EFBIG, "File too large", "a.onnx")
    with pytest.raises(OSError, match="File too large") as failed, beside(path) as folder:
        fail(folder / "a.onnx", error)
    assert failed.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_stopping_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), beside(tmp_path / "a.onnx") as folder:
        fail(folder / "a.onnx", KeyboardInterrupt())
    assert list(tmp_path.iterdir()) == []


def test_a_side_that_was_to_be_free_and_is_fixed_is_an_error():
    system = lively("pix2pix", depth=2)
    part = parts_of(system, system.config.tasks(system.clock.stage))[-1]
    value = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["n", 3, 24, "w"])
    with pytest.raises(UserError, match=r"axis 2 of image \(height\) was written as 24"):
        _name_sides(value, part.inputs["image"])


def test_weights_in_half_precision_take_half_the_space(written):
    model = onnx.load(written[0].path)
    sizes = {each.name: (each.data_type, len(each.raw_data)) for each in model.graph.initializer}
    store_half(model)
    onnx.checker.check_model(model)
    stored = {each.name: len(each.raw_data) for each in model.graph.initializer}
    halved = [name for name in stored if name.endswith(".half")]
    assert halved
    for name in halved:
        assert 2 * stored[name] == sizes[name.removesuffix(".half")][1]
    casts = [node.output[0] for node in model.graph.node if node.op_type == "Cast"]
    assert set(casts) >= {name.removesuffix(".half") for name in halved}


def test_what_half_precision_cannot_hold_stays():
    large = onnx.numpy_helper.from_array(np.full((300,), 1e5, np.float32), "w")
    node = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    kind = onnx.TensorProto.FLOAT
    values = [onnx.helper.make_tensor_value_info(name, kind, [300]) for name in "xy"]
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", values[:1], values[1:], [large]))
    store_half(model)
    assert [each.name for each in model.graph.initializer] == ["w"]


def test_a_task_that_cannot_be_a_graph_says_why():
    system = lively("paired_cyclegan", regions=("eyes", "lips"))
    with pytest.raises(UserError, match=r"PairedCycleGAN cannot be exported \(--target styled\): .*regions"):
        parts_of(system, system.config.tasks(system.clock.stage)[:1])


class Odd(torch.nn.Module):
    """A layer that ONNX has no operator for."""

    def forward(self, x):
        return torch.special.airy_ai(x)


def test_an_operator_that_onnx_has_not_is_named_with_its_layer():
    system = generator()
    network = system.G.net
    network.append(Odd())
    part = parts_of(system, system.config.tasks(system.clock.stage))[-1]
    with pytest.raises(
        UserError, match=rf"no operator for aten.special_airy_ai \(in layer G.net.{len(network) - 1}\)"
    ):
        to_onnx(trace(part, system))


def test_pixels_are_only_for_images_of_all_their_values():
    system = lively("pix2pix", depth=2, types=("uint16",), range="100,3000")
    part = parts_of(system, system.config.tasks(system.clock.stage))[-1]
    with pytest.raises(UserError, match=r"--uint8 scales 0 to 255, but .* 100 to 3000; leave it out"):
        with_pixels(part, system)
