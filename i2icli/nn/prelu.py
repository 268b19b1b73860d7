"""PReLU with a fast gradient on CPUs."""

from typing import Any

import torch
from torch import Tensor, nn


class PReLU(nn.PReLU):
    """x above zero, a * x below, with one learned slope a for all channels, initially 0.25.

    He et al., "Delving Deep into Rectifiers", ICCV 2015, https://arxiv.org/abs/1502.01852, Eq. (1).
    On a CPU torch's gradient is computed value by value, several times slower than vectorised operations.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> the same shape."""
        if x.device.type != "cpu" or not torch.is_grad_enabled() or torch.compiler.is_compiling():
            return super().forward(x)
        # Cast as autocast would inside, so that backward saves the smaller tensor.
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        return _PReLU.apply(x.to(dtype), self.weight.to(dtype))  # type: ignore[no-any-return]


class _PReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(x, slope)
        return torch.prelu(x, slope)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        x, slope = ctx.saved_tensors
        gradient = gradients[0]
        to_slope = (gradient * x.clamp(max=0)).sum().reshape(1)
        if torch.is_grad_enabled():  # double backward, also with respect to the slope
            return torch.where(x > 0, gradient, slope * gradient), to_slope
        return torch.ops.aten.leaky_relu_backward(gradient, x, slope.item(), False), to_slope
