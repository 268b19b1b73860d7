"""The ComboGAN demonstration: a landscape at four times, from any to any."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.demo import SIDE, TEST, Demo, Shown, mean_psnr
from i2icli.demo.toy.domains import DOMAINS, write_domains
from i2icli.image import read_image
from i2icli.inference.translator import Translator

_TRAIN = 100  # scenes of each domain

DecodedImage = NDArray[Any]


def _write(folder: Path, seed: int) -> None:
    write_domains(folder, _TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    """Every test picture in one domain, the domains taking turns, and what each other makes of it."""
    rows: list[list[DecodedImage]] = []
    inputs, answers, truths = [], [], []
    names = [path.name for path in sorted((folder / "test" / DOMAINS[0]).glob("*.png"))]
    for index, name in enumerate(names):
        source = DOMAINS[index % len(DOMAINS)]
        every = {domain: read_image(folder / "test" / domain / name).pixels for domain in DOMAINS}
        row = [every[source]]
        for domain in DOMAINS:
            answer = np.asarray(translator.translate(every[source], to=domain, source=source))
            row.append(answer)
            if domain != source:
                inputs.append(every[source])
                answers.append(answer)
                truths.append(every[domain])
        rows.append(row)
    figures = (
        ("PSNR of the translations against the truth", f"{mean_psnr(answers, truths):.1f} dB"),
        ("PSNR of the untranslated inputs", f"{mean_psnr(inputs, truths):.1f} dB"),
    )
    return Shown(("input", *(f"to {domain}" for domain in DOMAINS)), rows, figures)


DEMO = Demo("combogan", "four times of the year and the day, from any to any", "domains", _write, _show)
