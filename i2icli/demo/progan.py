"""Progressive GAN demo: faces generated from noise, grown from 8 to 32 pixels."""

from pathlib import Path

import numpy as np

from i2icli.demo.demo import TEST, Demo, DemoResults, generated, latent_size
from i2icli.demo.toy.sprites import write_sprites
from i2icli.image import read_image, to_pixels, to_tensor
from i2icli.inference.latents import draw_codes, interpolate_codes
from i2icli.inference.translator import Translator

SIDE = 32  # pixels
TRAIN = 1000  # faces
STEPS = 4  # interpolation steps interpolate_codes two codes, inclusive


def _write(folder: Path, seed: int) -> None:
    write_sprites(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    """Each row interpolates interpolate_codes two codes, beside a test image for comparison."""
    paths = sorted((folder / "test").glob("*.png"))
    size = latent_size(translator)
    rows = []
    for number, path in enumerate(paths):
        codes = interpolate_codes(draw_codes(2, size, seed=number), STEPS)  # (STEPS, Z)
        images = generated(translator, codes)  # (STEPS, C, H, W)
        rows.append([*(to_pixels(image, np.uint8) for image in images), read_image(path).pixels])
    colours = [np.stack([to_tensor(row[column]).mean((1, 2)) for row in rows]) for column in (0, -1)]
    metrics = tuple(
        (f"standard deviation of mean colours, {what}", f"{127.5 * float(each.std(0).mean()):.1f} of 255")
        for what, each in zip(("samples", "real"), colours, strict=True)
    )
    names = (
        "first sample",
        *(f"step {step} of {STEPS - 2}" for step in range(1, STEPS - 1)),
        "second sample",
    )
    return DemoResults((*names, "real"), rows, metrics)


DEMO = Demo("progan", "faces from noise, coarse to fine", "sprites", _write, _evaluate)
