"""Diversity and cycle consistency of Augmented CycleGAN outputs.

    python -m benchmarks.experiments.diversity --model runs/x testA --real testB

Differences are mean absolute differences in levels of 255. A collapsed model would show 0 between outputs,
and equal values for matching and mismatched codes or styles.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.lib.arguments import argument_parser
from i2icli.image.finding import find_images
from i2icli.image.items import FileItem
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.systems.augmented_cyclegan.maps import Maps
from i2icli.systems.augmented_cyclegan.showing import mean_difference, pairwise_difference, returned
from i2icli.systems.augmented_cyclegan.system import AugmentedCycleGAN

LEVELS = 127.5  # of 255, per unit of [-1, 1]


def images(translator: Translator, folder: Path, to: str, count: int) -> list[Tensor]:
    """The first images of a folder, preprocessed for translation to a domain, (1, C, H, W) each."""
    (spec,) = translator.specs(TranslateOptions(to=to))
    paths = find_images(folder)[:count]
    return [translator.read({"image": FileItem(path)}, spec)["image"] for path in paths]


def colour_deviation(images: Tensor) -> Tensor:
    """(K, C, H, W) -> standard deviation of the K mean colours, averaged over the channels."""
    return images.mean(dim=(2, 3)).std(dim=0).mean()


def between(some: list[Tensor]) -> Tensor:
    """Mean difference of consecutive images of equal size."""
    pairs = [(a, b) for a, b in pairwise(some) if a.shape == b.shape]
    return torch.cat([mean_difference(a, b) for a, b in pairs]).mean()


@torch.inference_mode()
def measure(
    maps: Maps, given: list[Tensor], real: list[Tensor], codes: Tensor
) -> list[tuple[str, list[float]]]:
    """Names and values of the printed lines; codes: (K, Z)."""
    styles = torch.cat([maps.style("B", image) for image in real[: len(codes)]])  # (K, Z)
    rows: dict[str, list[Tensor]] = {
        name: [] for name in ("random", "styles", "colour", "code", "mismatched")
    }
    cycles: list[Tensor] = []
    for image in given:
        many = image.expand(len(codes), -1, -1, -1)  # (K, C, H, W)
        outputs, styled = maps.to("B", many, codes), maps.to("B", many, styles)
        rows["random"].append(pairwise_difference(outputs[:, None])[0])
        rows["styles"].append(pairwise_difference(styled[:, None])[0])
        rows["colour"].append(colour_deviation(outputs))
        cycles.append(mean_difference(returned(maps, many, outputs), many))  # (K,)
        encoded = maps.encode("B", many, outputs).mean  # (K, Z)
        rows["code"].append((encoded - codes).abs().mean())
        rows["mismatched"].append((encoded - codes.roll(1, dims=0)).abs().mean())
    mean = {name: torch.stack(values).mean().item() for name, values in rows.items() if values}
    each_cycle = torch.stack(cycles).mean(dim=0)  # (K,)
    own, random = reconstruction(maps, real, codes)
    return [
        ("two outputs for one image, random codes", [LEVELS * mean["random"]]),
        ("two outputs for one image, styles of real images", [LEVELS * mean["styles"]]),
        ("two real images of B, for comparison", [LEVELS * between(real).item()]),
        ("mean colour, standard deviation over outputs", [LEVELS * mean["colour"]]),
        ("mean colour, standard deviation over real images", [LEVELS * real_colour_deviation(real)]),
        ("image and its cycle, for each output", [LEVELS * each.item() for each in each_cycle]),
        ("two images of A, for comparison", [LEVELS * between(given).item()]),
        ("real image of B and its cycle, with its own style", [own]),
        ("the same with a random style", [random]),
        ("code encoded from an output and its code", [mean["code"]]),
        ("the same with the code of another output", [mean["mismatched"]]),
    ]


def reconstruction(maps: Maps, real: list[Tensor], codes: Tensor) -> tuple[float, float]:
    """Cycle differences of images of B: with their own style, and with random ones."""
    own, random = [], []
    for image in real:
        plain = maps.middle("A", image)
        own.append(mean_difference(maps.back("B", plain, {"B": maps.encode("B", plain, image)}), image))
        random += [mean_difference(maps.to("B", plain, code[None]), image) for code in codes]
    return LEVELS * torch.cat(own).mean().item(), LEVELS * torch.cat(random).mean().item()


def real_colour_deviation(real: list[Tensor]) -> float:
    """Standard deviation of the mean colours of images of any sizes."""
    return torch.cat([image.mean(dim=(2, 3)) for image in real]).std(dim=0).mean().item()


def main(arguments: Sequence[str] | None = None) -> None:
    """Load, measure, print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("images", type=Path, help="folder of images of the first domain")
    parser.add_argument("--real", type=Path, required=True, help="folder of images of the second domain")
    parser.add_argument("--model", required=True)
    parser.add_argument("--answers", type=int, default=6, help="outputs per image")
    parser.add_argument("--count", type=int, default=60, help="images of each domain")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    translator = Translator.load(options.model, precision="fp32", runtime="torch")
    system = translator.backend.system
    if not isinstance(system, AugmentedCycleGAN):
        parser.error(f"{options.model} is not an augmented_cyclegan")
    first, second = system.config.domains
    given = images(translator, options.images, second, options.count)
    real = images(translator, options.real, first, options.count)
    generator = torch.Generator().manual_seed(options.seed)
    codes = torch.randn(options.answers, system.config.num_latents, generator=generator)
    print(f"{len(given)} images of {first}, {len(real)} of {second}, {options.answers} outputs each")
    for name, values in measure(system.maps, given, real, codes):
        print(f"{name:55}", " ".join(f"{value:6.2f}" for value in values))


if __name__ == "__main__":
    main()
