"""The networks around latent codes: the encoder and the discriminator of codes."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from i2icli.nn.norm import BatchNorm, Norm, build_norm, needs_bias
from i2icli.systems.augmented_cyclegan.sizes import exactly

LIMIT = 4.0  # codes drawn from a predicted Gaussian are kept in [-4, 4], as in the authors' program


class LatentEncoder(nn.Module):
    """Read off an image the code that tells it from the other outputs of its counterpart.

    Almahairi et al., ICML 2018. Batch norm uses the statistics gathered in training when it
    translates: the last norm sees one pixel per image, so a single image has none of its own.
    """

    def __init__(
        self, in_channels: int, num_latents: int = 16, width: int = 32, norm: Norm = "batch"
    ) -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.stem = nn.Conv2d(in_channels, width, 3, stride=2, padding=1)
        self.convs = nn.ModuleList(
            nn.Conv2d(width * 2**i, width * 2 ** (i + 1), 3, stride=2, padding=1, bias=bias) for i in range(3)
        )
        self.convs.append(nn.Conv2d(8 * width, 8 * width, 4, bias=bias))
        self.norms = nn.ModuleList(build_norm(norm, width * 2 ** (i + 1), "running") for i in range(3))
        self.norms.append(BatchNorm(8 * width, "running") if norm == "batch" else nn.Identity())
        self.mean = nn.Conv2d(8 * width, num_latents, 1)
        self.log_variance = nn.Conv2d(8 * width, num_latents, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, C, H, W) -> mean and log variance, (B, Z) each. The network's own size is 64 px."""
        x = relu(self.stem(x))  # (B, width, H/2, W/2)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            if conv is self.convs[-1]:
                x = exactly(x, 4)  # (B, 8 width, 4, 4), as it is at 64 px
            x = relu(norm(conv(x)))  # (B, 2C, h/2, w/2), at last (B, 8 width, 1, 1)
        return self.mean(x).flatten(1), self.log_variance(x).flatten(1)  # (B, Z) each


class LatentDiscriminator(nn.Module):
    """Tell encoded codes from codes drawn from N(0, 1)."""

    def __init__(self, num_latents: int = 16, width: int = 64, *, batch_norm: bool = True) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(size, width) for size in (num_latents, width, width))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) if batch_norm else nn.Identity() for _ in range(3))
        self.head = nn.Linear(width, 1)

    def forward(self, code: Tensor) -> Tensor:
        """code: (B, Z) -> (B, 1) scores."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            code = leaky_relu(norm(layer(code)), 0.2)  # (B, width)
        return self.head(code)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Codes:
    """What an encoder says about a batch of images, (B, Z) each."""

    mean: Tensor
    log_variance: Tensor
    drawn: Tensor  # from that Gaussian where the encoder is stochastic, else the mean

    @classmethod
    def of(cls, mean: Tensor, log_variance: Tensor, *, stochastic: bool) -> "Codes":
        """Draw, if they are to be drawn, from torch's default generator; kept within [-4, 4]."""
        if not stochastic:
            return cls(mean, log_variance, mean)
        noise = torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return cls(mean, log_variance, torch.clamp(mean + noise, -LIMIT, LIMIT))
