"""The spectral DCGAN demonstration: faces out of nothing, and how far their spectrum is from real ones."""

from pathlib import Path

import numpy as np
import torch

from i2icli.demo.demo import TEST, Demo, Shown, generated, latent_size
from i2icli.demo.toy.sprites import write_sprites
from i2icli.image import read_image, to_pixels, to_tensor
from i2icli.inference.latents import draw_codes
from i2icli.inference.translator import Translator
from i2icli.training.sample_spectra import SampleSpectra

SIDE = 32  # pixels
TRAIN = 1000  # faces
SAMPLES = 4  # in a row


def _write(folder: Path, seed: int) -> None:
    write_sprites(folder, TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    """Samples of drawn codes; a test picture stands beside each row, to compare the looks."""
    paths = sorted((folder / "test").glob("*.png"))
    codes = draw_codes(SAMPLES * len(paths), latent_size(translator), seed=0)  # (N, Z)
    made = generated(translator, codes)  # (N, C, H, W)
    real = [read_image(path).pixels for path in paths]
    rows = [
        [*(to_pixels(image, np.uint8) for image in made[SAMPLES * n : SAMPLES * (n + 1)]), picture]
        for n, picture in enumerate(real)
    ]
    spectra = SampleSpectra()
    spectra.add({"": (made, torch.stack([to_tensor(picture) for picture in real]))})
    scores = spectra.scores()
    figures = (
        (
            "spectral distance of samples to test pictures (20 ln; 0 is best)",
            f"{scores['spectral_distance']:.1f}",
        ),
        ("checkerboard, power against test pictures (1 is best)", f"{scores['checkerboard']:.2f}"),
    )
    return Shown((*(f"sample {n + 1}" for n in range(SAMPLES)), "real"), rows, figures)


DEMO = Demo("spectral_dcgan", "faces out of nothing, with their spectrum", "sprites", _write, _show)
