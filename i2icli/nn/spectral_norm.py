"""Spectral normalisation: weights divided by their largest singular value.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018, section 2.1 and
algorithm 1, https://arxiv.org/abs/1802.05957.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from i2icli.nn.recomputation import recomputing

EPSILON = 1e-12  # smallest norm of a vector that is divided by its norm


class SpectralNorm(nn.Module):
    """Divides a weight, as a matrix of one row per output, by its largest singular value sigma = u^T W v.

    Singular vectors u and v are tracked by one step of power iteration in each forward pass in training; in
    evaluation they stay what they are. They are no weights: a moving average takes them as they are, so that
    sigma is that of the averaged weight along nearly its first singular vectors.
    """

    u: Tensor
    v: Tensor

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.register_buffer("u", _unit_vector(rows))
        self.register_buffer("v", _unit_vector(columns))
        self.folded = False

    def forward(self, weight: Tensor) -> Tensor:
        """weight: (O, ...), in single precision at least -> the same shape."""
        if self.folded:
            return weight
        matrix = weight.flatten(1)  # (O, N)
        with _without_autocast(weight.device):  # sigma scales a whole layer: 8 bits would be too few
            if self.training and not recomputing():
                self.iterate(matrix)
            # Clones, as the next pass moves the vectors before this one's gradient is computed.
            sigma = torch.dot(self.u.clone(), matrix @ self.v.clone())
        return weight / sigma

    @torch.no_grad()
    def iterate(self, weight: Tensor) -> None:
        """One step of power iteration. weight: (O, ...)."""
        matrix = weight.flatten(1)  # (O, N)
        self.v.copy_(normalize(matrix.T @ self.u, dim=0, eps=EPSILON))
        self.u.copy_(normalize(matrix @ self.v, dim=0, eps=EPSILON))

    @torch.no_grad()
    def fold(self, weight: Tensor) -> None:
        """Divide the weight itself, for inference: from now on it is used as it is."""
        weight.copy_(self(weight))
        self.folded = True


class SpectralConv2d(nn.Conv2d):
    """A convolution whose weight is normalised."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=bias)
        self.spectral = SpectralNorm(out_channels, in_channels * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> (B, C', H', W')."""
        return self._conv_forward(x, self.spectral(self.weight), self.bias)  # type: ignore[no-any-return]


def fold_spectral_norms(network: nn.Module) -> None:
    """Divide weights once instead of in every pass, in place: the network is only used from now on."""
    for module in network.modules():
        if isinstance(module, SpectralConv2d) and not module.spectral.folded:
            module.spectral.fold(module.weight)


def _unit_vector(size: int) -> Tensor:
    vector = torch.empty(size)
    # normal_ on the meta device would load torch's compiler: over a second
    return vector if vector.is_meta else normalize(vector.normal_(), dim=0, eps=EPSILON)


def _without_autocast(device: torch.device) -> AbstractContextManager[object]:
    available = torch.amp.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if available else nullcontext()
