"""PairedCycleGAN demo: makeup transfer from a reference, and removal."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.data.kinds.style_names import compare_by_name
from i2icli.demo.demo import TEST, TRAIN, Demo, DemoResults, mean_psnr
from i2icli.demo.toy.makeup import write_makeup
from i2icli.image import read_image
from i2icli.inference.translator import Translator

SIDE = 32  # pixels
COLUMNS = ("bare", "reference", "transfer", "truth", "reference bare", "its truth")


def _write(folder: Path, seed: int) -> None:
    write_makeup(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    """Transfer of every test reference to another face, and its removal, each with ground truth."""
    bare, styled = (sorted((folder / name).glob("*.png")) for name in ("testA", "testB"))
    rows: list[list[NDArray[Any]]] = []
    for each in compare_by_name([path.stem for path in bare], [path.stem for path in styled]):
        assert each.truth_bare is not None
        assert each.truth_styled is not None
        face, reference = read_image(bare[each.bare]).pixels, styled[each.styled]
        with_makeup = read_image(reference).pixels
        rows.append([
            face,
            with_makeup,
            np.asarray(translator.translate(face, reference=reference)),
            read_image(styled[each.truth_styled]).pixels,
            np.asarray(translator.translate(with_makeup, to=translator.tasks[-1].name)),
            read_image(bare[each.truth_bare]).pixels,
        ])  # fmt: skip
    faces, references, styled_faces, styled_truths, bare_faces, bare_truths = zip(*rows, strict=True)
    metrics = (
        ("PSNR of the transfer against the truth", f"{mean_psnr(styled_faces, styled_truths):.1f} dB"),
        ("PSNR of the untouched bare face", f"{mean_psnr(faces, styled_truths):.1f} dB"),
        ("PSNR of the removal against the truth", f"{mean_psnr(bare_faces, bare_truths):.1f} dB"),
        ("PSNR of the untouched reference", f"{mean_psnr(references, bare_truths):.1f} dB"),
    )
    return DemoResults(COLUMNS, rows, metrics)


DEMO = Demo("paired_cyclegan", "makeup transfer from a reference, and removal", "makeup", _write, _evaluate)
