"""LAPGAN demo: landscapes upscaled, and others generated from coarse to fine."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from i2icli.demo.demo import SIDE, TEST, Demo, DemoResults, generated, latent_size, mean_psnr
from i2icli.demo.toy.landscapes import write_landscapes
from i2icli.image import read_image, to_pixels, to_tensor
from i2icli.inference.latents import draw_codes
from i2icli.inference.translator import Translator
from i2icli.nn.pyramid import downsample
from i2icli.nn.spectrum import spectral_distance

TRAIN = 600  # scenes: generation needs more of them
SMALL = SIDE // 4  # pixels

Pixels = NDArray[Any]


def _write(folder: Path, seed: int) -> None:
    write_landscapes(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    paths = sorted((folder / "test").glob("*.png"))
    rows = [
        [*_upscaled(translator, path), sample]
        for path, sample in zip(paths, _samples(translator, len(paths)), strict=True)
    ]
    _, bicubic, outputs, truths, _ = zip(*rows, strict=True)
    metrics = (
        ("PSNR of 4x upscaling against the truth", f"{mean_psnr(outputs, truths):.1f} dB"),
        ("PSNR of bicubic interpolation", f"{mean_psnr(bicubic, truths):.1f} dB"),
        ("spectral distance of 4x upscaling to the truth", f"{_distance(outputs, truths):.1f}"),
        ("spectral distance of bicubic interpolation", f"{_distance(bicubic, truths):.1f}"),
    )
    return DemoResults(("small", "bicubic x4", "output x4", "truth", "sample"), rows, metrics)


def _upscaled(translator: Translator, path: Path) -> list[Pixels]:
    """A test image downscaled, upscaled again by interpolation and by the model, and the original."""
    truth = read_image(path).pixels
    small = downsample(to_tensor(truth)[None], (SMALL, SMALL))  # (1, C, h, w)
    pixels = to_pixels(small[0], np.uint8)
    bicubic = interpolate(small, truth.shape[:2], mode="bicubic", align_corners=False)  # (1, C, H, W)
    output = np.asarray(translator.translate(pixels, to="x4"))
    return [pixels, to_pixels(bicubic[0], np.uint8), output, truth]


def _samples(translator: Translator, count: int) -> list[Pixels]:
    """Images generated from noise, (H, W, C) each."""
    codes = draw_codes(count, latent_size(translator), seed=0)  # (B, Z)
    return [to_pixels(image, np.uint8) for image in generated(translator, codes)]


def _distance(images: tuple[Pixels, ...], truths: tuple[Pixels, ...]) -> float:
    """Mean spectral distance of images (H, W, C) to their ground truth."""
    both = (torch.stack([to_tensor(each) for each in group]) for group in (images, truths))  # (B, C, H, W)
    return float(spectral_distance(*both).mean())


DEMO = Demo("lapgan", "landscapes from coarse to fine", "landscapes", _write, _evaluate)
