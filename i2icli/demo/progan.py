"""The Progressive GAN demonstration: faces out of nothing, grown from 8 to 32 pixels."""

from pathlib import Path

import numpy as np

from i2icli.demo.demo import TEST, Demo, Shown, generated, latent_size
from i2icli.demo.toy.sprites import write_sprites
from i2icli.image import read_image, to_pixels, to_tensor
from i2icli.inference.latents import between, draw_codes
from i2icli.inference.translator import Translator

SIDE = 32  # pixels
TRAIN = 1000  # faces
STEPS = 4  # pictures on the way from one code to the next


def _write(folder: Path, seed: int) -> None:
    write_sprites(folder, TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    """Each row goes from one code to another; a test picture stands beside, to compare the looks."""
    paths = sorted((folder / "test").glob("*.png"))
    size = latent_size(translator)
    rows = []
    for number, path in enumerate(paths):
        codes = between(draw_codes(2, size, seed=number), STEPS)  # (STEPS, Z)
        made = generated(translator, codes)  # (STEPS, C, H, W)
        rows.append([*(to_pixels(image, np.uint8) for image in made), read_image(path).pixels])
    colours = [np.stack([to_tensor(row[place]).mean((1, 2)) for row in rows]) for place in (0, -1)]
    figures = tuple(
        (f"spread of mean colours, {what}", f"{127.5 * float(each.std(0).mean()):.1f} of 255")
        for what, each in zip(("samples", "real"), colours, strict=True)
    )
    names = ("sample", *(f"{step} of {STEPS - 2}" for step in range(1, STEPS - 1)), "another")
    return Shown((*names, "real"), rows, figures)


DEMO = Demo("progan", "faces out of nothing, coarse to fine", "sprites", _write, _show)
