"""Spectral DCGAN demo: faces generated from noise, and their spectral distance to real ones."""

from pathlib import Path

import numpy as np
import torch

from i2icli.demo.demo import TEST, Demo, DemoResults, generated, latent_size
from i2icli.demo.toy.sprites import write_sprites
from i2icli.image import read_image, to_pixels, to_tensor
from i2icli.inference.latents import draw_codes
from i2icli.inference.translator import Translator
from i2icli.training.sample_spectra import SampleSpectra

SIDE = 32  # pixels
TRAIN = 1000  # faces
SAMPLES = 4  # per row


def _write(folder: Path, seed: int) -> None:
    write_sprites(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    """Samples from random codes, beside a test image for comparison."""
    paths = sorted((folder / "test").glob("*.png"))
    codes = draw_codes(SAMPLES * len(paths), latent_size(translator), seed=0)  # (N, Z)
    images = generated(translator, codes)  # (N, C, H, W)
    real = [read_image(path).pixels for path in paths]
    rows = [
        [*(to_pixels(image, np.uint8) for image in images[SAMPLES * n : SAMPLES * (n + 1)]), pixels]
        for n, pixels in enumerate(real)
    ]
    spectra = SampleSpectra()
    spectra.add({"": (torch.from_numpy(images), torch.stack([to_tensor(pixels) for pixels in real]))})
    scores = spectra.scores()
    metrics = (
        (
            "spectral distance of samples to test images (best 0)",
            f"{scores['spectral_distance']:.1f}",
        ),
        ("checkerboard power relative to test images (best 1)", f"{scores['checkerboard']:.2f}"),
    )
    return DemoResults((*(f"sample {n + 1}" for n in range(SAMPLES)), "real"), rows, metrics)


DEMO = Demo("spectral_dcgan", "faces from noise, and their spectrum", "sprites", _write, _evaluate)
