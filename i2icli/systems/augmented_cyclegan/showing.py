"""What is shown and measured while an Augmented CycleGAN learns."""

from collections.abc import Callable
from itertools import combinations

import torch
from torch import Tensor

from i2icli.system import Answers, Batch, Pairs
from i2icli.systems.augmented_cyclegan.maps import Maps

ANSWERS = 4  # per image


def fixed_codes(maps: Maps, like: Tensor) -> Tensor:
    """(K, Z) codes from N(0, 1), the same each time, so that pictures and figures can be compared."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(ANSWERS, maps.config.num_latents, generator=generator).to(like)


def answers_to(answer: Callable[[Tensor, Tensor], Tensor], images: Tensor, codes: Tensor) -> Tensor:
    """Every image with every code: images (B, C, H, W), codes (K, Z) -> (K, B, C', H, W)."""
    return torch.stack([answer(images, code.expand(len(images), -1)) for code in codes])


def mean_difference(a: Tensor, b: Tensor) -> Tensor:
    """(B, ...) each -> (B,): mean absolute difference."""
    return (a - b).abs().flatten(1).mean(dim=1)


def pairwise_difference(answers: Tensor) -> Tensor:
    """(K, B, C, H, W), K at least 2 -> (B,): mean absolute difference over all pairs of the K answers."""
    pairs = combinations(answers, 2)
    return torch.stack([mean_difference(a, b) for a, b in pairs]).mean(dim=0)


def returned(maps: Maps, image_A: Tensor, answer: Tensor) -> Tensor:
    """What an answer in B leads back to, with the image's own code where A has codes."""
    codes = {"A": maps.encode("A", image_A, answer)} if "A" in maps.coded else {}
    return maps.back("A", answer, codes)


def preview(maps: Maps, batch: Batch) -> dict[str, Tensor]:
    """Several answers to an image of A and the way back; an image of B, its way there and back."""
    A, B = maps.config.domains
    real_A, real_B = batch["A"], batch["B"]  # (B, C, H, W) each
    answers = answers_to(maps.generators["B"], real_A, fixed_codes(maps, real_A))  # (K, B, C, H, W)
    fake_A = maps.middle("A", real_B)
    codes = {"B": maps.encode("B", fake_A, real_B)}
    return {
        A: real_A,
        **{f"{A} to {B}, {number}": answer for number, answer in enumerate(answers, 1)},
        f"{ANSWERS} and back to {A}": returned(maps, real_A, answers[-1]),
        B: real_B,
        f"{B} to {A}": fake_A,
        f"and back to {B}": maps.back("B", fake_A, codes),
    }


def answers(maps: Maps, batch: Batch) -> Answers:
    """Both directions, with the same look for all: what looks like A, made of B, and like B, made of A."""
    code = fixed_codes(maps, batch["A"])[:1]  # (1, Z)
    (fake_B,) = answers_to(maps.generators["B"], batch["A"], code)
    return {"A": maps.middle("A", batch["B"]), "B": fake_B}


def samples(maps: Maps, batch: Batch, answers: Answers) -> Pairs:
    """Both directions, beside images of the other collection."""
    first, second = maps.config.domains
    return {first: (answers["A"], batch["A"]), second: (answers["B"], batch["B"])}


def compare(maps: Maps, batch: Batch, answers: Answers) -> Pairs:
    """Both directions, of those examples whose images show the same scene; usually there are none.

    Of many right answers the truth is one: its look is encoded from itself, and asked for.
    batch["truth"]: (B,) bool, or absent.
    """
    if "truth" not in batch or not batch["truth"].any():
        return {}
    there = batch["truth"]
    A, B = batch["A"][there], batch["B"][there]  # (B', C, H, W) each
    codes = maps.all_codes(A, B)
    first, second = maps.config.domains
    return {
        f"{first}_to_{second}": (maps.back("B", A, codes), B),
        f"{second}_to_{first}": (maps.back("A", B, codes) if "A" in codes else answers["A"][there], A),
    }


def measure(maps: Maps, batch: Batch, answers: Answers) -> dict[str, Tensor]:
    """Whether answers differ and lead back to where they came from, per image; differences over [-1, 1].

    diversity: between four answers to one image of A; 0 is collapse. cycle_A: between an image of A and
    what its answers lead back to. cycle_B: likewise, with the look found in the image of B;
    cycle_B_drawn: with looks drawn at random, which is no better where looks are ignored.
    """
    real_A, real_B = batch["A"], batch["B"]
    codes, generate = fixed_codes(maps, real_A), maps.generators["B"]
    fake_A, more = answers["A"], answers_to(generate, real_A, codes[1:])  # (K - 1, B, C, H, W)
    fakes_B = torch.cat([answers["B"][None], more])  # (K, B, C, H, W)
    back_A = [mean_difference(returned(maps, real_A, fake), real_A) for fake in fakes_B]
    own = maps.back("B", fake_A, {"B": maps.encode("B", fake_A, real_B)})
    drawn = [mean_difference(each, real_B) for each in answers_to(generate, fake_A, codes)]
    return {
        "diversity": pairwise_difference(fakes_B),
        "cycle_A": torch.stack(back_A).mean(dim=0),
        "cycle_B": mean_difference(own, real_B),
        "cycle_B_drawn": torch.stack(drawn).mean(dim=0),
    }
