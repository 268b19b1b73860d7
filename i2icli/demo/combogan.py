"""ComboGAN demo: landscapes in four domains, from any to any."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.demo import SIDE, TEST, Demo, DemoResults, mean_psnr
from i2icli.demo.toy.domains import DOMAINS, write_domains
from i2icli.image import read_image
from i2icli.inference.translator import Translator

TRAIN = 100  # scenes of each domain

DecodedImage = NDArray[Any]


def _write(folder: Path, seed: int) -> None:
    write_domains(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    """Every test image in one source domain (round-robin), translated to every other domain."""
    rows: list[list[DecodedImage]] = []
    inputs, outputs, truths = [], [], []
    names = [path.name for path in sorted((folder / "test" / DOMAINS[0]).glob("*.png"))]
    for index, name in enumerate(names):
        source = DOMAINS[index % len(DOMAINS)]
        every = {domain: read_image(folder / "test" / domain / name).pixels for domain in DOMAINS}
        row = [every[source]]
        for domain in DOMAINS:
            output = np.asarray(translator.translate(every[source], to=domain, source=source))
            row.append(output)
            if domain != source:
                inputs.append(every[source])
                outputs.append(output)
                truths.append(every[domain])
        rows.append(row)
    metrics = (
        ("PSNR of the translations against the truth", f"{mean_psnr(outputs, truths):.1f} dB"),
        ("PSNR of the untranslated inputs", f"{mean_psnr(inputs, truths):.1f} dB"),
    )
    return DemoResults(("input", *(f"to {domain}" for domain in DOMAINS)), rows, metrics)


DEMO = Demo("combogan", "autumn, night, summer and winter, from any to any", "domains", _write, _evaluate)
