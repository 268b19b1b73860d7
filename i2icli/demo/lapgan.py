"""The LAPGAN demonstration: small landscapes enlarged, and others made up from coarse to fine."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from i2icli.demo.demo import SIDE, TEST, Demo, Shown, made_up, mean_psnr
from i2icli.demo.toy.landscapes import write_landscapes
from i2icli.image import read_image, to_pixels, to_tensor
from i2icli.inference.latents import draw_codes
from i2icli.inference.translator import Translator
from i2icli.nn.pyramid import downsample
from i2icli.nn.spectrum import spectral_distance

TRAIN = 600  # scenes: what is made up has to be learned from many
SMALL = SIDE // 4  # pixels

Pixels = NDArray[Any]


def _write(folder: Path, seed: int) -> None:
    write_landscapes(folder, TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    paths = sorted((folder / "test").glob("*.png"))
    rows = [
        [*_enlarged(translator, path), made]
        for path, made in zip(paths, _made_up(translator, len(paths)), strict=True)
    ]
    _, bicubic, answers, truths, _ = zip(*rows, strict=True)
    figures = (
        ("PSNR of pictures enlarged 4 times against the truth", f"{mean_psnr(answers, truths):.1f} dB"),
        ("PSNR of bicubic interpolation", f"{mean_psnr(bicubic, truths):.1f} dB"),
        ("spectral distance of pictures enlarged 4 times to the truth", f"{_distance(answers, truths):.1f}"),
        ("spectral distance of bicubic interpolation", f"{_distance(bicubic, truths):.1f}"),
    )
    return Shown(("small", "bicubic x4", "output x4", "truth", "made up"), rows, figures)


def _enlarged(translator: Translator, path: Path) -> list[Pixels]:
    """A test picture shrunk, enlarged by interpolation and by the model, and as it is."""
    truth = read_image(path).pixels
    small = downsample(to_tensor(truth)[None], (SMALL, SMALL))  # (1, C, h, w)
    pixels = to_pixels(small[0], np.uint8)
    bicubic = interpolate(small, truth.shape[:2], mode="bicubic", align_corners=False)  # (1, C, H, W)
    answer = np.asarray(translator.translate(pixels, to="x4"))
    return [pixels, to_pixels(bicubic[0], np.uint8), answer, truth]


def _made_up(translator: Translator, count: int) -> list[Pixels]:
    """So many pictures of nothing but noise, (H, W, C) each."""
    codes = draw_codes(count, translator.system.latent_size(), seed=0)  # (B, Z)
    return [to_pixels(image, np.uint8) for image in made_up(translator, codes)]


def _distance(images: tuple[Pixels, ...], truths: tuple[Pixels, ...]) -> float:
    """Mean spectral distance of pictures (H, W, C) to their truth."""
    both = (torch.stack([to_tensor(each) for each in group]) for group in (images, truths))  # (B, C, H, W)
    return float(spectral_distance(*both).mean())


DEMO = Demo("lapgan", "landscapes from coarse to fine", "landscapes", _write, _show)
