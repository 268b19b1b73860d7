"""Discriminators that classify patches, or single pixels, instead of the whole image."""

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from i2icli.nn.blocks import ConvNorm
from i2icli.nn.norm import Norm, build_norm, needs_bias


class PatchDiscriminator(nn.Module):
    """Scores overlapping patches; the receptive field is 70x70 pixels with three layers.

    Isola et al., CVPR 2017, section 3.2.2 and appendix 6.1.2, https://arxiv.org/abs/1611.07004.
    The scores are logits, as all losses of losses.adversarial expect.
    """

    def __init__(
        self, in_channels: int = 3, width: int = 64, num_layers: int = 3, norm: Norm = "instance"
    ) -> None:
        """num_layers: number of stride-2 convolutions, at least 1."""
        super().__init__()
        widths = [width * min(2**layer, 8) for layer in range(num_layers + 1)]
        self.feature_channels, self.feature_stride = width, 2
        self.stem = nn.Conv2d(in_channels, width, 4, stride=2, padding=1)
        self.layers = nn.ModuleList()
        for layer in range(1, num_layers + 1):
            stride = 1 if layer == num_layers else 2
            conv = nn.Conv2d(
                widths[layer - 1], widths[layer], 4, stride=stride, padding=1, bias=needs_bias(norm)
            )
            self.layers.append(ConvNorm(conv, build_norm(norm, widths[layer])))
        self.head = nn.Conv2d(widths[-1], 1, 4, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, in_channels, H, W), H/2^n and W/2^n at least 3 -> (B, 1, H/2^n - 2, W/2^n - 2) scores."""
        return self.score(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """x: (B, in_channels, H, W) -> (B, width, H/2, W/2): the first layer, before activation."""
        return self.stem(x)  # type: ignore[no-any-return]

    def score(self, hidden: Tensor) -> Tensor:
        """hidden: (B, width, H/2, W/2) from `features` -> (B, 1, H/2^n - 2, W/2^n - 2) scores."""
        x = leaky_relu(hidden, 0.2)
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.2)  # (B, 2C, h/2, w/2); the last one: (B, 2C, h - 1, w - 1)
        return self.head(x)  # type: ignore[no-any-return]


class PixelDiscriminator(nn.Module):
    """Scores every pixel by its colour alone: the 1x1 PixelGAN.

    Isola et al., CVPR 2017, section 4.4 and appendix 6.1.2, https://arxiv.org/abs/1611.07004.
    """

    def __init__(self, in_channels: int = 3, width: int = 64, norm: Norm = "instance") -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.feature_channels, self.feature_stride = width, 1
        self.stem = nn.Conv2d(in_channels, width, 1)
        self.layer = ConvNorm(nn.Conv2d(width, 2 * width, 1, bias=bias), build_norm(norm, 2 * width))
        self.head = nn.Conv2d(2 * width, 1, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, in_channels, H, W) -> (B, 1, H, W) scores."""
        return self.score(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """x: (B, in_channels, H, W) -> (B, width, H, W): the first layer, before activation."""
        return self.stem(x)  # type: ignore[no-any-return]

    def score(self, hidden: Tensor) -> Tensor:
        """hidden: (B, width, H, W) from `features` -> (B, 1, H, W) scores."""
        x = leaky_relu(hidden, 0.2)
        x = leaky_relu(self.layer(x), 0.2)  # (B, 2 width, H, W)
        return self.head(x)  # type: ignore[no-any-return]
