"""Does spectral regularisation work?

    python -m benchmarks.experiments.spectral_regularisation PHOTOS --out FOLDER
    python -m benchmarks.experiments.spectral_regularisation mnist.npz --side 32 --of batch
        --weights 0 20 --out FOLDER

A small version of the paper's experiment (Durall et al., CVPR 2020, sections 4 and 5): spectral DCGANs with
and without the spectral term, with transposed convolutions throughout or with final nearest up-sampling
and larger convolutions. Printed for each: the gap between the mean profiles of samples and of held-out images
in the upper half of the spectrum, and the accuracy of a logistic regression on profiles at separating both
(the paper's features: 80 values relative to the first; 80/20 splits, mean of 10), also on standardised
features. A chart of the spectra and the samples of each run are written to FOLDER. Training images are tiles
of PHOTOS, a folder of large photographs; or those of an .npz file with an array "images" (N, H, W) of uint8,
padded with black. Finished runs are not repeated.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.images import read_rgb
from i2icli.config import RunOptions
from i2icli.image import DecodedImage, Pixels, grey_levels, read_image, resize, write_image
from i2icli.image.finding import find_images
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.nn.spectrum import profile_of, relative_to_first, resampled
from i2icli.report.chart import Chart, Line, write_chart
from i2icli.systems.spectral_dcgan.config import SpectralDCGANConfig
from i2icli.training.run import train

TILES_PER_SIDE = 16  # of a downscaled photograph, so that tiles have detail down to the pixel
FLAT = 8  # levels: tiles with a smaller standard deviation, such as sky, are redrawn
LENGTH = 80  # values of a profile, as in the paper for CelebA
SPLITS = 10  # random train/test splits

Profiles = NDArray[np.float64]


def cut_tiles(photos: Path, folder: Path, count: int, side: int, seed: int) -> None:
    """Write `count` random square tiles of the photographs as PNG, unless they exist."""
    if _filled(folder, count):
        return
    rng, paths = np.random.default_rng(seed), find_images(photos)
    for index, path in enumerate(paths):
        pixels = read_rgb(path)
        factor = TILES_PER_SIDE * side / max(pixels.shape[:2])
        height, width = (round(length * factor) for length in pixels.shape[:2])
        pixels = resize(pixels, (height, width))
        for number in range(index, count, len(paths)):
            tile = _tile(pixels, side, rng)
            write_image(folder / f"{number:05}.png", DecodedImage(tile, None, "png"))


def write_array(file: Path, folders: Sequence[Path], count: int, side: int) -> None:
    """Write the last `count` images of a file to the last folder, the others to the first, padded."""
    with np.load(file) as arrays:
        images = arrays["images"]  # (N, h, w)
    images = images[np.random.default_rng(0).permutation(len(images))]
    rows, columns = (side - length for length in images.shape[1:])
    if min(rows, columns) < 0:
        height, width = images.shape[1:]
        raise SystemExit(
            f"{file}: images of {width}x{height} pixels, but --side {side}; use at least {max(height, width)}"
        )
    margins = ((0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
    images = np.pad(images, margins)[..., None]  # (N, side, side, 1)
    parts = zip(folders, (images[:-count], images[-count:]), strict=True)
    for folder, part in [(folder, part) for folder, part in parts if not _filled(folder, len(part))]:
        for number, pixels in enumerate(part):
            write_image(folder / f"{number:05}.png", DecodedImage(np.ascontiguousarray(pixels), None, "png"))


def _filled(folder: Path, count: int) -> bool:
    """Whether a folder has `count` images; fewer are from an interrupted call. Exits if there are more."""
    existing = len(find_images(folder)) if folder.is_dir() else 0
    if existing > count:
        raise SystemExit(f"{folder} has {existing} images instead of {count}; choose another --out")
    return existing == count


def _tile(pixels: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    """A random tile (side, side, 3) that is not flat."""
    while True:
        top, left = (rng.integers(length - side + 1) for length in pixels.shape[:2])
        tile = np.ascontiguousarray(pixels[top : top + side, left : left + side])
        if tile.std(axis=(0, 1)).mean() > FLAT:
            return tile


def profiles(folder: Path) -> Profiles:
    """The profiles of all images in a folder, (N, R)."""
    return np.stack(
        [profile_of(grey_levels(read_image(path).pixels)) for path in sorted(folder.glob("*.png"))]
    )


def accuracy(real: Profiles, fake: Profiles, *, standardised: bool) -> float:
    """Mean held-out accuracy of a logistic regression with scikit-learn's default penalty, C = 1.

    standardised: standardise features first, which the paper does not do and which makes it stronger.
    """
    both = [relative_to_first(resampled(each, LENGTH)) for each in (real, fake)]
    features = torch.from_numpy(np.concatenate(both))
    labels = torch.cat([torch.zeros(len(real)), torch.ones(len(fake))]).double()
    found = []
    for draw in range(SPLITS):
        order = torch.from_numpy(np.random.default_rng(draw).permutation(len(labels)))
        fit, test = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
        x = features
        if standardised:
            x = (x - x[fit].mean(0)) / (x[fit].std(0) + 1e-9)
        found.append(_fit_and_test(x[fit], labels[fit], x[test], labels[test]))
    return float(np.mean(found))


def _fit_and_test(x: torch.Tensor, y: torch.Tensor, other: torch.Tensor, truth: torch.Tensor) -> float:
    weights = torch.zeros(x.shape[1], dtype=x.dtype, requires_grad=True)
    bias = torch.zeros(1, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(x @ weights + bias, y, reduction="sum")
        loss = loss + 0.5 * weights.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        return float((((other @ weights + bias) > 0) == (truth > 0.5)).double().mean())


def train_one(tiles: Path, run: Path, weight: float, final_layers: int, options: argparse.Namespace) -> None:
    """Train as `i2i train spectral_dcgan`, and sample as `i2i translate`."""
    config = SpectralDCGANConfig(
        crop_size=(options.side, options.side),
        precision="fp32",
        width=options.width,
        batch_size=32,
        steps=options.steps,
        spectral_weight=weight,
        spectral_of=options.of,
        ema=options.ema,
        final_layers=final_layers,
        holdout=0.05,
        seed=options.seed,
    )
    seldom = RunOptions(out=run, sample_every=10**6, validate_every=10**6)
    if not train("spectral_dcgan", [tiles], config, seldom).finished:
        raise SystemExit(f"stopped in {run}; the same command resumes it")
    out = run / "answers"
    if len(list(out.glob("*.png"))) < options.count:
        for _ in Translator.load(str(run)).sample(out, TranslateOptions(samples=options.count, seed=1)):
            pass


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("images", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", type=int, default=64, help="pixels of a tile")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--count", type=int, default=1000, help="number of samples and tiles to compare")
    parser.add_argument("--ema", type=float, default=0.0)
    parser.add_argument("--of", choices=("image", "batch"), default="image", help="--spectral-of")
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 1.0])
    parser.add_argument("--final-layers", type=int, nargs="+", default=[0, 3])
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prepare data, train, sample, evaluate, plot."""
    options = _options(arguments)
    tiles, others = options.out / "tiles", options.out / "other tiles"
    if options.images.is_file():
        write_array(options.images, (tiles, others), 2 * options.count, options.side)
    else:
        cut_tiles(options.images, tiles, 2048, options.side, seed=0)
        cut_tiles(options.images, others, 2 * options.count, options.side, seed=1)
    found = profiles(others)
    truth, other = found[::2], found[1::2]
    upper = slice(truth.shape[1] // 2, None)
    known = {"real": truth}
    print(f"{'':44} gap, 20 ln   accuracy   accuracy, standardised")
    for final_layers in options.final_layers:
        for weight in options.weights:
            shape = f"{final_layers} final layers" if final_layers else "up-convolutions"
            name = f"{shape}, weight {weight:g}"
            of = f", of the {options.of}" if weight else ""
            run = options.out / f"steps {options.steps}, {name}{of}, seed {options.seed}"
            train_one(tiles, run, weight, final_layers, options)
            known[name] = profiles(run / "answers")
    for name, each in {"real, another half": other, **known}.items():
        if name != "real":
            gap = np.abs(each.mean(0) - truth.mean(0))[upper].mean()
            plain, standardised = (accuracy(truth, each, standardised=value) for value in (False, True))
            print(f"{name:44} {gap:9.1f} {100 * plain:10.1f} % {100 * standardised:16.1f} %")
    positions = np.linspace(0, 1, LENGTH)
    lines = [Line.of(name, positions, resampled(each, LENGTH)) for name, each in known.items()]
    chart = Chart(
        "Spectra of real images and of samples",
        lines,
        "position in the profile, from low to high frequencies",
        "20 ln |F|",
    )
    write_chart(options.out / "spectra.png", chart)


if __name__ == "__main__":
    main()
