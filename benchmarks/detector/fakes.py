"""Pictures of known origin for the detector: photographs, and what up-convolution networks make of them.

No outside data but photographs: the networks are our own, of several shapes and ways of up-sampling,
with random weights or trained for a minute to give back what they are shown.
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


def doubling(kind: str, inner: int, outer: int) -> nn.Module:
    """(B, inner, H, W) -> (B, outer, 2H, 2W)."""
    if kind.startswith("transposed"):
        kernel = int(kind[-1])
        return nn.ConvTranspose2d(
            inner, outer, kernel, stride=2, padding=(kernel - 1) // 2, output_padding=kernel % 2
        )
    if kind == "shuffle":
        return nn.Sequential(nn.Conv2d(inner, 4 * outer, 3, padding=1), nn.PixelShuffle(2))
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=kind), nn.Conv2d(inner, outer, 3, padding=1))


class Halving(nn.Module):
    """One level of an hourglass: halve, what lies inside, double; a U-Net keeps the input beside."""

    def __init__(self, channels: int, wider: int, inside: nn.Module | None, kind: str, skip: bool) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(channels, wider, 4, stride=2, padding=1), norm(wider), nn.ReLU())
        self.inside = inside or nn.Identity()
        self.up = nn.Sequential(doubling(kind, wider, channels), norm(channels), nn.ReLU())
        self.merge = nn.Conv2d(2 * channels, channels, 1) if skip else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        answer: Tensor = self.up(self.inside(self.down(x)))
        return answer if self.merge is None else self.merge(torch.cat([x, answer], 1))


class Residual(nn.Module):
    """Two convolutions and the way round them."""

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
        answer: Tensor = x + self.body(x)
        return answer


def norm(channels: int) -> nn.Module:
    """Instance norm, as most translators have."""
    return nn.InstanceNorm2d(channels, affine=True)


def network(shape: str, kind: str, rng: np.random.Generator) -> nn.Module:
    """A translator (B, 3, H, W) -> (B, 3, H, W) in [-1, 1] with random weights; sides are multiples of 32.

    resnet: 2 or 3 levels with residual blocks; unet: 3 to 5 levels, inputs kept beside; decoder: 3 to 5
    levels, nothing kept, as where a picture is made from a code.
    """
    width = int(rng.choice([12, 16, 24]))
    levels = int(rng.integers(2, 4)) if shape == "resnet" else int(rng.integers(3, 6))
    inside: nn.Module | None = None
    if shape == "resnet":
        widest = min(width * 2**levels, 96)
        inside = nn.Sequential(*(Residual(widest) for _ in range(int(rng.integers(1, 4)))))
    for level in reversed(range(levels)):
        narrow, wide = min(width * 2**level, 96), min(width * 2 ** (level + 1), 96)
        inside = Halving(narrow, wide, inside, kind, skip=shape == "unet")
    assert inside is not None
    last = int(rng.choice([1, 3, 7]))  # small last convolutions hide the least
    net = nn.Sequential(
        nn.Conv2d(3, width, 5, padding=2),
        nn.ReLU(),
        inside,
        nn.Conv2d(width, 3, last, padding=last // 2),
        nn.Tanh(),
    )
    spread = float(rng.uniform(0.02, 0.3))
    for module in net.modules():
        if isinstance(module, nn.ConvTranspose2d) and rng.random() < 0.5:
            nn.init.normal_(module.weight, 0, spread)  # the start of most published systems
    return net


@torch.no_grad()
def translated(net: nn.Module, pixels: Pixels) -> Pixels:
    """What a network makes of a photograph, with the photograph's mean and spread of colours."""
    image = to_tensor(pixels)
    answer = net(image)
    wanted, spread = image.mean((2, 3), keepdim=True), image.std((2, 3), keepdim=True)
    answer = (answer - answer.mean((2, 3), keepdim=True)) / (answer.std((2, 3), keepdim=True) + 1e-4)
    return to_pixels(answer * spread + wanted)


@torch.no_grad()
def reconstructed(net: nn.Module, pixels: Pixels) -> Pixels:
    """What a trained network makes of a photograph, as it is."""
    return to_pixels(net(to_tensor(pixels)))


def train_to_reconstruct(
    net: nn.Module,
    photographs: Sequence[Pixels],
    rng: np.random.Generator,
    steps: int,
    *,
    from_grey: bool = False,
    critic: nn.Module | None = None,
) -> None:
    """Teach a network to give back what it is shown: mean absolute error, batches of 4 crops of 64 px.

    from_grey: it is shown without its colours. critic: its answers shall also pass for photographs, as those
    of published systems do; taught beside it.
    """
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    other = torch.optim.Adam(critic.parameters(), 5e-4) if critic is not None else None
    for _ in range(steps):
        chosen = [photographs[index] for index in rng.integers(0, len(photographs), 4)]
        batch = torch.cat([to_tensor(random_crop(each, 64, rng)) for each in chosen])
        answer = net(batch.mean(1, keepdim=True).expand_as(batch) if from_grey else batch)
        loss = (answer - batch).abs().mean()
        if critic is not None:
            loss = loss + 0.03 * softplus(-critic(answer)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if critic is not None and other is not None:
            other.zero_grad()
            (softplus(critic(answer.detach())).mean() + softplus(-critic(batch)).mean()).backward()
            other.step()


def patch_critic() -> nn.Module:
    """(B, 3, H, W) -> (B, 1, H/4 - 1, W/4 - 1): how much each patch looks like a photograph."""
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
    """(H, W, 3) -> (size, size, 3) at any place."""
    top = int(rng.integers(0, pixels.shape[0] - size + 1))
    left = int(rng.integers(0, pixels.shape[1] - size + 1))
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


class Photographs:
    """The photographs of one source; each is read once and kept at no more than `LARGEST` pixels a side."""

    def __init__(self, name: str, *folders: Path) -> None:
        self.name = name
        self.files = [file for folder in folders for file in find_images(folder)]
        self._read: dict[Path, Image.Image] = {}

    def crop(self, index: int, size: int, rng: np.random.Generator) -> Pixels:
        """A square of so many pixels from one photograph.

        Mostly the photograph is first made smaller by a random factor, so that a square shows more than
        a patch of sky, and the traces of the camera and of its own JPEG go; a quarter stays as it is.
        """
        picture = self._picture(self.files[index % len(self.files)])
        least = size / min(picture.size)
        factor = 1.0 if rng.random() < 0.25 else float(np.exp(rng.uniform(np.log(min(least, 1)), 0)))
        factor = max(factor, least)
        if factor != 1:
            box = (max(size, round(picture.width * factor)), max(size, round(picture.height * factor)))
            picture = picture.resize(box, RESIZERS[int(rng.integers(3))])
        return random_crop(np.asarray(picture), size, rng)

    def _picture(self, file: Path) -> Image.Image:
        if file not in self._read:
            picture = Image.open(file).convert("RGB")
            # One in two large photographs is cut instead of shrunk, and so keeps its camera's traces.
            if len(self._read) % 2:
                left, top = (picture.width - LARGEST) // 2, (picture.height - LARGEST) // 2
                box = (max(0, left), max(0, top), *(min(side, LARGEST) for side in picture.size))
                picture = picture.crop((box[0], box[1], box[0] + box[2], box[1] + box[3]))
            picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
            self._read[file] = picture
        return self._read[file]


def luminance(pixels: Pixels) -> NDArray[np.uint8]:
    """(H, W, 3) -> (H, W): the picture in grey."""
    return np.asarray(Image.fromarray(pixels).convert("L"))


def jpeg(pixels: Pixels, quality: int, subsampling: int = 2) -> Pixels:
    """A picture after so much JPEG."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer).convert("RGB"))


def resized(pixels: Pixels, factor: float, method: Image.Resampling = Image.Resampling.BICUBIC) -> Pixels:
    """A picture made larger or smaller."""
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((round(width * factor), round(height * factor)), method))


def blurred(pixels: Pixels, radius: float) -> Pixels:
    """A picture out of focus."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def noisy(pixels: Pixels, deviation: float, rng: np.random.Generator) -> Pixels:
    """A picture with the noise of a sensor, in levels of 255."""
    values = pixels + rng.normal(0, deviation, pixels.shape)
    return (values + 0.5).clip(0, 255).astype(np.uint8)
