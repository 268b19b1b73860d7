"""Sliced Wasserstein distance of samples to real images, at every scale.

    python -m benchmarks.experiments.sliced_wasserstein RUN DATA

Karras et al., "Progressive Growing of GANs", ICLR 2018, section 5: on 7x7 patches from every level of a
Laplacian pyramid, times 1000; small is good. For comparison, also of one half of the real images to the
other, the best that can be reached, and of noise. DATA is a folder of images; RUN is a run, a model or a
folder of samples.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.images import read_batch
from i2icli.image.finding import find_images
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator

PATCH = 7  # pixels a side
PATCHES = 128  # of each image, at each level
DIRECTIONS = 512  # the paper's four rounds of 128
SMALLEST = 16  # pixels a side of the last level


def samples(run: str, count: int, seed: int) -> Tensor:
    """Samples of a run, or images of a folder, (N, 3, H, W)."""
    if Path(run).is_dir() and not (Path(run) / "model.safetensors").exists():
        return read_batch(find_images(Path(run))[:count])
    with tempfile.TemporaryDirectory() as folder:
        for _ in Translator.load(run).sample(Path(folder), TranslateOptions(samples=count, seed=seed)):
            pass
        return read_batch(sorted(Path(folder).glob("*.png")))


def pyramid(images: Tensor) -> Iterator[Tensor]:
    """(N, C, H, W) -> the levels of its Laplacian pyramid, fine to coarse, down to 16 px."""
    while images.shape[-1] > SMALLEST:
        smaller = _blurred(images)[:, :, ::2, ::2]  # (N, C, H / 2, W / 2)
        upsampled = torch.zeros_like(images)
        upsampled[:, :, ::2, ::2] = smaller
        yield images - 4 * _blurred(upsampled)
        images = smaller
    yield images


def _blurred(images: Tensor) -> Tensor:
    """(N, C, H, W), filtered by the binomial 5x5 kernel."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = torch.outer(row, row)[None, None]  # (1, 1, 5, 5)
    flat = images.flatten(0, 1)[:, None]  # (N C, 1, H, W)
    return conv2d(pad(flat, (2, 2, 2, 2), mode="reflect"), kernel).view_as(images)


def patches(level: Tensor, generator: torch.Generator) -> Tensor:
    """(N, C, H, W) -> (N * 128, C * 49): random patches, each channel standardised."""
    count, channels, side, _ = level.shape
    top, left = torch.randint(side - PATCH + 1, (2, count * PATCHES), generator=generator)
    number = torch.arange(count).repeat_interleave(PATCHES)
    reach = torch.arange(PATCH)
    rows = (top[:, None] + reach)[:, :, None]  # (P, 7, 1)
    columns = (left[:, None] + reach)[:, None, :]  # (P, 1, 7)
    drawn = level[number[:, None, None], :, rows, columns]  # (P, 7, 7, C)
    drawn = (drawn - drawn.mean((0, 1, 2))) / drawn.std((0, 1, 2))
    return drawn.reshape(-1, channels * PATCH**2)


def distance(a: Tensor, b: Tensor, generator: torch.Generator) -> float:
    """Mean 1D Wasserstein distance of two sets of patches (P, D) over random directions, times 1000."""
    total = 0.0
    for _ in range(DIRECTIONS // 64):
        directions = torch.randn(a.shape[1], 64, generator=generator)
        directions /= directions.norm(dim=0)
        total += (torch.sort(a @ directions, 0)[0] - torch.sort(b @ directions, 0)[0]).abs().mean().item()
    return 1000 * total / (DIRECTIONS // 64)


def compare(a: Tensor, b: Tensor) -> list[float]:
    """The distance at every level, fine to coarse, and their mean."""
    generator = torch.Generator().manual_seed(0)
    found = [
        distance(patches(one, generator), patches(other, generator), generator)
        for one, other in zip(pyramid(a), pyramid(b), strict=True)
    ]
    return [*found, sum(found) / len(found)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("run", help="a run, a model, or a folder of samples")
    parser.add_argument("data", type=Path, help="a folder of real images")
    parser.add_argument("--count", type=int, default=1000, help="maximum number of images per set")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    paths = find_images(options.data)
    order = torch.randperm(len(paths), generator=torch.Generator().manual_seed(options.seed)).tolist()
    count = min(options.count, len(paths) // 2)
    ours = samples(options.run, count, options.seed)
    count, side = len(ours), ours.shape[-1]
    real = read_batch([paths[index] for index in order[: 2 * count]], side)
    first, second = real[:count], real[count : 2 * count]
    noise = torch.rand(ours.shape, generator=torch.Generator().manual_seed(options.seed)) * 2 - 1
    blurred = interpolate(
        interpolate(second, scale_factor=0.5, mode="area"), size=(side, side), mode="bilinear"
    )
    sides = [level.shape[-1] for level in pyramid(ours[:1])]
    print(
        f"sliced Wasserstein distance x 1000, {count} images each, {side} px; from half of the real ones to"
    )
    print(" " * 24 + "".join(f"{f'{each} px':>9}" for each in sides) + f"{'mean':>9}")
    rows = {"the other half": second, "the other half, blurred": blurred, "samples": ours, "noise": noise}
    for name, images in rows.items():
        print(f"{name:<24}" + "".join(f"{value:9.1f}" for value in compare(first, images)))


if __name__ == "__main__":
    main()
