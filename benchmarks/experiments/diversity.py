"""Are the many answers of an Augmented CycleGAN really different, and does each lead back?

    python -m benchmarks.experiments.diversity --model runs/x testA --real testB

Differences are means of absolute differences per value, in steps of 255. What a collapsed model would
show stands beside: 0 between answers, and no better with the right code or look than with a wrong one.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from i2icli.image.finding import find_images
from i2icli.image.items import FileItem
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.systems.augmented_cyclegan.maps import Maps
from i2icli.systems.augmented_cyclegan.showing import mean_difference, pairwise_difference, returned
from i2icli.systems.augmented_cyclegan.system import AugmentedCycleGAN

STEPS = 127.5  # of 255, in one unit of [-1, 1]


def images(translator: Translator, folder: Path, to: str, count: int) -> list[Tensor]:
    """The first pictures of a folder as the model reads them on the way to a domain, (1, C, H, W) each."""
    (spec,) = translator.specs(TranslateOptions(to=to))
    paths = find_images(folder)[:count]
    return [translator.read({"image": FileItem(path)}, spec)["image"] for path in paths]


def spread(answers: Tensor) -> Tensor:
    """(K, C, H, W) -> standard deviation of the K mean colours, averaged over the channels."""
    return answers.mean(dim=(2, 3)).std(dim=0).mean()


def between(some: list[Tensor]) -> Tensor:
    """Mean difference of pictures that follow each other; of those of one size."""
    pairs = [(a, b) for a, b in pairwise(some) if a.shape == b.shape]
    return torch.cat([mean_difference(a, b) for a, b in pairs]).mean()


@torch.inference_mode()
def measure(
    maps: Maps, given: list[Tensor], real: list[Tensor], codes: Tensor
) -> list[tuple[str, list[float]]]:
    """What is printed: a line's words and its numbers; codes: (K, Z)."""
    looks = torch.cat([maps.style("B", picture) for picture in real[: len(codes)]])  # (K, Z)
    rows: dict[str, list[Tensor]] = {
        name: [] for name in ("drawn", "looks", "colour", "back", "code", "wrong")
    }
    backs: list[Tensor] = []
    for image in given:
        many = image.expand(len(codes), -1, -1, -1)  # (K, C, H, W)
        answers, dressed = maps.to("B", many, codes), maps.to("B", many, looks)
        rows["drawn"].append(pairwise_difference(answers[:, None])[0])
        rows["looks"].append(pairwise_difference(dressed[:, None])[0])
        rows["colour"].append(spread(answers))
        backs.append(mean_difference(returned(maps, many, answers), many))  # (K,)
        found = maps.encode("B", many, answers).mean  # (K, Z)
        rows["code"].append((found - codes).abs().mean())
        rows["wrong"].append((found - codes.roll(1, dims=0)).abs().mean())
    mean = {name: torch.stack(values).mean().item() for name, values in rows.items() if values}
    every = torch.stack(backs).mean(dim=0)  # (K,)
    own, other = looked_back(maps, real, codes)
    return [
        ("two answers to one image, codes drawn", [STEPS * mean["drawn"]]),
        ("two answers to one image, looks of real images", [STEPS * mean["looks"]]),
        ("two real images of B, as a yardstick", [STEPS * between(real).item()]),
        ("mean colour, standard deviation over the answers", [STEPS * mean["colour"]]),
        ("mean colour, standard deviation over real images", [STEPS * spread_of(real)]),
        ("image and what its answer leads back to, each answer", [STEPS * each.item() for each in every]),
        ("two images of A, as a yardstick", [STEPS * between(given).item()]),
        ("real image of B and its return, with its own look", [own]),
        ("the same with a look drawn at random", [other]),
        ("code found in an answer and the code drawn", [mean["code"]]),
        ("the same with another answer's code", [mean["wrong"]]),
    ]


def looked_back(maps: Maps, real: list[Tensor], codes: Tensor) -> tuple[float, float]:
    """How far images of B come back from A: with their own look, and with drawn ones."""
    own, other = [], []
    for picture in real:
        plain = maps.middle("A", picture)
        own.append(mean_difference(maps.back("B", plain, {"B": maps.encode("B", plain, picture)}), picture))
        other += [mean_difference(maps.to("B", plain, code[None]), picture) for code in codes]
    return STEPS * torch.cat(own).mean().item(), STEPS * torch.cat(other).mean().item()


def spread_of(real: list[Tensor]) -> float:
    """Standard deviation of the mean colours of images of any sizes."""
    return torch.cat([picture.mean(dim=(2, 3)) for picture in real]).std(dim=0).mean().item()


def main() -> None:
    """Load, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="folder of images of the first domain")
    parser.add_argument("--real", type=Path, required=True, help="folder of images of the second domain")
    parser.add_argument("--model", required=True)
    parser.add_argument("--answers", type=int, default=6, help="per image")
    parser.add_argument("--count", type=int, default=60, help="images of each domain")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    translator = Translator.load(options.model, precision="fp32")
    system = translator.system
    if not isinstance(system, AugmentedCycleGAN):
        parser.error(f"{options.model} is no augmented_cyclegan")
    first, second = system.config.domains
    given = images(translator, options.images, second, options.count)
    real = images(translator, options.real, first, options.count)
    generator = torch.Generator().manual_seed(options.seed)
    codes = torch.randn(options.answers, system.config.num_latents, generator=generator)
    print(f"{len(given)} images of {first}, {len(real)} of {second}, {options.answers} answers each")
    for words, numbers in measure(system.maps, given, real, codes):
        print(f"{words:55}", " ".join(f"{number:6.2f}" for number in numbers))


if __name__ == "__main__":
    main()
