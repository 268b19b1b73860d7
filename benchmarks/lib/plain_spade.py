"""The baseline: SPADE in the style of classic scripts, with plain modules in eager float32.

One-hot planes that every layer shrinks for itself, two convolutions for scale and shift, `torch.nn.utils`'s
spectral norm. Module names are those of `i2icli.systems.spade`, so that both can start from the same weights.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, l1_loss, leaky_relu, relu
from torch.nn.utils import spectral_norm


class Layer(nn.Module):
    """A SPADE layer."""

    def __init__(self, channels: int, label_channels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.shared = nn.Conv2d(label_channels, hidden, 3, padding=1)
        self.gamma, self.beta = (nn.Conv2d(hidden, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor, planes: Tensor) -> Tensor:
        hidden = relu(self.shared(interpolate(planes, x.shape[2:], mode="nearest")))
        return self.norm(x) * (1 + self.gamma(hidden)) + self.beta(hidden)


class Block(nn.Module):
    """A residual block."""

    def __init__(self, before: int, after: int, label_channels: int, hidden: int) -> None:
        super().__init__()
        middle = min(before, after)
        self.norm_0, self.norm_1 = (Layer(each, label_channels, hidden) for each in (before, middle))
        self.conv_0 = spectral_norm(nn.Conv2d(before, middle, 3, padding=1))
        self.conv_1 = spectral_norm(nn.Conv2d(middle, after, 3, padding=1))
        self.learned = before != after
        if self.learned:
            self.norm_s = Layer(before, label_channels, hidden)
            self.conv_s = spectral_norm(nn.Conv2d(before, after, 1, bias=False))

    def forward(self, x: Tensor, planes: Tensor) -> Tensor:
        hidden = self.conv_0(leaky_relu(self.norm_0(x, planes), 0.2))
        hidden = self.conv_1(leaky_relu(self.norm_1(hidden, planes), 0.2))
        return (self.conv_s(self.norm_s(x, planes)) if self.learned else x) + hidden


class Generator(nn.Module):
    """Five upsamplings."""

    def __init__(self, label_channels: int, width: int, hidden: int) -> None:
        super().__init__()
        widest, sizes = 16 * width, (label_channels, hidden)
        self.start = nn.Conv2d(label_channels, widest, 3, padding=1)
        self.head = Block(widest, widest, *sizes)
        self.middle = nn.ModuleList(Block(widest, widest, *sizes) for _ in range(2))
        self.levels = nn.ModuleList(Block(widest >> n, widest >> n + 1, *sizes) for n in range(4))
        self.image = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, planes: Tensor) -> Tensor:
        height, width = planes.shape[2:]
        x = self.start(interpolate(planes, (height // 32, width // 32), mode="nearest"))
        x = interpolate(self.head(x, planes), scale_factor=2.0)
        for block in self.middle:
            x = block(x, planes)
        for block in self.levels:
            x = block(interpolate(x, scale_factor=2.0), planes)
        return torch.tanh(self.image(leaky_relu(x, 0.2)))


class Normalised(nn.Module):
    """A convolution of a discriminator with its norms."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv = spectral_norm(nn.Conv2d(before, after, 4, stride, 2, bias=False))
        self.norm = nn.InstanceNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Scale(nn.Module):
    """The discriminator of one scale."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 4, 2, 2)
        strides = enumerate((2, 2, 1))
        self.layers = nn.ModuleList(Normalised(width << n, width << n + 1, stride) for n, stride in strides)
        self.head = nn.Conv2d(8 * width, 1, 4, 1, 2)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [leaky_relu(self.stem(x), 0.2)]
        for layer in self.layers:
            maps.append(leaky_relu(layer(maps[-1]), 0.2))
        return [*maps, self.head(maps[-1])]


class Discriminators(nn.Module):
    """Those of two scales."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(Scale(channels, width) for _ in range(2))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        small = avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return [scale(image) for scale, image in zip(self.discriminators, (x, small), strict=True)]


class PlainSPADE:
    """Networks, optimisers, the training step and the forward pass of inference, without styles."""

    def __init__(self, label_channels: int, width: int, hidden: int) -> None:
        self.label_channels = label_channels
        self.G = Generator(label_channels, width, hidden)
        self.D = Discriminators(label_channels + 3, width)
        self.optimizer_G = torch.optim.Adam(self.G.parameters(), 1e-4, (0.0, 0.9))
        self.optimizer_D = torch.optim.Adam(self.D.parameters(), 4e-4, (0.0, 0.9))

    def planes(self, labels: Tensor) -> Tensor:
        """(B, 1, H, W) class indices -> one-hot planes."""
        planes = torch.zeros(len(labels), self.label_channels, *labels.shape[2:])
        return planes.scatter_(1, labels, 1.0)

    def step(self, labels: Tensor, image: Tensor) -> tuple[float, float]:
        """One training step; the losses of D and G without feature matching."""
        planes = self.planes(labels)
        fake = self.G(planes)
        fakes, reals = self._discriminated(planes, fake, image)
        gan = torch.stack([-maps[-1].mean() for maps in fakes]).mean()
        matching = torch.zeros(())
        for mine, theirs in zip(fakes, reals, strict=True):
            for a, b in zip(mine[:-1], theirs[:-1], strict=True):
                matching = matching + 10 * l1_loss(a, b.detach()) / 2
        self.optimizer_G.zero_grad()
        (gan + matching).backward()
        self.optimizer_G.step()
        with torch.no_grad():
            fake = self.G(planes)
        fakes, reals = self._discriminated(planes, fake, image)
        hinges = [relu(1 + f[-1]).mean() + relu(1 - r[-1]).mean() for f, r in zip(fakes, reals, strict=True)]
        self.optimizer_D.zero_grad()
        loss = torch.stack(hinges).mean()
        loss.backward()
        self.optimizer_D.step()
        return loss.item(), gan.item()

    def translate(self, labels: Tensor) -> Tensor:
        """Photos of label maps."""
        self.G.eval()
        with torch.no_grad():
            return self.G(self.planes(labels))

    def _discriminated(
        self, planes: Tensor, fake: Tensor, real: Tensor
    ) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
        pairs = torch.cat([torch.cat([planes, fake], 1), torch.cat([planes, real], 1)])
        scales, count = self.D(pairs), len(fake)
        fakes = [[each[:count] for each in maps] for maps in scales]
        return fakes, [[each[count:] for each in maps] for maps in scales]


def plain_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of one of our networks under the names of the plain one."""
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        value = tensor.detach().clone()
        layer, _, last = name.rpartition(".")
        if layer.endswith("gamma_beta"):
            start = layer.removesuffix("gamma_beta")
            gamma, beta = value.chunk(2)
            found |= {f"{start}gamma.{last}": gamma, f"{start}beta.{last}": beta}
        elif layer.endswith(".spectral"):
            found[f"{layer.removesuffix('.spectral')}.weight_{last}"] = value
        elif f"{layer}.spectral.u" in state and last == "weight":
            found[f"{layer}.weight_orig"] = value
        else:
            found[name] = value
    return found
