"""Conditions that a model computes from its input: at the size of the networks, as in training."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from i2icli.conditions import Condition
from i2icli.extractors.edges import canny
from i2icli.image import ArrayItem, resize
from i2icli.image.kinds import to_array
from i2icli.inference.inference import Inference
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.resizing import Resizing
from i2icli.runtime.device import Placement
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.task import Port, Task
from i2icli.training.run import build_system
from tests.example import PainterConfig
from tests.flow.scenes import texture

EDGES = Condition("edges", 0.8, 20, 60)


@pytest.fixture
def inference(monkeypatch: pytest.MonkeyPatch) -> Inference:
    from i2icli import registry

    entry = registry.Entry("tests.example:LabelPainter", "tests.example:PainterConfig", "", "", "")
    monkeypatch.setitem(registry.SYSTEMS, "example", entry)
    system = build_system("example", PainterConfig())
    return Inference(TorchBackend(system, Placement(torch.device("cpu"))), Path("model"))


def spec(size: tuple[int, int] | None) -> OutputSpec:
    task = Task(None, {"source": Port(1, "condition", EDGES, multiple=8)}, Port())
    return OutputSpec(task, resizing=Resizing(size))


@pytest.mark.parametrize("size", [None, (32, 40)])
def test_the_planes_are_those_of_the_resized_image(inference: Inference, size: tuple[int, int] | None):
    image = texture(48, 64)
    (planes,) = inference.read({"source": ArrayItem(image)}, spec(size)).values()
    expected = to_array(canny(resize(image, size or (48, 64)), 0.8, 20, 60), "condition")
    assert np.array_equal(planes[0], expected)
    assert set(np.unique(planes).tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize("image", [texture(45, 61)[..., :1], texture(45, 61).astype(np.uint16) * 257])
def test_grey_and_16_bit_images_have_edges_too_and_sides_are_padded(inference: Inference, image: np.ndarray):
    (planes,) = inference.read({"source": ArrayItem(image)}, spec(None)).values()
    assert planes.shape == (1, 1, 48, 64)
    assert (planes == 1).any()


def test_an_extractor_is_made_once(inference: Inference, monkeypatch: pytest.MonkeyPatch):
    made: list[Condition] = []

    def extractor(condition: Condition, *, device: str):
        assert device == "cpu"
        made.append(condition)
        time.sleep(0.1)  # it may read a network
        return lambda image: image[..., :1]

    monkeypatch.setattr("i2icli.inference.inference.extractor", extractor)
    with ThreadPoolExecutor(3) as pool:  # as the frames of a video are read
        list(pool.map(lambda _: inference.read({"source": ArrayItem(texture(32, 32))}, spec(None)), range(3)))
    assert made == [EDGES]
