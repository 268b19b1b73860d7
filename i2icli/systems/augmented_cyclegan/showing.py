"""What is shown and measured while an Augmented CycleGAN learns."""

from collections.abc import Callable
from itertools import combinations

import torch
from torch import Tensor

from i2icli.system import Batch, Evaluation, Pairs, aligned
from i2icli.systems.augmented_cyclegan.maps import Maps

OUTPUTS = 4  # per image


def fixed_codes(maps: Maps, like: Tensor) -> Tensor:
    """(K, Z) codes from N(0, 1), the same each time, so that sheets and figures can be compared."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(OUTPUTS, maps.config.num_latents, generator=generator).to(like)


def outputs_of(generate: Callable[[Tensor, Tensor], Tensor], images: Tensor, codes: Tensor) -> Tensor:
    """Every image with every code: images (B, C, H, W), codes (K, Z) -> (K, B, C', H, W)."""
    return torch.stack([generate(images, code.expand(len(images), -1)) for code in codes])


def mean_difference(a: Tensor, b: Tensor) -> Tensor:
    """(B, ...) each -> (B,): mean absolute difference."""
    return (a - b).abs().flatten(1).mean(dim=1)


def pairwise_difference(outputs: Tensor) -> Tensor:
    """(K, B, C, H, W), K at least 2 -> (B,): mean absolute difference over all pairs of the K outputs."""
    pairs = combinations(outputs, 2)
    return torch.stack([mean_difference(a, b) for a, b in pairs]).mean(dim=0)


def returned(maps: Maps, image_A: Tensor, output: Tensor) -> Tensor:
    """What an output in B leads back to, with the image's own code where A has codes."""
    codes = {"A": maps.encode("A", image_A, output)} if "A" in maps.coded else {}
    return maps.back("A", output, codes)


def preview(maps: Maps, batch: Batch) -> dict[str, Tensor]:
    """Several outputs for an image of A and the way back; an image of B, its way there and back."""
    A, B = maps.config.domains
    real_A, real_B = batch["A"], batch["B"]  # (B, C, H, W) each
    outputs = outputs_of(maps.generators["B"], real_A, fixed_codes(maps, real_A))  # (K, B, C, H, W)
    fake_A = maps.middle("A", real_B)
    codes = {"B": maps.encode("B", fake_A, real_B)}
    return {
        A: real_A,
        **{f"{A} to {B}, {number}": output for number, output in enumerate(outputs, 1)},
        f"{OUTPUTS} and back to {A}": returned(maps, real_A, outputs[-1]),
        B: real_B,
        f"{B} to {A}": fake_A,
        f"and back to {B}": maps.back("B", fake_A, codes),
    }


def evaluate(maps: Maps, batch: Batch) -> Evaluation:
    """Both directions beside images of the other collection, scored where these show the same scene, and
    whether outputs differ and lead back to where they came from, per image; differences over [-1, 1].

    diversity: between four outputs for one image of A; 0 is collapse. cycle_A: between an image of A and
    what its outputs lead back to. cycle_B: likewise, with the style found in the image of B; cycle_B_drawn:
    with styles drawn at random, which is no better where styles are ignored.
    """
    real_A, real_B = batch["A"], batch["B"]
    (first, second), codes = maps.config.domains, fixed_codes(maps, real_A)
    fakes_B = outputs_of(maps.generators["B"], real_A, codes)  # (K, B, C, H, W)
    fake_A = maps.middle("A", real_B)
    back_A = [mean_difference(returned(maps, real_A, fake), real_A) for fake in fakes_B]
    own = maps.back("B", fake_A, {"B": maps.encode("B", fake_A, real_B)})
    drawn = [mean_difference(each, real_B) for each in outputs_of(maps.generators["B"], fake_A, codes)]
    return Evaluation(
        generated={first: (fake_A, real_A), second: (fakes_B[0], real_B)},
        compared=_compared(maps, batch, fake_A),
        measured={
            "diversity": pairwise_difference(fakes_B),
            "cycle_A": torch.stack(back_A).mean(dim=0),
            "cycle_B": mean_difference(own, real_B),
            "cycle_B_drawn": torch.stack(drawn).mean(dim=0),
        },
    )


def _compared(maps: Maps, batch: Batch, fake_A: Tensor) -> Pairs:
    """Both directions where the truth is known. Of many right outputs it is one: its style is encoded from
    itself, and asked for.
    """
    rows = aligned(batch, {"": (batch["A"], batch["B"])})
    if not rows:
        return {}
    A, B = rows[""]  # (B', C, H, W) each
    codes = maps.all_codes(A, B)
    first, second = maps.config.domains
    back_A = maps.back("A", B, codes) if "A" in codes else fake_A[batch["truth"]]
    return {f"{first}_to_{second}": (maps.back("B", A, codes), B), f"{second}_to_{first}": (back_A, A)}
