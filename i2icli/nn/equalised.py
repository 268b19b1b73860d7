"""Layers with equalised learning rate: weights are stored as N(0, 1) and scaled at run time.

Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation", ICLR 2018,
section 4.1, https://arxiv.org/abs/1710.10196.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, linear, pad

RELU_GAIN = math.sqrt(2)  # He et al., ICCV 2015, Eq. (10)


class EqualLinear(nn.Module):
    """x -> x W gain / sqrt(inputs) + b; with `scale_bias` the bias is scaled as well."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        gain: float = RELU_GAIN,
        *,
        bias: bool = True,
        scale_bias: bool = False,
    ) -> None:
        super().__init__()
        self.scale = gain / math.sqrt(inputs)
        self.bias_scale = self.scale if scale_bias else 1.0
        self.weight = _drawn(outputs, inputs)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs)."""
        return linear(x, self.weight * self.scale, _scaled(self.bias, self.bias_scale))


class EqualConv2d(nn.Module):
    """A size-preserving convolution with equalised learning rate.

    With `resample` "up" its input is first upsampled by nearest neighbour, with "down" its output (before
    the bias) is average-pooled 2x2. Both are fused into one strided convolution with a kernel summed over
    four shifts, which takes less than half the arithmetic.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        gain: float = RELU_GAIN,
        *,
        scale_bias: bool = False,
        resample: Literal["no", "up", "down"] = "no",
    ) -> None:
        super().__init__()
        self.scale = gain / math.sqrt(inputs * size * size)
        self.bias_scale = self.scale if scale_bias else 1.0
        self.resample = resample
        self.padding = size // 2
        self.weight = _drawn(outputs, inputs, size, size)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W), or twice or half the size."""
        weight, bias = self.weight * self.scale, _scaled(self.bias, self.bias_scale)
        if self.resample == "up":
            kernel = _four_shifts(weight.flip(2, 3)).transpose(0, 1)  # (inputs, outputs, size + 1, size + 1)
            return conv_transpose2d(x, kernel, bias, stride=2, padding=self.padding)  # (B, outputs, 2H, 2W)
        if self.resample == "down":
            kernel = _four_shifts(weight) / 4  # (outputs, inputs, size + 1, size + 1)
            return conv2d(x, kernel, bias, stride=2, padding=self.padding)  # (B, outputs, H / 2, W / 2)
        return conv2d(x, weight, bias, padding=self.padding)


def _four_shifts(weight: Tensor) -> Tensor:
    """(O, I, k, k) -> (O, I, k + 1, k + 1): the sum of the kernel at four offsets."""
    if torch.compiler.is_exporting():  # ONNX has no divisor of an average, and its exporter does not say so
        sides = ((1, 0, 1, 0), (0, 1, 1, 0), (1, 0, 0, 1), (0, 1, 0, 1))
        return torch.stack([pad(weight, side) for side in sides]).sum(0)
    return avg_pool2d(weight, 2, stride=1, padding=1, divisor_override=1)


def _scaled(bias: Tensor | None, scale: float) -> Tensor | None:
    return bias if bias is None or scale == 1 else bias * scale


def _drawn(*shape: int) -> nn.Parameter:
    weight = torch.empty(shape)
    # normal_ on the meta device would load torch's compiler: over a second
    return nn.Parameter(weight if weight.is_meta else weight.normal_())
