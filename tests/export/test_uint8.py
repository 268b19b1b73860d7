"""Graphs that read and give pixels, as files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from i2icli.export.exporting import Exporter
from i2icli.export.options import ExportOptions
from i2icli.export.uint8 import extended, to_values
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.sessions import open_session
from i2icli.image import kinds
from tests.export.models import lively


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


def test_borders_are_extended_as_inputs_are_padded():
    for kind, port in (
        ("image", lively("pix2pix").config.tasks(lively("pix2pix").clock.stage)[0].inputs["image"]),
        ("labels", lively("spade", num_levels=1).config.label_inputs()["labels"]),
    ):
        values = torch.arange(17 * 19).reshape(1, 1, 17, 19)
        padded = kinds.pad((values if kind == "labels" else values.float()).numpy(), port)
        assert np.array_equal(extended(values, port.multiple, port).numpy(), padded)
