"""Synthetic photographs and fakes for tests: noise with the spectrum of photographs."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn


def photograph(seed: int, size: int = 128) -> np.ndarray:
    """Colour noise that falls with frequency, (size, size, 3) uint8, as edges and texture do."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)) + 1 / size
    common = np.fft.fft2(rng.normal(size=(size, size))) / frequency**1.2
    planes = [
        np.fft.ifft2(common + 0.3 * np.fft.fft2(rng.normal(size=(size, size))) / frequency).real
        for _ in range(3)
    ]
    values = np.stack(planes, -1)
    values = (values - values.mean((0, 1))) / values.std((0, 1)) * 45 + rng.uniform(90, 160, 3)
    return (values + rng.normal(0, 1.5, values.shape) + 0.5).clip(0, 255).astype(np.uint8)


@torch.no_grad()
def faked(pixels: np.ndarray, seed: int) -> np.ndarray:
    """The output of an untrained network with two transposed convolutions."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, output_padding=1),
    )
    image = torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)[None]
    output = net(image)
    output = (output - output.mean((2, 3), keepdim=True)) / output.std((2, 3), keepdim=True)
    output = output * image.std((2, 3), keepdim=True) + image.mean((2, 3), keepdim=True)
    return ((output[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()


def write_folders(folder: Path, number: int, size: int = 96) -> tuple[Path, Path]:
    """Write `number` PNG files each into real/ and fake/."""
    real, fake = folder / "real", folder / "fake"
    for each in (real, fake):
        each.mkdir(parents=True)
    for index in range(number):
        pixels = photograph(index, size)
        Image.fromarray(pixels).save(real / f"{index}.png")
        Image.fromarray(faked(photograph(1000 + index, size), index)).save(fake / f"{index}.png")
    return real, fake
