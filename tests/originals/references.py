"""Small reference networks, as other programs build them: written for the tests, in plain torch."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class NumberedBlock(nn.Module):
    """A residual block whose layers lie in a row called `name`."""

    def __init__(self, channels: int, norm: type[nn.Module], name: str, affine: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for place in range(2):
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels, affine=affine)]
            layers += [nn.ReLU()] if place == 0 else []
        self.name = name
        setattr(self, name, nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        return x + getattr(self, self.name)(x)


class NumberedResnet(nn.Module):
    """One row of numbered layers; doubled by transposed convolutions, or resized and then convolved."""

    def __init__(
        self,
        blocks: int = 2,
        width: int = 4,
        norm: type[nn.Module] = nn.InstanceNorm2d,
        name: str = "conv_block",
        *,
        affine: bool = False,
        resized: bool = False,
        channels: tuple[int, int] = (3, 3),
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(channels[0], width, 7)]
        layers += [norm(width, affine=affine), nn.ReLU()]
        for before, after in pairwise((width, 2 * width, 4 * width)):
            layers += [
                nn.Conv2d(before, after, 3, stride=2, padding=1),
                norm(after, affine=affine),
                nn.ReLU(),
            ]
        layers += [NumberedBlock(4 * width, norm, name, affine) for _ in range(blocks)]
        for before, after in pairwise((4 * width, 2 * width, width)):
            if resized:
                layers += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1)]
            else:
                layers += [nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1)]
            layers += [norm(after, affine=affine), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, channels[1], 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class NamedLayer(nn.Module):
    """Convolution with reflected borders, or a transposed one; instance norm; ReLU."""

    def __init__(
        self, before: int, after: int, stride: int, *, up: bool = False, active: bool = True
    ) -> None:
        super().__init__()
        conv = (
            nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1)
            if up
            else nn.Conv2d(before, after, 3, stride, 1, padding_mode="reflect")
        )
        self.conv = nn.Sequential(conv, nn.InstanceNorm2d(after), nn.ReLU() if active else nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class NamedBlock(nn.Module):
    """Two layers, the second without activation, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            NamedLayer(channels, channels, 1), NamedLayer(channels, channels, 1, active=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x)


class NamedResnet(nn.Module):
    """initial, down_blocks, res_blocks or residual_blocks, up_blocks, last."""

    def __init__(self, blocks: int = 2, width: int = 4, name: str = "res_blocks") -> None:
        super().__init__()
        first = nn.Conv2d(3, width, 7, padding=3, padding_mode="reflect")
        self.initial = nn.Sequential(first, nn.InstanceNorm2d(width), nn.ReLU())
        widths = (width, 2 * width, 4 * width)
        self.down_blocks = nn.ModuleList(NamedLayer(a, b, 2) for a, b in pairwise(widths))
        self.name = name
        setattr(self, name, nn.Sequential(*(NamedBlock(4 * width) for _ in range(blocks))))
        self.up_blocks = nn.ModuleList(NamedLayer(a, b, 2, up=True) for a, b in pairwise(widths[::-1]))
        self.last = nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        x = self.initial(x)
        for layer in self.down_blocks:
            x = layer(x)
        x = getattr(self, self.name)(x)
        for layer in self.up_blocks:
            x = layer(x)
        return self.last(x).tanh()


class NestedUnet(nn.Module):
    """One level of a U-Net, the next inside; affine instance norms everywhere but at image and bottom."""

    def __init__(self, depth: int = 5, width: int = 3, channels: tuple[int, int] = (3, 3)) -> None:
        super().__init__()
        self.model = UnetLevel(channels, [min(8, 1 << level) * width for level in range(depth)], 0)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class UnetLevel(nn.Module):
    """A level between so many channels of the one above and of its own; it hands its input across."""

    def __init__(self, channels: tuple[int, int], widths: list[int], level: int) -> None:
        super().__init__()
        own, outermost, innermost = widths[level], level == 0, level == len(widths) - 1
        down = nn.Conv2d(channels[0], own, 4, 2, 1)
        up = nn.ConvTranspose2d(own if innermost else 2 * own, channels[1], 4, 2, 1)
        inner = [] if innermost else [UnetLevel((own, own), widths, level + 1)]
        norm = nn.InstanceNorm2d(channels[1], affine=True)
        layers: list[nn.Module] = [] if outermost else [nn.LeakyReLU(0.2)]
        layers += [down] if outermost or innermost else [down, nn.InstanceNorm2d(own, affine=True)]
        layers += [*inner, nn.ReLU(), up, nn.Tanh() if outermost else norm]
        self.model = nn.Sequential(*layers)
        self.outermost = outermost

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


def shaken(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with weights that make its outputs vary, ready to be asked; norms far from 1 and 0."""
    generator = torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        values = torch.randn(weight.shape, generator=generator)
        weight.data = values * (0.3 if weight.ndim > 1 else 0.5)
    return network.eval().requires_grad_(False)
