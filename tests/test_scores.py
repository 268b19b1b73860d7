"""Scores against numbers worked out by hand and, for SSIM, against the definition, window by window."""

import numpy as np
import pytest
import torch

from i2icli.scores import confusion, mean_iou, pixel_accuracy, psnr, ssim


def random_images(batch: int = 2, channels: int = 3, side: int = 20) -> torch.Tensor:
    return torch.rand(batch, channels, side, side) * 2 - 1


def test_psnr_of_a_known_error_for_each_image() -> None:
    truth = torch.zeros(2, 3, 8, 8)
    images = torch.stack([torch.full((3, 8, 8), 0.2), torch.full((3, 8, 8), 0.02)])

    # 10 log10(2^2 / error^2)
    assert psnr(images, truth).tolist() == pytest.approx([20.0, 40.0], abs=1e-3)


def test_equal_images_are_perfect() -> None:
    images = random_images()
    assert torch.isinf(psnr(images, images)).all()
    assert ssim(images, images).tolist() == pytest.approx([1.0, 1.0], abs=1e-6)


def ssim_by_definition(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. 2004, Eq. (13), one 11 x 11 window after another, for one plane."""
    place = np.arange(11) - 5
    window = np.exp(-(place[:, None] ** 2 + place**2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = 0.02**2, 0.06**2
    values = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            a, b = x[top : top + 11, left : left + 11], y[top : top + 11, left : left + 11]
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            both = (window * (a - mean_a) * (b - mean_b)).sum()
            top_part = (2 * mean_a * mean_b + c1) * (2 * both + c2)
            values.append(top_part / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))
    return float(np.mean(values))


def test_ssim_follows_its_definition() -> None:
    x = random_images(side=16)
    y = (x + 0.4 * torch.randn_like(x)).clamp(-1, 1)
    expected = [
        np.mean([ssim_by_definition(a, b) for a, b in zip(planes_x, planes_y, strict=True)])
        for planes_x, planes_y in zip(x.double().numpy(), y.double().numpy(), strict=True)
    ]
    assert ssim(x, y).tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (10, 30), (11, 11)])
def test_ssim_of_small_images_is_a_number(size: tuple[int, int]) -> None:
    images = torch.rand(1, 1, *size) * 2 - 1
    assert ssim(images, images).item() == pytest.approx(1.0, abs=1e-5)
    assert ssim(images, -images).item() < 0.99


def test_each_image_is_scored_by_itself() -> None:
    x, y = random_images(4), random_images(4)
    for score in (psnr, ssim):
        singly = torch.cat([score(a[None], b[None]) for a, b in zip(x, y, strict=True)])
        assert torch.allclose(score(x, y), singly, atol=1e-5)


def test_segmentation_is_scored_over_labelled_pixels_and_the_classes_that_occur() -> None:
    labels = torch.tensor([[[[0, 0, 0, 1], [1, 1, 4, 4]]]])  # 4: unlabelled
    predicted = torch.tensor([[[[0, 0, 1, 1], [1, 2, 0, 1]]]])
    counts = confusion(labels, predicted, 4)
    assert counts.tolist() == [[2, 1, 0, 0], [0, 2, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert pixel_accuracy(counts) == pytest.approx(4 / 6)
    # class 0: 2 of 3; class 1: 2 of 4 (3 labelled, 3 predicted, 2 both); classes 2 and 3 do not occur
    assert mean_iou(counts) == pytest.approx((2 / 3 + 2 / 4) / 2)


def test_the_protocol_sums_over_images_first() -> None:
    """A class that is small in one image and large in another counts by its pixels."""
    labels = torch.tensor([[[[0, 1]]], [[[0, 0]]]])
    predicted = torch.tensor([[[[1, 1]]], [[[0, 0]]]])
    each = [confusion(a, b, 2) for a, b in zip(labels, predicted, strict=True)]
    assert mean_iou(each[0] + each[1]) == pytest.approx((2 / 3 + 1 / 2) / 2)
