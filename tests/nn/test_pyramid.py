"""The Laplacian pyramid decomposes and reconstructs images of any size."""

import pytest
import torch

from i2icli.nn.pyramid import Interpolation, downsample, pyramid, resample, upsample


@pytest.mark.parametrize("interpolation", ["corners", "centres"])
@pytest.mark.parametrize(
    "sizes", [[(8, 8), (16, 16), (32, 32)], [(8, 8), (14, 14), (28, 28)], [(5, 7), (9, 20)]]
)
def test_levels_reconstruct_the_image(interpolation: Interpolation, sizes: list[tuple[int, int]]) -> None:
    images = torch.randn(2, 3, *sizes[-1])
    small, levels = pyramid(images, sizes, interpolation)
    assert small.shape == (2, 3, *sizes[0])
    assert [level.image.shape[2:] for level in levels] == sizes[1:]
    again = small
    for level in levels:
        again = upsample(again, (level.image.shape[2], level.image.shape[3]), interpolation) + level.residual
    torch.testing.assert_close(again, images)


def test_uniform_images_stay_uniform() -> None:
    flat = torch.full((1, 1, 30, 20), 0.3)
    for size in ((15, 10), (7, 9), (45, 33), (30, 20), (60, 7)):
        torch.testing.assert_close(resample(flat, size), torch.full((1, 1, *size), 0.3))


def test_downsampling_preserves_the_mean() -> None:
    images = torch.rand(2, 3, 28, 21)
    for size in ((14, 7), (9, 5), (28, 20)):
        torch.testing.assert_close(downsample(images, size).mean((2, 3)), images.mean((2, 3)))


def test_halving_averages_2x2_pixels() -> None:
    image = torch.arange(16.0).view(1, 1, 4, 4)
    assert downsample(image, (2, 2)).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]


def test_upsampling_aligns_corners_or_borders() -> None:
    ramp = torch.tensor([[[[0.0, 3.0]]]])
    assert upsample(ramp, (1, 4), "corners").flatten().tolist() == [0, 1, 2, 3]
    assert upsample(ramp, (1, 4), "centres").flatten().tolist() == [0, 0.75, 2.25, 3]
