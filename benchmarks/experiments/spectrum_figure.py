"""Draw docs/pictures/spectrum.png.

    python -m benchmarks.experiments.spectrum_figure [--out FILE]

The spectra of synthetic faces, of the same faces slightly blurred, and of the same faces downsampled and
upsampled by a transposed convolution with a slightly uneven kernel.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.nn.functional import avg_pool2d, conv_transpose2d

from benchmarks.lib.arguments import argument_parser
from i2icli.demo.toy.sprites import paint_sprite
from i2icli.image import to_pixels, to_tensor
from i2icli.report.spectra import measure, write

COUNT, SIDE = 100, 64


def upsampled(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) average-pooled and upsampled by a 4x4 transposed convolution."""
    kernel = torch.tensor([1.0, 3.3, 2.7, 1.0]) / 4  # even would be 1, 3, 3, 1
    weight = torch.outer(kernel, kernel).expand(3, 1, 4, 4)
    small = avg_pool2d(to_tensor(pixels)[None], 2)  # (1, 3, H / 2, W / 2)
    return to_pixels(conv_transpose2d(small, weight, stride=2, padding=1, groups=3)[0], np.uint8)


def main(arguments: Sequence[str] | None = None) -> None:
    """Render, measure, plot."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/spectrum.png"))
    out = parser.parse_args(arguments).out
    rng = np.random.default_rng(0)
    groups: dict[str, list[Path]] = {"faces": [], "blurred": [], "upsampled by a transposed convolution": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(COUNT):
            face = paint_sprite(rng, SIDE)
            blurred = np.asarray(Image.fromarray(face).filter(ImageFilter.GaussianBlur(0.7)))
            for (name, paths), pixels in zip(groups.items(), (face, blurred, upsampled(face)), strict=True):
                paths.append(Path(folder) / f"{name} {number}.png")
                Image.fromarray(pixels).save(paths[-1])
        found, relative, _ = measure(groups)
        write(out, found, relative=relative)


if __name__ == "__main__":
    main()
