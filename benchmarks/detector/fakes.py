"""Images of known origin for the detector: photographs, and fakes of them by up-convolution networks.

The only external data is photographs: the networks are our own, of several shapes and kinds of up-sampling,
with random weights or trained for a minute to reconstruct their input.
"""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor, nn
from torch.nn.functional import softplus

from i2icli.image.finding import find_images

Pixels = NDArray[np.uint8]  # (H, W, 3)

INTERPOLATING = ("nearest", "bilinear")
UPSAMPLINGS = ("transposed2", "transposed3", "transposed4", "shuffle", *INTERPOLATING)
SHAPES = ("resnet", "unet", "decoder")
LARGEST = 1600  # pixels of a photograph's longer side
RESIZERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def upsampling(kind: str, inner: int, outer: int) -> nn.Module:
    """(B, inner, H, W) -> (B, outer, 2H, 2W)."""
    if kind.startswith("transposed"):
        kernel = int(kind[-1])
        return nn.ConvTranspose2d(
            inner, outer, kernel, stride=2, padding=(kernel - 1) // 2, output_padding=kernel % 2
        )
    if kind == "shuffle":
        return nn.Sequential(nn.Conv2d(inner, 4 * outer, 3, padding=1), nn.PixelShuffle(2))
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=kind), nn.Conv2d(inner, outer, 3, padding=1))


class Level(nn.Module):
    """One level of an hourglass: downsample, inner levels, upsample; with a skip connection in a U-Net."""

    def __init__(self, channels: int, wider: int, inside: nn.Module | None, kind: str, skip: bool) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(channels, wider, 4, stride=2, padding=1), norm(wider), nn.ReLU())
        self.inside = inside or nn.Identity()
        self.up = nn.Sequential(upsampling(kind, wider, channels), norm(channels), nn.ReLU())
        self.merge = nn.Conv2d(2 * channels, channels, 1) if skip else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        output: Tensor = self.up(self.inside(self.down(x)))
        return output if self.merge is None else self.merge(torch.cat([x, output], 1))


class Residual(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            norm(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            norm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        output: Tensor = x + self.body(x)
        return output


def norm(channels: int) -> nn.Module:
    """Instance norm, as in most translators."""
    return nn.InstanceNorm2d(channels, affine=True)


def network(shape: str, kind: str, rng: np.random.Generator) -> nn.Module:
    """A translator (B, 3, H, W) -> (B, 3, H, W) in [-1, 1] with random weights; sides are multiples of 32.

    resnet: 2 or 3 levels with residual blocks; unet: 3 to 5 levels with skip connections; decoder: 3 to 5
    levels without, as in generators from latent codes.
    """
    width = int(rng.choice([12, 16, 24]))
    levels = int(rng.integers(2, 4)) if shape == "resnet" else int(rng.integers(3, 6))
    inside: nn.Module | None = None
    if shape == "resnet":
        widest = min(width * 2**levels, 96)
        inside = nn.Sequential(*(Residual(widest) for _ in range(int(rng.integers(1, 4)))))
    for level in reversed(range(levels)):
        narrow, wide = min(width * 2**level, 96), min(width * 2 ** (level + 1), 96)
        inside = Level(narrow, wide, inside, kind, skip=shape == "unet")
    assert inside is not None
    last = int(rng.choice([1, 3, 7]))  # small kernels smooth the lattice least
    net = nn.Sequential(
        nn.Conv2d(3, width, 5, padding=2),
        nn.ReLU(),
        inside,
        nn.Conv2d(width, 3, last, padding=last // 2),
        nn.Tanh(),
    )
    deviation = float(rng.uniform(0.02, 0.3))
    for module in net.modules():
        if isinstance(module, nn.ConvTranspose2d) and rng.random() < 0.5:
            nn.init.normal_(module.weight, 0, deviation)  # as most published systems
    return net


@torch.no_grad()
def translated(net: nn.Module, pixels: Pixels) -> Pixels:
    """The output of a network for a photograph, with the photograph's colour statistics."""
    image = to_tensor(pixels)
    output = net(image)
    mean, deviation = image.mean((2, 3), keepdim=True), image.std((2, 3), keepdim=True)
    output = (output - output.mean((2, 3), keepdim=True)) / (output.std((2, 3), keepdim=True) + 1e-4)
    return to_pixels(output * deviation + mean)


@torch.no_grad()
def reconstructed(net: nn.Module, pixels: Pixels) -> Pixels:
    """The output of a trained network for a photograph."""
    return to_pixels(net(to_tensor(pixels)))


def train_to_reconstruct(
    net: nn.Module,
    photographs: Sequence[Pixels],
    rng: np.random.Generator,
    steps: int,
    *,
    from_grey: bool = False,
    given: Sequence[Pixels] | None = None,
    critic: nn.Module | None = None,
    weight: float = 0.03,
) -> None:
    """Train a network to reconstruct its input: L1 loss, batches of 4 crops of 64 px.

    from_grey: the input is grey. given: inputs, one for each photograph and as large, instead of photographs.
    critic: adds an adversarial loss of some weight; the critic is trained alongside.
    """
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    other = torch.optim.Adam(critic.parameters(), 5e-4) if critic is not None else None
    for _ in range(steps):
        chosen = rng.integers(0, len(photographs), 4)
        if given is None:
            batch = torch.cat([to_tensor(random_crop(photographs[index], 64, rng)) for index in chosen])
            source = batch.mean(1, keepdim=True).expand_as(batch) if from_grey else batch
        else:
            crops = [
                random_crop(np.concatenate([photographs[index], given[index]], 2), 64, rng)
                for index in chosen
            ]
            batch, source = torch.cat([to_tensor(each) for each in crops]).split(3, 1)
        output = net(source)
        loss = (output - batch).abs().mean()
        if critic is not None:
            loss = loss + weight * softplus(-critic(output)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if critic is not None and other is not None:
            other.zero_grad()
            (softplus(critic(output.detach())).mean() + softplus(-critic(batch)).mean()).backward()
            other.step()


def patch_critic() -> nn.Module:
    """(B, 3, H, W) -> (B, 1, H/4 - 1, W/4 - 1): logits of each patch being real."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 4, stride=2, padding=1),
        nn.InstanceNorm2d(32),
        nn.LeakyReLU(0.2),
        nn.Conv2d(32, 1, 4, padding=1),
    )


def to_tensor(pixels: Pixels) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)[None]


def to_pixels(image: Tensor) -> Pixels:
    """(1, 3, H, W) in [-1, 1] -> (H, W, 3) uint8."""
    array: Pixels = ((image[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    return array


def random_crop(pixels: Pixels, size: int, rng: np.random.Generator) -> Pixels:
    """(H, W, 3) -> (size, size, 3) at a random position."""
    top = int(rng.integers(0, pixels.shape[0] - size + 1))
    left = int(rng.integers(0, pixels.shape[1] - size + 1))
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


class Photographs:
    """The photographs of one source; each is read once and cached at a longer side of at most `LARGEST`."""

    def __init__(self, name: str, *folders: Path) -> None:
        self.name = name
        self.files = [file for folder in folders for file in find_images(folder)]
        self._read: dict[Path, Image.Image] = {}

    def crop(self, index: int, size: int, rng: np.random.Generator) -> Pixels:
        """A square crop of a photograph.

        Three in four are downscaled by a random factor first, so that a crop shows more than a patch of sky,
        and traces of the camera and of its JPEG disappear.
        """
        image = self._image(self.files[index % len(self.files)])
        least = size / min(image.size)
        factor = 1.0 if rng.random() < 0.25 else float(np.exp(rng.uniform(np.log(min(least, 1)), 0)))
        factor = max(factor, least)
        if factor != 1:
            box = (max(size, round(image.width * factor)), max(size, round(image.height * factor)))
            image = image.resize(box, RESIZERS[int(rng.integers(3))])
        return random_crop(np.asarray(image), size, rng)

    def _image(self, file: Path) -> Image.Image:
        if file not in self._read:
            image = Image.open(file).convert("RGB")
            # One in two large photographs is cropped instead of downscaled, which keeps the camera's traces.
            if len(self._read) % 2:
                left, top = (image.width - LARGEST) // 2, (image.height - LARGEST) // 2
                box = (max(0, left), max(0, top), *(min(side, LARGEST) for side in image.size))
                image = image.crop((box[0], box[1], box[0] + box[2], box[1] + box[3]))
            image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
            self._read[file] = image
        return self._read[file]


def luminance(pixels: Pixels) -> NDArray[np.uint8]:
    """(H, W, 3) -> (H, W): luminance."""
    return np.asarray(Image.fromarray(pixels).convert("L"))


def jpeg(pixels: Pixels, quality: int, subsampling: int = 2) -> Pixels:
    """JPEG compression."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer).convert("RGB"))


def resized(pixels: Pixels, factor: float, method: Image.Resampling = Image.Resampling.BICUBIC) -> Pixels:
    """Resizing by a factor."""
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((round(width * factor), round(height * factor)), method))


def blurred(pixels: Pixels, radius: float) -> Pixels:
    """Gaussian blur."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def noisy(pixels: Pixels, deviation: float, rng: np.random.Generator) -> Pixels:
    """Gaussian noise, deviation in levels of 255."""
    values = pixels + rng.normal(0, deviation, pixels.shape)
    return (values + 0.5).clip(0, 255).astype(np.uint8)
