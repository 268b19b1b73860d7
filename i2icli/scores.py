"""Metrics against ground truth: PSNR and SSIM, one number per image; segmentation, over many images.

Pixel accuracy and mean IoU follow one protocol: the confusion matrix is summed over all images, pixels
without a label are left out, and the mean is over the classes that occur in the label maps.
"""

import torch
from torch import Tensor
from torch.nn import functional

_RANGE = 2.0  # images span [-1, 1]


def psnr(images: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB: (B, C, H, W) in [-1, 1], twice -> (B,). Infinite for equal images."""
    error = (images.float() - truth.float()).square().mean(dim=(1, 2, 3))  # (B,)
    return 10 * torch.log10(_RANGE**2 / error)


def ssim(images: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity: (B, C, H, W) in [-1, 1], twice -> (B,), averaged over channels.

    Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
    IEEE TIP 2004: Gaussian window of 11 x 11, sigma 1.5, K1 = 0.01, K2 = 0.03, only windows
    that lie inside the image. The window is smaller for images of fewer than 11 pixels.
    """
    x, y = images.float(), truth.float()
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x**2
    var_y = _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * _RANGE) ** 2, (0.03 * _RANGE) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return (luminance * structure).mean(dim=(1, 2, 3))  # (B,)


def confusion(labels: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """Class indices of the same shape, twice -> (classes, classes) int64: pixels by label and prediction.

    Pixels whose label is not below `classes` have none and are left out.
    """
    labelled = labels < classes
    index = labels[labelled] * classes + predicted[labelled]  # (N,)
    return torch.bincount(index, minlength=classes**2).view(classes, classes)


def pixel_accuracy(counts: Tensor) -> float:
    """The fraction of labelled pixels that were predicted correctly; counts: see `confusion`."""
    return float(counts.diag().sum() / counts.sum())


def mean_iou(counts: Tensor) -> float:
    """Intersection over union, averaged over the classes that occur in the labels; counts: see `confusion`.

    Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective", IJCV 2015.
    """
    correct, labelled, predicted = counts.diag(), counts.sum(1), counts.sum(0)  # (L,) each
    iou = correct / (labelled + predicted - correct).clamp_min(1)
    return float(iou[labelled > 0].double().mean())


def _blur(images: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, H - 10, W - 10), or larger if the window is smaller."""
    batch, channels, height, width = images.shape
    planes = images.reshape(batch * channels, 1, height, width)
    down, across = _gaussian(height, images), _gaussian(width, images)
    planes = functional.conv2d(planes, down.reshape(1, 1, -1, 1))
    planes = functional.conv2d(planes, across.reshape(1, 1, 1, -1))
    return planes.reshape(batch, channels, *planes.shape[-2:])


def _gaussian(side: int, like: Tensor) -> Tensor:
    """Weights of the window along a side: 11, or the largest odd number that fits."""
    length = min(11, side if side % 2 else side - 1)
    distance = torch.arange(length, dtype=torch.float32, device=like.device) - length // 2
    weights = torch.exp(-(distance**2) / (2 * 1.5**2))
    return weights / weights.sum()
