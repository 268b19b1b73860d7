"""Does a reference-style system follow its reference, and can it take the style off again?

    python -m benchmarks.experiments.reference_style write PICTURES DATA [--side 64] [--seed 0]
    python -m benchmarks.experiments.reference_style measure DATA --model runs/x [--sheet sheet.png]
        [--count 100]

`write` makes a task with a truth of any folder of pictures with train/ and test/: half of the training
pictures as they are (trainA), the other half each under a coloured light of its own (trainB), and the test
pictures in both (testA, testB), two by two under one light, named picture+light. A light multiplies red,
green and blue by a factor each. `measure` works on any data with testA/ and testB/, and prints

- how far the colour statistics (mean and standard deviation of each channel, from 0 to 255) of an answer are
  from its reference's, beside the same of the untouched picture, and of the answer against another reference;
- how far F(G(x, y)) is from x, as PSNR;
- where names tell the truth: PSNR and SSIM of transfer and removal, beside the untouched picture's.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from i2icli.data.kinds.style_names import BETWEEN, compare_by_name
from i2icli.image import DecodedImage, convert_channels, read_image, resize, to_tensor, write_image
from i2icli.image.finding import Collection, collect
from i2icli.inference.translator import Translator
from i2icli.report.sheet import write_sample_sheet
from i2icli.scores import psnr, ssim
from i2icli.task import names_of

Pixels = NDArray[np.uint8]
DARKEST = 0.35  # the smallest factor of a light


def under_light(pixels: Pixels, seed: int) -> Pixels:
    """(H, W, 3) -> the same under the light of a seed."""
    factors = np.random.default_rng((17, seed)).uniform(DARKEST, 1.0, 3)
    return (pixels * factors / factors.max() + 0.5).astype(np.uint8)


def write(pictures: Path, data: Path, side: int, seed: int) -> None:
    """Write the task."""

    def save(path: Path, pixels: Pixels) -> None:
        write_image(path, DecodedImage(pixels, None, "png"))

    def small(path: Path) -> Pixels:
        return resize(convert_channels(read_image(path).pixels, 3), (side, side))

    train = collect(pictures / "train").images
    for place, number in enumerate(np.random.default_rng(seed).permutation(len(train)).tolist()):
        name, pixels = f"{train[number].stem}.png", small(train[number])
        if place % 2:
            save(data / "trainB" / name, under_light(pixels, seed + 1000 + place))
        else:
            save(data / "trainA" / name, pixels)
    for place, path in enumerate(collect(pictures / "test").images):
        pixels, light = small(path), place // 2
        save(data / "testA" / f"{path.stem}.png", pixels)
        save(data / "testB" / f"{path.stem}{BETWEEN}light{light:03}.png", under_light(pixels, seed + light))


@dataclass
class Measured:
    """What was measured, over all test pictures."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """One value of a picture."""
        self.values.setdefault(name, []).append(value)

    def against(self, what: str, answer: Pixels, untouched: Pixels, truth: Pixels) -> None:
        """PSNR and SSIM of an answer beside the untouched picture's."""
        for name, score in (("PSNR", psnr), ("SSIM", ssim)):
            for whose, pixels in (("answer", answer), ("untouched", untouched)):
                self.add(
                    f"{what}, {name}, {whose}", float(score(to_tensor(pixels)[None], to_tensor(truth)[None]))
                )


def distance(pixels: Pixels, other: Pixels) -> float:
    """Mean difference of the channels' means and standard deviations, from 0 to 255."""
    a, b = (each.reshape(-1, each.shape[-1]).astype(float) for each in (pixels, other))
    return float(np.abs(np.concatenate([a.mean(0) - b.mean(0), a.std(0) - b.std(0)])).mean())


def measure(data: Path, model: str, sheet: Path | None, count: int) -> None:
    """Print what was measured and write a sheet."""
    translator = Translator.load(model, precision="fp32")
    bare, styled = collect(data / "testA"), collect(data / "testB")
    comparisons = compare_by_name(keys(bare), keys(styled))[:count]
    read: Callable[[Path], Any] = lambda path: convert_channels(read_image(path).pixels, 3)  # noqa: E731
    measured, rows = Measured(), []
    for place, each in enumerate(comparisons):
        x, reference = read(bare.images[each.bare]), styled.images[each.styled]
        y, other = read(reference), read(styled.images[comparisons[place - len(comparisons) // 2].styled])
        answer = np.asarray(translator.translate(x, reference=reference))
        back, removed = (
            np.asarray(translator.translate(pixels, to=names_of(translator.tasks)[-1]))
            for pixels in (answer, y)
        )
        measured.add("distance of colours, answer to its reference", distance(answer, y))
        measured.add("distance of colours, untouched picture to the reference", distance(x, y))
        measured.add("distance of colours, answer to another reference", distance(answer, other))
        measured.add(
            "PSNR of removal(transfer(x, y)) against x",
            float(psnr(to_tensor(back)[None], to_tensor(x)[None])),
        )
        row = {
            "picture": x,
            "reference": y,
            "transfer": answer,
            "and removed": back,
            "reference bare": removed,
        }
        if each.truth_styled is not None:
            row["truth of transfer"] = read(styled.images[each.truth_styled])
            measured.against("transfer", answer, x, row["truth of transfer"])
        if each.truth_bare is not None:
            row["truth of removal"] = read(bare.images[each.truth_bare])
            measured.against("removal", removed, y, row["truth of removal"])
        rows.append({name: to_tensor(pixels) for name, pixels in row.items()})
    print(f"{len(comparisons)} test pictures, {model}")
    for name, values in measured.values.items():
        finite = [value for value in values if np.isfinite(value)]
        print(f"  {name}: {np.mean(finite):.3f}" if "SSIM" in name else f"  {name}: {np.mean(finite):.1f}")
    if sheet:
        write_sample_sheet(sheet, rows[:: max(1, len(rows) // 10)][:10])
        print(f"  {sheet}")


def keys(collection: Collection) -> list[str]:
    """What the pictures of a collection are called."""
    return [collection.key(path) for path in collection.images]


def main() -> None:
    """Read the arguments and do it."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("pictures", type=Path)
    writing.add_argument("data", type=Path)
    writing.add_argument("--side", type=int, default=64)
    writing.add_argument("--seed", type=int, default=0)
    measuring = commands.add_parser("measure")
    measuring.add_argument("data", type=Path)
    measuring.add_argument("--model", required=True)
    measuring.add_argument("--sheet", type=Path)
    measuring.add_argument("--count", type=int, default=100)
    given = parser.parse_args()
    if given.command == "write":
        write(given.pictures, given.data, given.side, given.seed)
    else:
        measure(given.data, given.model, given.sheet, given.count)


if __name__ == "__main__":
    main()
