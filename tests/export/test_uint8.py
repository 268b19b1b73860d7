"""What graphs of pixels do around the networks is what the toolkit does."""

import numpy as np
import pytest
import torch

from i2icli.export.uint8 import cropped, extended, pads_inside, to_pixels, to_values
from i2icli.image import kinds
from i2icli.task import Port
from tests.tiny import tiny_config


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
