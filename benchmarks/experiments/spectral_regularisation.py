"""Does spectral regularisation work?

    python -m benchmarks.experiments.spectral_regularisation PHOTOS --out FOLDER
    python -m benchmarks.experiments.spectral_regularisation mnist.npz --side 32 --of batch
        --weights 0 20 --out FOLDER

The paper's experiment in small (Durall et al., CVPR 2020, sections 4 and 5): spectral DCGANs learn real
pictures, with and without the term, with up-convolutions to the end or with larger convolutions after a
nearest doubling. Printed for each: the gap between the mean profiles of samples and of pictures never
trained on, in the upper half of the spectrum, and how often a logistic regression on profiles tells both
apart (the paper's features: 80 values over the first; 80 % to fit, the rest to test, mean of 10 draws).
A picture of the spectra is written to FOLDER, the samples of each run beside it. Tiles are cut from PHOTOS,
a folder of large photographs; or the pictures are those of a file with an array "images" (N, H, W) of
uint8, with a black margin. A run that is there already is not trained again.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from i2icli.config import RunOptions
from i2icli.image import DecodedImage, Pixels, convert_channels, grey_levels, read_image, resize, write_image
from i2icli.image.finding import find_images
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.nn.spectrum import profile_of, relative_to_first, resampled
from i2icli.report.chart import Chart, Line, write_chart
from i2icli.systems.spectral_dcgan.config import SpectralDCGANConfig
from i2icli.training.run import train

SHRUNK_TO = 16  # tiles along the longer side of a photograph: real detail, not the lens's blur
FLAT = 8  # levels: tiles of sky that vary less are drawn again
LENGTH = 80  # values of a profile, as the paper reads CelebA
DRAWS = 10  # divisions into fitting and testing

Profiles = NDArray[np.float64]


def cut_tiles(photos: Path, folder: Path, count: int, side: int, seed: int) -> None:
    """`count` square tiles of the photographs, drawn anywhere, as PNG; nothing if they are there already."""
    if _filled(folder, count):
        return
    rng, paths = np.random.default_rng(seed), find_images(photos)
    for place, path in enumerate(paths):
        pixels = convert_channels(read_image(path).pixels, 3)
        factor = SHRUNK_TO * side / max(pixels.shape[:2])
        height, width = (round(length * factor) for length in pixels.shape[:2])
        pixels = resize(pixels, (height, width))
        for number in range(place, count, len(paths)):
            tile = _tile(pixels, side, rng)
            write_image(folder / f"{number:05}.png", DecodedImage(tile, None, "png"))


def place_pictures(file: Path, folders: Sequence[Path], count: int, side: int) -> None:
    """The last `count` pictures of a file to the last folder, the others to the first, `side` px square."""
    with np.load(file) as arrays:
        images = arrays["images"]  # (N, h, w)
    images = images[np.random.default_rng(0).permutation(len(images))]
    rows, columns = (side - length for length in images.shape[1:])
    if min(rows, columns) < 0:
        height, width = images.shape[1:]
        raise SystemExit(
            f"{file}: images of {width}x{height} pixels, but --side {side}; give {max(height, width)} or more"
        )
    margins = ((0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
    images = np.pad(images, margins)[..., None]  # (N, side, side, 1)
    parts = zip(folders, (images[:-count], images[-count:]), strict=True)
    for folder, part in [(folder, part) for folder, part in parts if not _filled(folder, len(part))]:
        for number, pixels in enumerate(part):
            write_image(folder / f"{number:05}.png", DecodedImage(np.ascontiguousarray(pixels), None, "png"))


def _filled(folder: Path, count: int) -> bool:
    """Whether a folder holds so many pictures; fewer are those of a call that was stopped. Exits at more."""
    there = len(find_images(folder)) if folder.is_dir() else 0
    if there > count:
        raise SystemExit(
            f"{folder} holds {there} pictures, not {count}, as of another call; choose another --out"
        )
    return there == count


def _tile(pixels: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    """A tile (side, side, 3) from anywhere where there is something to see."""
    while True:
        top, left = (rng.integers(length - side + 1) for length in pixels.shape[:2])
        tile = np.ascontiguousarray(pixels[top : top + side, left : left + side])
        if tile.std(axis=(0, 1)).mean() > FLAT:
            return tile


def profiles(folder: Path) -> Profiles:
    """The profiles of all pictures in a folder, (N, R)."""
    return np.stack(
        [profile_of(grey_levels(read_image(path).pixels)) for path in sorted(folder.glob("*.png"))]
    )


def accuracy(real: Profiles, fake: Profiles, *, spread: bool) -> float:
    """Mean accuracy of a logistic regression with scikit-learn's weight of the penalty, C = 1.

    spread: bring each feature to deviation 1 first, which the paper does not and which makes it stronger.
    """
    features = torch.from_numpy(
        np.concatenate([relative_to_first(resampled(each, LENGTH)) for each in (real, fake)])
    )
    labels = torch.cat([torch.zeros(len(real)), torch.ones(len(fake))]).double()
    found = []
    for draw in range(DRAWS):
        order = torch.from_numpy(np.random.default_rng(draw).permutation(len(labels)))
        fit, test = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
        x = features
        if spread:
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
    """Train as `i2i train spectral_dcgan` does, and sample as `i2i translate` does."""
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
        raise SystemExit(f"stopped in {run}; the same command goes on")
    out = run / "answers"
    if len(list(out.glob("*.png"))) < options.count:
        for _ in Translator.load(str(run)).sample(out, TranslateOptions(samples=options.count, seed=1)):
            pass


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", type=int, default=64, help="pixels of a tile")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--count", type=int, default=1000, help="samples and tiles that are compared")
    parser.add_argument("--ema", type=float, default=0.0)
    parser.add_argument("--of", choices=("image", "batch"), default="image", help="--spectral-of")
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 1.0])
    parser.add_argument("--final-layers", type=int, nargs="+", default=[0, 3])
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Cut, train, sample, measure, draw."""
    options = _options(arguments)
    tiles, others = options.out / "tiles", options.out / "other tiles"
    if options.pictures.is_file():
        place_pictures(options.pictures, (tiles, others), 2 * options.count, options.side)
    else:
        cut_tiles(options.pictures, tiles, 2048, options.side, seed=0)
        cut_tiles(options.pictures, others, 2 * options.count, options.side, seed=1)
    found = profiles(others)
    truth, other = found[::2], found[1::2]
    upper = slice(truth.shape[1] // 2, None)
    known = {"real": truth}
    print(f"{'':44} gap, 20 ln   told apart   features spread")
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
            shares = accuracy(truth, each, spread=False), accuracy(truth, each, spread=True)
            print(f"{name:44} {gap:9.1f} {100 * shares[0]:13.1f} % {100 * shares[1]:13.1f} %")
    places = np.linspace(0, 1, LENGTH)
    lines = [Line.of(name, places, resampled(each, LENGTH)) for name, each in known.items()]
    chart = Chart(
        "Spectra of real pictures and of samples",
        lines,
        "place in the profile, from coarse to fine",
        "20 ln |F|",
    )
    write_chart(options.out / "spectra.png", chart)


if __name__ == "__main__":
    main()
