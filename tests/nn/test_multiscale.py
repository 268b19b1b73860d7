"""Discriminators on several scales."""

import pytest
import torch
from torch import nn

from i2icli.nn.multiscale import MultiscaleDiscriminator, PatchFeatures, half_size, input_pyramid


def conv(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    return nn.Conv2d(in_channels, out_channels, 4, stride=stride, padding=2)


def test_pixels_outside_the_image_do_not_count() -> None:
    flat = torch.full((1, 2, 5, 6), 0.7)
    torch.testing.assert_close(half_size(flat), torch.full((1, 2, 3, 3), 0.7))


def test_a_pixel_of_the_next_scale_is_the_mean_of_nine() -> None:
    x = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(half_size(x)[0, 0, 1, 2], x[0, 0, 1:4, 3:6].mean())


def test_full_resolution_comes_first() -> None:
    assert [image.shape[2:] for image in input_pyramid(torch.rand(1, 3, 24, 17), 3)] == [
        (24, 17),
        (12, 9),
        (6, 5),
    ]


@pytest.mark.parametrize("num_layers", [2, 3, 4])
def test_every_layer_of_every_scale_is_shown(num_layers: int) -> None:
    D = MultiscaleDiscriminator([PatchFeatures(3, 4, num_layers, conv) for _ in range(2)])
    shown = D(torch.rand(2, 3, 40, 24))
    assert [len(maps) for maps in shown] == [num_layers + 1] * 2
    assert shown[0][0].shape == (2, 4, 21, 13)
    assert shown[1][0].shape == (2, 4, 11, 7)
    strided = num_layers - 2  # beside the first; then two layers that add a pixel each
    side = 21
    for _ in range(strided):
        side = side // 2 + 1
    assert shown[0][-1].shape[:3] == (2, 1, side + 2)


def test_channels_double_up_to_512() -> None:
    with torch.device("meta"):
        D = PatchFeatures(3, 200, 4, conv)
    assert [layer.out_channels for layer in D.layers] == [400, 512, 512]
