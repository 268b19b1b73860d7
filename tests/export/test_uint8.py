"""Graphs that read and give pixels: what they do around the networks is what the toolkit does."""

from pathlib import Path

import numpy as np
import pytest
import torch

from i2icli.export.exporting import Exporter
from i2icli.export.options import ExportOptions
from i2icli.export.uint8 import cropped, extended, pads_inside, to_pixels, to_values
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.sessions import open_session
from i2icli.image import kinds
from i2icli.task import Port
from tests.export.models import lively
from tests.tiny import tiny_config


@pytest.mark.slow
def test_pixels_of_any_size_go_in_and_come_out(tmp_path: Path):
    system = lively("cyclegan")
    task = system.config.tasks(system.clock.stage)[0]
    exported = Exporter(system, ExportOptions(uint8=True)).export([task], tmp_path / "a.onnx")
    assert exported.proof.excess <= 1
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 29, 18), dtype=np.uint8)
    found = open_session(open_graph(exported.path), "onnxruntime").run({"image": pixels})["output"]
    padded = extended(to_values(torch.from_numpy(pixels), torch.float32), 4, task.inputs["image"])
    wanted, _ = system(task, {"image": padded}, None)
    assert found.dtype == np.uint8
    assert np.abs(found - (wanted[..., :29, :18].numpy() + 1) * 127.5).max() < 1


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (16, 33), (255, 16)])
@pytest.mark.parametrize("kind", ["image", "labels"])
def test_padding_inside_is_the_padding_outside(size, kind):
    values = torch.rand(2, 1, *size) if kind == "image" else torch.randint(9, (2, 1, *size))
    port = Port(1, kind, multiple=64, minimum=1)
    padded = extended(values, 64, port)
    np.testing.assert_array_equal(padded.numpy(), kinds.pad(values.numpy(), port))
    assert torch.equal(cropped(padded, size), values)


def test_every_pixel_comes_back():
    pixels = torch.arange(256, dtype=torch.uint8)
    values = to_values(pixels, torch.float32)
    assert (values.min(), values.max()) == (-1, 1)
    assert torch.equal(to_pixels(values), pixels)
    assert torch.equal(
        to_pixels(torch.tensor([-3.0, 0.0, 3.0])), torch.tensor([0, 128, 255], dtype=torch.uint8)
    )


@pytest.mark.parametrize(
    ("name", "pads"),
    [("cyclegan", True), ("lapgan", False), ("vid2vid", False), ("progan", False), ("pix2pixhd", False)],
)
def test_graphs_pad_where_nothing_else_follows_the_sides(name, pads):
    config = tiny_config(name)
    assert pads_inside(config.tasks(config.stages()[-1])[0]) is pads
