"""SPADE's generator, its encoder of styles and its discriminators."""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from i2icli.nn.blocks import ConvNorm
from i2icli.nn.label_conv import LabelConv2d, LabelPlanes
from i2icli.nn.multiscale import MultiscaleDiscriminator, PatchFeatures
from i2icli.nn.norm import InstanceNorm
from i2icli.nn.recomputation import checkpointed
from i2icli.nn.spade import SPADE, Modulation, SPADEBlock, conv
from i2icli.nn.spectral_norm import SpectralConv2d
from i2icli.nn.upsampling import upsample_2x
from i2icli.systems.spade.config import ENCODER_END, NumUpsampling, SPADEConfig

GAIN = 0.02  # of Glorot's initialisation, as in the authors' code
WIDEST = 8  # the encoder's last layers have 8 times the channels of its first


@dataclass(frozen=True)
class Latent:
    """What a generator that reads a latent code starts from."""

    count: int  # numbers in a code, Z
    first_size: tuple[int, int]  # (height, width) of its first map, hence the only size of its images


class Generator(nn.Module):
    """Park et al., CVPR 2019, figures 4 and 11: blocks and upsamplings from a few pixels to the image.

    It starts from the shrunken label map, so that every pixel has its class, or from a latent code.
    """

    def __init__(
        self,
        modulation: Modulation,
        out_channels: int,
        width: int,
        num_levels: int,
        num_upsampling: NumUpsampling = "normal",
        latent: Latent | None = None,
    ) -> None:
        super().__init__()
        self.num_upsampling, self.latent = num_upsampling, latent
        self.recompute = False  # whether activations of blocks are computed twice instead of kept
        widths = [width << level for level in range(num_levels, -1, -1)]
        widths += [max(1, width // 2)] if num_upsampling == "most" else []
        first = widths[0]
        if latent is None:
            self.start: nn.Module = LabelConv2d(modulation.label_channels, first)
        else:
            height, across = latent.first_size
            self.start = nn.Linear(latent.count, first * height * across)
        self.head = SPADEBlock(first, first, modulation)
        self.middle = nn.ModuleList(SPADEBlock(first, first, modulation) for _ in range(2))
        self.levels = nn.ModuleList(
            SPADEBlock(before, after, modulation) for before, after in pairwise(widths)
        )
        self.image = nn.Conv2d(widths[-1], out_channels, 3, padding=1)

    @property
    def multiple(self) -> int:
        """The sides of an image over those of the first map."""
        return 1 << 1 + len(self.levels) + (self.num_upsampling != "normal")

    def forward(self, labels: LabelPlanes, code: Tensor | None = None) -> Tensor:
        """labels: a map (B, H, W), its sides multiples of `multiple` -> (B, C, H, W) in [-1, 1].

        code: (K, Z), where it starts from one; then labels may have one row for all codes.
        """
        x = self._run(self.head, self._first(labels, code), labels)  # (B, C, h, w)
        x = self._run(self.middle[0], upsample_2x(x), labels)  # (B, C, 2h, 2w)
        if self.num_upsampling != "normal":
            x = upsample_2x(x)  # (B, C, 4h, 4w)
        x = self._run(self.middle[1], x, labels)
        for level in self.levels:
            x = self._run(level, upsample_2x(x), labels)  # (B, C/2, 2h, 2w)
        return self.image(leaky_relu(x, 0.2)).tanh()  # type: ignore[no-any-return]

    def _first(self, labels: LabelPlanes, code: Tensor | None) -> Tensor:
        if self.latent is None:
            height, width = labels.size
            return self.start(labels.at((height // self.multiple, width // self.multiple)))  # type: ignore[no-any-return]
        return self.start(code).unflatten(1, (-1, *self.latent.first_size))  # type: ignore[no-any-return]

    def _run(self, block: nn.Module, x: Tensor, labels: LabelPlanes) -> Tensor:
        kept = not (self.recompute and self.training)
        return block(x, labels) if kept else checkpointed(block, x, labels)  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """Find the style of a photo, as a Gaussian of latent codes: appendix A, figure 14."""

    def __init__(
        self, in_channels: int, num_latents: int, width: int, side: int = 256, *, spectral: bool = True
    ) -> None:
        """side: power of two, from 8, that photos are brought to."""
        super().__init__()
        self.side = side
        num_layers = (side // ENCODER_END).bit_length() - 1
        widths = [width * min(1 << layer, WIDEST) for layer in range(num_layers)]
        self.layers = nn.ModuleList(
            ConvNorm(conv(before, after, 3, stride=2, spectral=spectral, bias=False), InstanceNorm())
            for before, after in pairwise([in_channels, *widths])
        )
        self.mean = nn.Linear(widths[-1] * ENCODER_END**2, num_latents)
        self.log_variance = nn.Linear(widths[-1] * ENCODER_END**2, num_latents)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """image: (B, C, H, W) in [-1, 1], of any size -> mean and log variance, (B, Z) each."""
        x = interpolate(image, (self.side, self.side), mode="bilinear", align_corners=False)
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.2)  # (B, 2C, h/2, w/2); 8 times the width at most
        x = x.flatten(1)  # (B, C * 4 * 4)
        return self.mean(x), self.log_variance(x)


def build_generator(config: SPADEConfig) -> Generator:
    """The generator of these settings."""
    modulation = Modulation(
        config.label_channels, config.modulation_width, config.kernel, config.norm, config.spectral_norm
    )
    latent = Latent(config.num_latents, config.first_size) if config.vae else None
    G = Generator(
        modulation, config.image_channels, config.width, config.num_levels, config.num_upsampling, latent
    )
    G.recompute = config.checkpoint_activations
    return G


def build_encoder(config: SPADEConfig) -> nn.Module:
    """The encoder of these settings; nothing where styles are not learned."""
    if not config.vae:
        return nn.Identity()
    spectral = config.spectral_norm
    side = config.encoder_side
    return Encoder(config.image_channels, config.num_latents, config.width, side, spectral=spectral)


def build_discriminator(config: SPADEConfig) -> MultiscaleDiscriminator:
    """Discriminators of label map and photo together: appendix A, figure 13."""

    def layer(before: int, after: int, stride: int) -> nn.Module:
        spectral = config.spectral_norm
        return ConvNorm(
            conv(before, after, 4, stride=stride, padding=2, spectral=spectral, bias=False), InstanceNorm()
        )

    channels = config.label_channels + config.image_channels
    width, num_layers = config.discriminator_width, config.num_layers
    return MultiscaleDiscriminator(
        [PatchFeatures(channels, width, num_layers, layer) for _ in range(config.num_scales)]
    )


def init_weights(network: nn.Module) -> None:
    """Glorot's initialisation (section 4); of normalised weights, whose scale makes no difference, torch's.

    So it is in the authors' program on a GPU. Singular vectors start after a step of power iteration.
    """
    if next(network.parameters()).is_meta:
        return  # normal_ on the meta device would import torch's compiler, which takes over a second
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            if isinstance(module, SpectralConv2d):
                module.spectral.iterate(module.weight)
            else:
                nn.init.xavier_normal_(module.weight, GAIN)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in network.modules():
        if isinstance(module, SPADE):  # gamma and beta are two convolutions to Glorot
            for half in module.gamma_beta.weight.detach().chunk(2):
                nn.init.xavier_normal_(half, GAIN)
