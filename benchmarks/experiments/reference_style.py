"""Does a reference-style system follow its reference, and can it remove the style again?

    python -m benchmarks.experiments.reference_style write IMAGES DATA [--side 64] [--seed 0]
    python -m benchmarks.experiments.reference_style measure DATA --model runs/x [--sheet sheet.png]
        [--count 100]

`write` makes a data set with ground truth from any folder of images with train/ and test/: half of the
training images unchanged (trainA), the other half each under its own coloured light (trainB), and the test
images in both (testA, testB), two per light, named image+light. A light multiplies red, green and blue by one
factor each. `measure` works on any data with testA/ and testB/, and prints

- the distance of colour statistics (mean and standard deviation of each channel, 0 to 255) between output and
  reference, between input and reference, and between output and another reference;
- the PSNR of F(G(x, y)) against x;
- if file names give ground truth: PSNR and SSIM of transfer and removal, beside those of the input.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.images import read_rgb
from i2icli.data.kinds.style_names import BETWEEN, compare_by_name
from i2icli.image import DecodedImage, resize, to_tensor, write_image
from i2icli.image.finding import Collection, collect
from i2icli.inference.translator import Translator
from i2icli.report.sheet import write_sample_sheet
from i2icli.scores import psnr, ssim
from i2icli.task import names_of

Pixels = NDArray[np.uint8]
DARKEST = 0.35  # the smallest factor of a light


def under_light(pixels: Pixels, seed: int) -> Pixels:
    """(H, W, 3) under the light of a seed."""
    factors = np.random.default_rng((17, seed)).uniform(DARKEST, 1.0, 3)
    return (pixels * factors / factors.max() + 0.5).astype(np.uint8)


def write(images: Path, data: Path, side: int, seed: int) -> None:
    """Write the data set."""

    def save(path: Path, pixels: Pixels) -> None:
        write_image(path, DecodedImage(pixels, None, "png"))

    def small(path: Path) -> Pixels:
        return resize(read_rgb(path), (side, side))

    train = collect(images / "train").images
    for index, number in enumerate(np.random.default_rng(seed).permutation(len(train)).tolist()):
        name, pixels = f"{train[number].stem}.png", small(train[number])
        if index % 2:
            save(data / "trainB" / name, under_light(pixels, seed + 1000 + index))
        else:
            save(data / "trainA" / name, pixels)
    for index, path in enumerate(collect(images / "test").images):
        pixels, light = small(path), index // 2
        save(data / "testA" / f"{path.stem}.png", pixels)
        save(data / "testB" / f"{path.stem}{BETWEEN}light{light:03}.png", under_light(pixels, seed + light))


@dataclass
class Metrics:
    """Metrics of all test images, by name."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Add the value of an image."""
        self.values.setdefault(name, []).append(value)

    def compare(self, task: str, output: Pixels, given: Pixels, truth: Pixels) -> None:
        """Add PSNR and SSIM of an output and of the input."""
        for name, score in (("PSNR", psnr), ("SSIM", ssim)):
            for kind, pixels in (("output", output), ("input", given)):
                value = float(score(to_tensor(pixels)[None], to_tensor(truth)[None]))
                self.add(f"{task}, {name}, {kind}", value)


def distance(pixels: Pixels, other: Pixels) -> float:
    """Mean difference of the channels' means and standard deviations, 0 to 255."""
    a, b = (each.reshape(-1, each.shape[-1]).astype(float) for each in (pixels, other))
    return float(np.abs(np.concatenate([a.mean(0) - b.mean(0), a.std(0) - b.std(0)])).mean())


def measure(data: Path, model: str, sheet: Path | None, count: int) -> None:
    """Print the metrics and write a sheet."""
    translator = Translator.load(model, precision="fp32")
    bare, styled = collect(data / "testA"), collect(data / "testB")
    comparisons = compare_by_name(keys(bare), keys(styled))[:count]
    metrics, rows = Metrics(), []
    for index, each in enumerate(comparisons):
        x, reference = read_rgb(bare.images[each.bare]), styled.images[each.styled]
        other_index = comparisons[index - len(comparisons) // 2].styled
        y, other = read_rgb(reference), read_rgb(styled.images[other_index])
        output = np.asarray(translator.translate(x, reference=reference))
        back, removed = (
            np.asarray(translator.translate(pixels, to=names_of(translator.tasks)[-1]))
            for pixels in (output, y)
        )
        metrics.add("colour distance, output to its reference", distance(output, y))
        metrics.add("colour distance, input to the reference", distance(x, y))
        metrics.add("colour distance, output to another reference", distance(output, other))
        cycle = float(psnr(to_tensor(back)[None], to_tensor(x)[None]))
        metrics.add("PSNR of removal(transfer(x, y)) against x", cycle)
        row = {
            "input": x,
            "reference": y,
            "transfer": output,
            "and removed": back,
            "reference bare": removed,
        }
        if each.truth_styled is not None:
            row["truth of transfer"] = read_rgb(styled.images[each.truth_styled])
            metrics.compare("transfer", output, x, row["truth of transfer"])
        if each.truth_bare is not None:
            row["truth of removal"] = read_rgb(bare.images[each.truth_bare])
            metrics.compare("removal", removed, y, row["truth of removal"])
        rows.append({name: to_tensor(pixels) for name, pixels in row.items()})
    print(f"{len(comparisons)} test images, {model}")
    for name, values in metrics.values.items():
        finite = [value for value in values if np.isfinite(value)]
        print(f"  {name}: {np.mean(finite):.3f}" if "SSIM" in name else f"  {name}: {np.mean(finite):.1f}")
    if sheet:
        write_sample_sheet(sheet, rows[:: max(1, len(rows) // 10)][:10])
        print(f"  {sheet}")


def keys(collection: Collection) -> list[str]:
    """The keys of all images of a collection."""
    return [collection.key(path) for path in collection.images]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write data, or measure."""
    torch.set_num_threads(1)
    parser = argument_parser(__doc__, __spec__.name)
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("images", type=Path)
    writing.add_argument("data", type=Path)
    writing.add_argument("--side", type=int, default=64)
    writing.add_argument("--seed", type=int, default=0)
    measuring = commands.add_parser("measure")
    measuring.add_argument("data", type=Path)
    measuring.add_argument("--model", required=True)
    measuring.add_argument("--sheet", type=Path)
    measuring.add_argument("--count", type=int, default=100)
    given = parser.parse_args(arguments)
    if given.command == "write":
        write(given.images, given.data, given.side, given.seed)
    else:
        measure(given.data, given.model, given.sheet, given.count)


if __name__ == "__main__":
    main()
