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
    """Finds the largest singular value sigma = u^T W v of a weight, as a matrix of one row per output.

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

    def forward(self, weight: Tensor) -> Tensor:
        """weight: (O, ...), in single precision at least -> sigma, a scalar."""
        with _without_autocast(weight.device):  # sigma scales a whole layer: 8 bits would be too few
            if self.training and not recomputing():
                self.iterate(weight)
            matrix, v = _as_matrix(weight, self.v)
            # Clones, as the next pass moves the vectors before this one's gradient is computed.
            return torch.dot(self.u.clone(), matrix @ v.flatten().clone())

    @torch.no_grad()
    def iterate(self, weight: Tensor) -> None:
        """One step of power iteration. weight: (O, ...)."""
        matrix, v = _as_matrix(weight, self.v)
        v.copy_(normalize(matrix.T @ self.u, dim=0, eps=EPSILON).view_as(v))
        self.u.copy_(normalize(matrix @ v.flatten(), dim=0, eps=EPSILON))


class SpectralConv2d(nn.Conv2d):
    """A convolution whose weight is divided by its largest singular value."""

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
        self.folded = False

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> (B, C', H', W')."""
        if self.folded:
            return super().forward(x)
        scale = 1 / self.spectral(self.weight)
        if x.numel() < self.weight.numel():  # dividing either is the same; the smaller one is faster
            return super().forward(x * scale)
        return self._conv_forward(x, self.weight * scale, self.bias)  # type: ignore[no-any-return]

    @torch.no_grad()
    def fold(self) -> None:
        """Divide the weight itself, in place: the layer is only used from now on."""
        if not self.folded:
            self.weight /= self.spectral.eval()(self.weight)
            self.folded = True


def fold_spectral_norms(network: nn.Module) -> None:
    """Divide weights once instead of in every pass, in place: the network is only used from now on."""
    for module in network.modules():
        if isinstance(module, SpectralConv2d):
            module.fold()


def _as_matrix(weight: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Views (O, N) of a weight and of v in the order of its columns, whatever its layout in memory."""
    if weight.ndim == 4 and not weight.is_contiguous():  # then its channels are last
        v = v.view(weight.shape[1:]).permute(1, 2, 0)  # (k, k, I)
        return weight.permute(0, 2, 3, 1).flatten(1), v
    return weight.flatten(1), v


def _unit_vector(size: int) -> Tensor:
    vector = torch.empty(size)
    # normal_ on the meta device would load torch's compiler: over a second
    return vector if vector.is_meta else normalize(vector.normal_(), dim=0, eps=EPSILON)


def _without_autocast(device: torch.device) -> AbstractContextManager[object]:
    available = torch.amp.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if available else nullcontext()
