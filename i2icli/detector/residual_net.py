"""Learned features of residuals: a small convolutional network, stored as plain arrays.

Its first layers have strides of 2, down to cells of 8x8 pixels: every output sees the cells of JPEG and of
stride-2 layers in the same phase, and the mean over all of them keeps what repeats and loses what does not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

PLANES = 3
MAX_WIDTH = 512  # channels of a stored network
MAX_DEPTH = 5  # convolutions of a stored network: they leave 2x2 values of 64x64 pixels
_STRIDES = (2, 2, 2)  # of the first convolutions; later ones have 1
_LEVELS = 4.0  # grey levels: a residual is compressed around them
_LEAST = 1e-3  # added to variances


class ResidualNet(nn.Module):
    """Residuals (B, 3, H, W), high-pass filtered planes in levels of 255 -> log odds of a fake, (B,)."""

    def __init__(self, widths: Sequence[int] = (24, 48, 64, 64)) -> None:
        """widths: channels of the convolutions; the first three have stride 2."""
        super().__init__()
        strides = (*_STRIDES, *(1 for _ in widths))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inner, outer, 5 if index == 0 else 3, stride=strides[index])
            for index, (inner, outer) in enumerate(zip((PLANES, *widths), widths, strict=False))
        )
        self.last = nn.Linear(2 * widths[-1], 1)

    def forward(self, residuals: Tensor) -> Tensor:
        """Sides of at least 64 px."""
        values: Tensor = torch.asinh(residuals / _LEVELS)
        for convolution in self.convolutions:
            values = torch.relu(convolution(values))
        variance, mean = torch.var_mean(values, (2, 3))  # (B, C)
        odds: Tensor = self.last(torch.cat([mean, torch.log(variance + _LEAST)], 1))
        return odds[:, 0]  # (B,)

    @torch.no_grad()
    def score(self, tiles: Sequence[Tensor]) -> float:
        """Residuals of an image's tiles, (3, H, W) each -> their mean log odds."""
        return float(np.mean([float(self(tile[None])[0]) for tile in tiles]))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """All parameters, by their names in detector files."""
        return {name: each.numpy() for name, each in self.state_dict().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "ResidualNet":
        """The inverse of `arrays`. Raises ValueError, KeyError for missing arrays, wrong shapes, NaN."""
        widths: list[int] = []
        while (bias := arrays.get(f"convolutions.{len(widths)}.bias")) is not None:
            if bias.ndim != 1 or not 0 < len(bias) <= MAX_WIDTH:
                raise ValueError(f"residual network with biases of shape {bias.shape}")
            widths.append(len(bias))
        if not len(_STRIDES) <= len(widths) <= MAX_DEPTH:
            raise ValueError(f"residual network of {len(widths)} convolutions")
        with torch.device("meta"):  # neither memory nor random numbers for weights that are replaced
            net = cls(widths)
        parameters = {}
        for name, parameter in net.state_dict().items():
            with np.errstate(over="ignore"):
                array = arrays[name].astype(np.float32)
            if array.shape != parameter.shape:
                raise ValueError(f"residual network with {name} of shape {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"residual network with {name} that is not finite")
            parameters[name] = torch.from_numpy(array)
        net.load_state_dict(parameters, assign=True)
        return net.eval().requires_grad_(False)
