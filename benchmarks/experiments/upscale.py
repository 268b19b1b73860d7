"""Learned upscaling against bicubic interpolation: PSNR, SSIM and spectral distance to the ground truth.

    python -m benchmarks.experiments.upscale PHOTOS --model runs/lapgan-photos [--width 1024]
        [--crop 512] [--sheet s.png]

The ground truth is the centre crop of each photo, --crop pixels square, resized to --width pixels first. It
is downscaled by area averaging (by 2 and 4, or the model's factors) and upscaled again by the model, by
bicubic and by bilinear interpolation, all rounded to 8 bits. The spectral distance is the root mean square
difference of the azimuthally averaged log spectra, 20 ln |F|; 0 is best, smooth images have large values.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.images import read_rgb
from i2icli.image import resize, to_pixels, to_tensor
from i2icli.image.finding import find_images
from i2icli.inference.translator import Translator
from i2icli.nn.pyramid import downsample
from i2icli.nn.spectrum import spectral_distance
from i2icli.report.sheet import write_sample_sheet
from i2icli.scores import psnr, ssim
from i2icli.task import find_task, names_of

SHOWN = 160  # pixels of the truth on the sheet
MEASURES = ("PSNR dB", "SSIM", "spectral distance")


def truth_of(path: Path, width: int, crop: int) -> Tensor:
    """The centre crop of a photo resized to a width, (1, 3, crop, crop) in [-1, 1], or smaller."""
    pixels = read_rgb(path)
    height = round(pixels.shape[0] * width / pixels.shape[1])
    pixels = resize(pixels, (height, width))
    top, left = max(0, height - crop) // 2, max(0, width - crop) // 2
    return to_tensor(pixels[top : top + crop, left : left + crop])[None]


def rounded(images: Tensor) -> Tensor:
    """(1, C, H, W) rounded to 8 bits."""
    return to_tensor(pixels_of(images))[None]


def pixels_of(images: Tensor) -> NDArray[Any]:
    """(1, C, H, W) -> (H, W, C) uint8."""
    return to_pixels(images[0], np.uint8)


def upscaled(translator: Translator, small: Tensor, size: tuple[int, int], to: str) -> dict[str, Tensor]:
    """A small image (1, C, h, w) upscaled to `size` by every method."""
    output = np.asarray(translator.translate(pixels_of(small), to=to))
    return {
        "bilinear": rounded(interpolate(small, size, mode="bilinear", align_corners=False)),
        "bicubic": rounded(interpolate(small, size, mode="bicubic", align_corners=False)),
        "model": to_tensor(output)[None],
    }


def measure(translator: Translator, to: str, truths: list[Tensor]) -> tuple[dict[str, Tensor], list[Any]]:
    """Scores (photos, 3) by method, and rows for the sheet."""
    factor = find_task(translator.tasks, to).output.scale
    scores: dict[str, list[Tensor]] = defaultdict(list)
    rows = []
    for whole in truths:
        low = [int(side / factor) for side in whole.shape[2:]]
        size = (round(low[0] * factor), round(low[1] * factor))
        truth = whole[..., : size[0], : size[1]]
        small = rounded(downsample(truth, (low[0], low[1])))
        outputs = upscaled(translator, small, size, to)
        for name, output in outputs.items():
            each = (psnr(output, truth), ssim(output, truth), spectral_distance(output, truth))
            scores[name].append(torch.cat(each))  # (3,)
        top, left = ((side - SHOWN) // 2 for side in size)
        part = (..., slice(top, top + SHOWN), slice(left, left + SHOWN))
        rows.append({f"{name} {to}": image[0][part] for name, image in (outputs | {"truth": truth}).items()})
    return {name: torch.stack(each) for name, each in scores.items()}, rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--width", type=int, default=1024, help="width that photos are resized to first")
    parser.add_argument("--crop", type=int, default=512, help="side of the centre crop in pixels")
    parser.add_argument("--sheet", type=Path, help="also write details of all photos side by side")
    given = parser.parse_args(arguments)
    translator = Translator.load(given.model)
    truths = [truth_of(path, given.width, given.crop) for path in find_images(given.photos)]
    print(f"{len(truths)} photos, {given.width} px wide, centre crops of {given.crop} px")
    for to in names_of(translator.outputs().tasks):
        if not to.startswith("x"):
            continue
        scores, rows = measure(translator, to, truths)
        print(f"{to:10}" + "".join(f"{name:>20}" for name in MEASURES))
        for name, each in scores.items():
            print(f"  {name:8}" + "".join(f"{value:20.3f}" for value in each.mean(0).tolist()))
        wins = (scores["model"] > scores["bicubic"]).sum(0)
        wins[2] = len(truths) - wins[2]
        print(
            "  better than bicubic on "
            + ", ".join(f"{n} ({m})" for n, m in zip(wins.tolist(), MEASURES, strict=True))
        )
        if given.sheet:
            write_sample_sheet(given.sheet.with_stem(f"{given.sheet.stem}-{to}"), rows)


if __name__ == "__main__":
    main()
