"""The small parts that generators and discriminators are made of."""

from torch import Tensor, nn

from i2icli.nn.dropout import NoiseDropout
from i2icli.nn.norm import Norm, Statistics, build_norm, needs_bias
from i2icli.nn.padding import ReflectConv2d


class ConvNorm(nn.Module):
    """A convolution, plain or transposed, and the norm of its outputs."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, norm: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> (B, C', H', W') as the convolution decides."""
        return self.norm(self.conv(x))  # type: ignore[no-any-return]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose result is added to their input.

    Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution",
    ECCV 2016, https://arxiv.org/abs/1603.08155: no activation after the sum. Reflected borders.
    """

    def __init__(
        self,
        channels: int,
        norm: Norm,
        dropout: float = 0.0,
        statistics: Statistics = "image",
        *,
        bias: bool | None = None,
    ) -> None:
        """bias: of the convolutions; None: unless the norm has its own."""
        super().__init__()
        bias = needs_bias(norm) if bias is None else bias
        self.first = self._conv(channels, norm, statistics, bias)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = NoiseDropout(dropout)
        self.second = self._conv(channels, norm, statistics, bias)

    @staticmethod
    def _conv(channels: int, norm: Norm, statistics: Statistics, bias: bool) -> ConvNorm:
        conv = ReflectConv2d(channels, channels, 3, bias=bias)
        return ConvNorm(conv, build_norm(norm, channels, statistics))

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), sides of at least 2; noise: of the dropout. The shape of x comes back."""
        hidden = self.dropout(self.relu(self.first(x)), noise)
        return x + self.second(hidden)  # type: ignore[no-any-return]
