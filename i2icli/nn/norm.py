"""Normalisation layers of all networks, so that their speed is tuned in one place."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from i2icli.nn.recomputation import recomputing

Norm = Literal["batch", "instance", "affine-instance", "none"]
Statistics = Literal["image", "running"]
_FUSED = ContextVar("_FUSED", default=False)


class InstanceNorm(nn.Module):
    """Instance normalisation without learned parameters.

    Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization",
    2016, https://arxiv.org/abs/1607.08022. Epsilon 1e-5, biased variance.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> the same shape."""
        return per_image(x)


class AffineInstanceNorm(nn.Module):
    """Instance normalisation with a learned scale and shift per channel, initially 1 and 0.

    It always uses the statistics of the image itself. Epsilon 1e-5, biased variance.
    """

    def __init__(self, channels: int, names: tuple[str, str] = ("weight", "bias")) -> None:
        """names: of the scale and the shift in the state dict."""
        super().__init__()
        self.names = names
        self.register_parameter(names[0], nn.Parameter(torch.ones(channels)))
        self.register_parameter(names[1], nn.Parameter(torch.zeros(channels)))

    @property
    def gain(self) -> Tensor:
        """The scale (C,)."""
        return self.get_parameter(self.names[0])

    @property
    def offset(self) -> Tensor:
        """The shift (C,)."""
        return self.get_parameter(self.names[1])

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> the same shape."""
        return per_image(x, self.gain, self.offset)


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation that, in evaluation, does not depend on the other images of the batch.

    In training this is the standard layer. In evaluation it uses either the statistics of each
    image ("image": as in the pix2pix paper, section 3.3, at batch size 1) or the running averages
    of training ("running").
    """

    def __init__(self, channels: int, statistics: Statistics = "image") -> None:
        super().__init__(channels)
        self.statistics = statistics

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> the same shape."""
        if self.training and recomputing():
            with _statistics_kept(self):
                return super().forward(x)
        if self.training or self.statistics == "running":
            return super().forward(x)
        return per_image(x, self.weight, self.bias)


class SyncedBatchNorm(nn.SyncBatchNorm):
    """Batch normalisation without learned parameters, over the batches of all processes on GPUs.

    In evaluation by the running averages of training. On a CPU, and while one process alone estimates the
    averages anew (momentum None), a batch is that of the process.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> the same shape."""
        if not recomputing():
            return self._normalised(x)
        with _statistics_kept(self):
            return self._normalised(x)

    def _normalised(self, x: Tensor) -> Tensor:
        if x.device.type == "cuda" and self.momentum is not None:
            return super().forward(x)
        return _BatchNorm.forward(self, x)


@contextmanager
def _statistics_kept(norm: _BatchNorm) -> Iterator[None]:
    """Inside, running averages stay as they are: they have seen this batch already."""
    momentum, norm.momentum = norm.momentum, 0.0
    try:
        yield
    finally:
        norm.momentum = momentum
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked -= 1


def per_image(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """Instance normalisation by the fastest operation; epsilon 1e-5, biased variance.

    x: (B, C, H, W), weight and bias: (C,). torch's `instance_norm` is slower than `group_norm` with one
    channel per group; as the gradient of that is very slow for channels-last tensors on a CPU, those go
    through `batch_norm` image by image.
    """
    if torch.compiler.is_exporting() and _FUSED.get():
        return functional.instance_norm(x, None, None, weight, bias)
    if torch.compiler.is_exporting():
        normal = normalised_in_steps(x)
        if weight is not None and bias is not None:
            normal = normal * weight[:, None, None] + bias[:, None, None]
        return normal
    needs_grad = x.requires_grad and torch.is_grad_enabled()
    if needs_grad and x.device.type == "cpu" and not x.is_contiguous():
        images = torch.split(x, 1)  # B times (1, C, H, W)
        return torch.cat([functional.batch_norm(image, None, None, weight, bias, True) for image in images])
    return functional.group_norm(x, x.shape[1], weight, bias)


@contextmanager
def fused_norms() -> Iterator[None]:
    """Graphs that are exported within have instance norms as one operation, which runtimes compute at once.

    That is faster by a tenth in float32 and a quarter in bfloat16, and less exact, see `normalised_in_steps`.
    """
    before = _FUSED.set(True)
    try:
        yield
    finally:
        _FUSED.reset(before)


def normalised_in_steps(x: Tensor, correction: int = 0) -> Tensor:
    """Instance normalisation for exported graphs, whose runtimes add pixels one after the other in float32.

    In their own instance norm that loses four digits in large smooth images; not if means are taken over
    rows first, and then over those. x: (B, C, H, W) -> the same shape; epsilon 1e-5; correction: 1 for the
    unbiased variance.
    """
    centred = x - _mean(x)
    variance = _mean(centred.square())  # (B, C, 1, 1)
    if correction:
        pixels = x.shape[2] * x.shape[3]
        variance = variance * (pixels / (pixels - correction))
    return centred * torch.rsqrt(variance + 1e-5)


def _mean(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, 1, 1)."""
    return x.mean(3, keepdim=True).mean(2, keepdim=True)


def build_norm(norm: Norm, channels: int, statistics: Statistics = "image") -> nn.Module:
    """The normalisation layer of a name; `statistics` only applies to batch norm."""
    if norm == "batch":
        return BatchNorm(channels, statistics)
    if norm == "affine-instance":
        return AffineInstanceNorm(channels)
    return InstanceNorm() if norm == "instance" else nn.Identity()


def needs_bias(norm: Norm) -> bool:
    """Whether convolutions before this norm have a bias: batch norm has its own."""
    return norm != "batch"
