"""The generators and image discriminators of Augmented CycleGAN.

Almahairi et al., "Augmented CycleGAN: Learning Many-to-Many Mappings from Unpaired Data", ICML 2018,
https://arxiv.org/abs/1802.10151, appendix; sizes as in the authors' program.
"""

from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from i2icli.nn.norm import AffineInstanceNorm
from i2icli.nn.padding import ReflectConv2d
from i2icli.systems.augmented_cyclegan.norms import ConditionalInstanceNorm
from i2icli.systems.augmented_cyclegan.sizes import at_least

Norm = AffineInstanceNorm | ConditionalInstanceNorm


def init_weights(network: nn.Module, std: float = 0.02) -> None:
    """Draw the weights of convolutions and the scales of instance norms from N(0, std); biases are 0.

    Linear layers and batch norms keep PyTorch's initialisation, as in the authors' code.
    """
    if next(network.parameters()).is_meta:
        return  # nothing to fill, see nn.init
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, AffineInstanceNorm):
            nn.init.normal_(module.gain, 0.0, std)


def _affine(channels: int) -> AffineInstanceNorm:
    return AffineInstanceNorm(channels, ("scale", "shift"))


class NormalisedConv(nn.Module):
    """A convolution, plain or transposed, and a norm that may be conditioned on a latent code."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, norm: Norm) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), code: (B, Z) -> (B, C', H', W') as the convolution decides."""
        x = self.conv(x)
        if isinstance(self.norm, ConditionalInstanceNorm):
            return self.norm(x, code)  # type: ignore[no-any-return]
        return self.norm(x)  # type: ignore[no-any-return]


class ConditionalResidualBlock(nn.Module):
    """A residual block with a ReLU after the sum.

    Only its first convolution is conditioned on the code; without codes it has no norm at all, as in the
    authors' code.
    """

    def __init__(self, channels: int, num_latents: int) -> None:
        super().__init__()
        first = ReflectConv2d(channels, channels, 3)
        self.first: nn.Module = (
            NormalisedConv(first, ConditionalInstanceNorm(channels, num_latents)) if num_latents else first
        )
        self.second = NormalisedConv(ReflectConv2d(channels, channels, 3), _affine(channels))

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), sides of at least 2; code: (B, Z) -> the shape of x."""
        hidden = relu(self.first(x) if code is None else self.first(x, code))
        return relu(x + self.second(hidden))


class Generator(nn.Module):
    """Translates an image, with a latent code (G_AB) or without (G_BA)."""

    multiple = 4
    """Sides of the input must be multiples of this: one stride-2 layer, and borders of three pixels."""

    def __init__(
        self, in_channels: int, out_channels: int, width: int = 32, num_blocks: int = 3, num_latents: int = 0
    ) -> None:
        """num_latents: length of a code; 0: a generator without codes."""
        super().__init__()

        def norm(channels: int) -> Norm:
            if num_latents:
                return ConditionalInstanceNorm(channels, num_latents)
            return _affine(channels)

        def layer(conv: nn.Conv2d | nn.ConvTranspose2d) -> NormalisedConv:
            return NormalisedConv(conv, norm(conv.out_channels))

        self.num_latents = num_latents
        self.stem = layer(ReflectConv2d(in_channels, width, 7))
        self.down = nn.ModuleList([
            layer(nn.Conv2d(width, 2 * width, 3, padding=1)),
            layer(nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1)),
        ])  # fmt: skip
        self.blocks = nn.ModuleList(
            ConditionalResidualBlock(4 * width, num_latents) for _ in range(num_blocks)
        )
        up = nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1)
        self.up = nn.ModuleList([layer(up), layer(nn.Conv2d(2 * width, width, 3, padding=1))])
        self.head = nn.Conv2d(width, out_channels, 7, padding=3)

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), sides multiples of 4; code: (B, Z) -> (B, C', H, W) in [-1, 1]."""
        x = relu(self.stem(x, code))  # (B, width, H, W)
        for down in self.down:
            x = relu(down(x, code))  # (B, 2 width, H, W), then (B, 4 width, H/2, W/2)
        for block in self.blocks:
            x = block(x, code)
        for up in self.up:
            x = relu(up(x, code))  # (B, 2 width, H, W), then (B, width, H, W)
        return self.head(x).tanh()  # type: ignore[no-any-return]


class ImageDiscriminator(nn.Module):
    """Scores whole 64 px images: the discriminator for edge drawings.

    At 64 px there is one score per image; larger images give a map of scores, and the features of smaller
    ones are resized until they give one.
    """

    def __init__(self, in_channels: int = 3, width: int = 32) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 3, stride=2, padding=1)
        widths = (width, 2 * width, 4 * width, 4 * width)
        self.layers = nn.ModuleList(_conv(widths[i], widths[i + 1], kernel=3, stride=2) for i in range(3))
        self.head = nn.Conv2d(4 * width, 1, 4)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> (B, 1, h, w) scores, h = max(1, H/16 - 3), w likewise."""
        x = leaky_relu(self.stem(x), 0.2)  # (B, width, H/2, W/2)
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.2)  # in the end (B, 4 width, H/16, W/16)
        return self.head(at_least(x, 4))  # type: ignore[no-any-return]


class SmallPatchDiscriminator(nn.Module):
    """Scores overlapping patches of 46x46 pixels: the discriminator for photographs."""

    def __init__(self, in_channels: int = 3, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 4, stride=2, padding=1)
        widths = (width, 2 * width, 4 * width, 4 * width)
        self.layers = nn.ModuleList(
            _conv(widths[i], widths[i + 1], kernel=4, stride=stride) for i, stride in enumerate((2, 1, 1))
        )
        self.head = nn.Conv2d(4 * width, 1, 4, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W), sides from 16 -> (B, 1, H/4 - 3, W/4 - 3) scores."""
        x = leaky_relu(self.stem(x), 0.2)  # (B, width, H/2, W/2)
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.2)  # (B, 2C, H/4, W/4), then each of two layers loses one pixel
        return self.head(x)  # type: ignore[no-any-return]


def _conv(in_channels: int, out_channels: int, kernel: int, stride: int) -> NormalisedConv:
    return NormalisedConv(
        nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=1), _affine(out_channels)
    )
