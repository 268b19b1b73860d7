"""The PairedCycleGAN demonstration: makeup put on from a reference, and taken off."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.data.kinds.style_names import compare_by_name
from i2icli.demo.demo import TEST, TRAIN, Demo, Shown, mean_psnr
from i2icli.demo.toy.makeup import write_makeup
from i2icli.image import read_image
from i2icli.inference.translator import Translator

SIDE = 32  # pixels
COLUMNS = ("bare", "reference", "transfer", "truth", "reference bare", "its truth")


def _write(folder: Path, seed: int) -> None:
    write_makeup(folder, TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    """Every test reference on another face, and without its style; each beside what should come out."""
    bare, styled = (sorted((folder / name).glob("*.png")) for name in ("testA", "testB"))
    rows: list[list[NDArray[Any]]] = []
    for each in compare_by_name([path.stem for path in bare], [path.stem for path in styled]):
        assert each.truth_bare is not None
        assert each.truth_styled is not None
        face, reference = read_image(bare[each.bare]).pixels, styled[each.styled]
        look = read_image(reference).pixels
        rows.append([
            face,
            look,
            np.asarray(translator.translate(face, reference=reference)),
            read_image(styled[each.truth_styled]).pixels,
            np.asarray(translator.translate(look, to=translator.tasks[-1].name)),
            read_image(bare[each.truth_bare]).pixels,
        ])  # fmt: skip
    faces, looks, styled_faces, styled_truths, bare_faces, bare_truths = zip(*rows, strict=True)
    figures = (
        ("PSNR of the transfer against the truth", f"{mean_psnr(styled_faces, styled_truths):.1f} dB"),
        ("PSNR of the untouched bare face", f"{mean_psnr(faces, styled_truths):.1f} dB"),
        ("PSNR of the removal against the truth", f"{mean_psnr(bare_faces, bare_truths):.1f} dB"),
        ("PSNR of the untouched reference", f"{mean_psnr(looks, bare_truths):.1f} dB"),
    )
    return Shown(COLUMNS, rows, figures)


DEMO = Demo("paired_cyclegan", "makeup from a reference, put on and taken off", "makeup", _write, _show)
