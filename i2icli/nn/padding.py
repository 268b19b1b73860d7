"""Convolutions with reflection padding."""

from contextlib import nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

STRIP = 2**16  # pixels, about, of a part of a large image that is computed at once


class Convolved(Protocol):
    """Something else than a tensor that knows what a convolution makes of it (nn.map_planes)."""

    def convolved(self, layer: "ReflectConv2d") -> Tensor:
        """(B, C', H, W)."""


class ReflectConv2d(nn.Conv2d):
    """A size-preserving convolution with reflection padding; odd kernel, stride 1."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, bias=bias)
        self.border = kernel_size // 2

    def forward(self, x: Tensor | Convolved) -> Tensor:
        """x: (B, C, H, W), sides larger than half the kernel -> (B, C', H, W)."""
        if not isinstance(x, Tensor):
            return x.convolved(self)
        return super().forward(reflect(x, self.border))


def reflect(x: Tensor, border: int) -> Tensor:
    """Reflection padding of x (B, C, H, W), sides larger than `border`."""
    return _Reflect.apply(x, border) if x.requires_grad and torch.is_grad_enabled() else _padded(x, border)


def _padded(x: Tensor, border: int) -> Tensor:
    kind = x.device.type
    # Autocast would needlessly cast x to float32.
    with torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext():
        return pad(x, (border,) * 4, mode="reflect")


class _Reflect(torch.autograd.Function):
    """Reflection padding whose gradient is a few additions along the border.

    torch's gradient is computed pixel by pixel: several times slower on a CPU, and
    nondeterministic on a GPU, where runs would not be reproducible.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, border: int) -> Tensor:
        ctx.border = border
        return _padded(x, border)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _folded(_folded(gradients[0], ctx.border, 2), ctx.border, 3), None


def _folded(gradient: Tensor, border: int, dim: int) -> Tensor:
    """Along one dimension: the gradient of a reflected line is added to that of its source."""
    side = gradient.shape[dim] - 2 * border
    inner = gradient.narrow(dim, border, side).clone()
    inner.narrow(dim, 1, border).add_(gradient.narrow(dim, 0, border).flip(dim))
    inner.narrow(dim, side - 1 - border, border).add_(gradient.narrow(dim, border + side, border).flip(dim))
    return inner


def reflected(start: int, stop: int, size: int, device: torch.device) -> Tensor:
    """Indices from start to stop - 1, those outside of 0 to size - 1 reflected at the borders."""
    found = torch.arange(start, stop, device=device).abs()
    return torch.where(found < size, found, 2 * (size - 1) - found)


class ReflectHead(ReflectConv2d):
    """The same convolution for the end of a network, with a large kernel and few output channels.

    CPU kernels vectorise over output channels, and three do not fill a vector. So every row of the
    kernel becomes output channels of its own, and the rows' results are added, each shifted by its
    position in the kernel: the same sums in another order, twice as fast. Without gradients a large image is
    computed in strips, as those sums take more memory than anything else in a network.
    """

    def forward(self, x: Tensor | Convolved) -> Tensor:
        """x: (B, C, H, W), sides larger than half the kernel -> (B, C', H, W)."""
        if not isinstance(x, Tensor) or x.device.type != "cpu":
            return super().forward(x)
        height, strip = x.shape[2], max(1, STRIP // x.shape[3])
        if torch.is_grad_enabled() or torch.compiler.is_compiling() or height <= strip:
            return self._of_padded(reflect(x, self.border))
        found = []
        for start in range(0, height, strip):
            stop = min(start + strip, height)
            rows = reflected(start - self.border, stop + self.border, height, x.device)
            columns = (self.border, self.border, 0, 0)
            found.append(self._of_padded(pad(x.index_select(2, rows), columns, mode="reflect")))
        return torch.cat(found, 2)

    def _of_padded(self, x: Tensor) -> Tensor:
        """x: (B, C, H + k - 1, W + k - 1) -> (B, C', H, W)."""
        outputs, inputs, kernel, _ = self.weight.shape
        rows = self.weight.transpose(1, 2).reshape(outputs * kernel, inputs, 1, kernel)  # (C' k, C, 1, k)
        partial = conv2d(x, rows)  # (B, C' k, H + k - 1, W)
        partial = torch.unflatten(partial, 1, (outputs, kernel))  # (B, C', k, H + k - 1, W)
        height = x.shape[2] - kernel + 1
        total: Tensor = partial[:, :, 0, :height]  # (B, C', H, W)
        for row in range(1, kernel):
            total = total + partial[:, :, row, row : row + height]
        return total if self.bias is None else total + self.bias[:, None, None]
