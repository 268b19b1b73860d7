"""A checkerboard is measured at its period, and only there."""

import pytest
import torch

from i2icli.nn.checkerboard import PERIODS, checkerboard


def clouds(number: int, side: int) -> torch.Tensor:
    frequency = torch.fft.fftfreq(side)
    radius = torch.hypot(frequency[:, None], frequency[None]).clamp_min(1 / side)
    return torch.fft.ifft2(torch.fft.fft2(torch.randn(number, side, side)) / radius).real


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("index", range(len(PERIODS)))
def test_a_pattern_is_prominent_at_its_period(index: int) -> None:
    period = PERIODS[index]
    images = clouds(16, 64)
    tile = torch.randn(period, period)
    pattern = (tile - tile.mean()).repeat(64 // period, 64 // period)
    before, after = checkerboard(images).mean(0), checkerboard(images + 0.3 * images.std() * pattern).mean(0)
    assert after[index] > before[index] + 1


def test_clouds_and_noise_have_no_checkerboard() -> None:
    for images in (clouds(32, 64), torch.randn(32, 48, 70)):
        assert checkerboard(images).mean(0).abs().max() < 0.7


def test_transposed_convolutions_cause_a_checkerboard_and_nearest_does_not() -> None:
    features = torch.rand(8, 4, 32, 32)
    transposed = torch.nn.ConvTranspose2d(4, 1, 3, 2, 1, 1)
    nearest = torch.nn.Sequential(torch.nn.Upsample(scale_factor=2), torch.nn.Conv2d(4, 1, 3, padding=1))
    with torch.no_grad():
        assert checkerboard(transposed(features)[:, 0]).mean(0)[0] > 2
        assert checkerboard(nearest(features)[:, 0]).mean(0)[0] < 0


def test_flat_and_half_precision_images_are_finite() -> None:
    assert torch.isfinite(checkerboard(torch.zeros(2, 32, 33))).all()
    assert checkerboard(torch.rand(1, 40, 40).bfloat16()).dtype is torch.float32
