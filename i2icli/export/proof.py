"""Proof that a written graph computes what the networks compute, on inputs that tracing never saw.

Single precision is held against the rounding of the networks themselves: the difference of float32 from
float64 on the same inputs, as no runtime adds in the same order. Of lower precision the loss is measured, on
images.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.export.axes import BATCH, HEIGHT, REFERENCE_HEIGHT, REFERENCE_WIDTH, WIDTH, Sizes
from i2icli.export.content import After, Content, Noise
from i2icli.export.parts import Part
from i2icli.graphs.metadata import OUTPUT
from i2icli.request import Arrays
from i2icli.system import Inputs, System

Run = Callable[[Arrays], Arrays]
"""What runs a written graph."""

ABSOLUTE, RELATIVE = 5e-5, 1e-4  # of a value, that single precision may differ by
FLOORS = 10.0  # or so many times what the networks differ from themselves in double precision
MOST_ROUNDING = 2 / 255  # of the largest value, that rounding may excuse: one level of 8 bits
LEVEL = 1  # of pixels that are rounded inside the graph: 0 to 255
LEAST_SPREAD = 1e-3  # standard deviation of outputs in [-1, 1]; less says nothing about a graph
SHOWN = 4  # images that are looked at
IN_DOUBLE = 3  # trials that are computed in double precision, which is slow: two of noise, an image
LARGEST = 512  # pixels of a side of these
UNSEEN_REFERENCES: tuple[Sizes, ...] = (
    {REFERENCE_HEIGHT: 33, REFERENCE_WIDTH: 52},
    {REFERENCE_HEIGHT: 71, REFERENCE_WIDTH: 45},
)
"""Of references of their own size; another one is traced."""


@dataclass(frozen=True)
class Trial:
    """One comparison: how large, of what."""

    sizes: Sizes
    content: Content
    seed: int


@dataclass
class Proof:
    """What was found, over all trials of a part."""

    difference: float = 0.0  # largest, of any output
    floors: dict[str, float] = field(default_factory=dict)
    """By output the largest difference of the networks from themselves in double precision."""
    excess: float = 0.0  # largest difference over what is allowed; proven up to 1
    spread: float = 0.0  # largest standard deviation of a channel of `OUTPUT`
    errors: list[tuple[float, int]] = field(default_factory=list)  # of images: squares summed, of so many
    shown: list[tuple[Tensor, Tensor]] = field(default_factory=list)  # images as they are and should be
    trials: list[str] = field(default_factory=list)
    origin: str = ""  # of the images

    @property
    def floor(self) -> float:
        """The largest of all outputs."""
        return max(self.floors.values(), default=0.0)

    @property
    def psnr(self) -> float | None:
        """dB over all images that were looked at; None where they are equal, or there are none."""
        error = sum(error for error, _ in self.errors) / max(1, sum(count for _, count in self.errors))
        return 10 * float(np.log10(4 / error)) if error else None

    def facts(self) -> dict[str, Any]:
        """For the metadata, as JSON values."""
        psnr = self.psnr
        return {
            "difference": self.difference,
            "noise_floor": self.floor,
            "allowed": f"max({ABSOLUTE:g} + {RELATIVE:g} |value|, {FLOORS:g} x noise floor of the output, at "
            f"most {MOST_ROUNDING:.2g} of its largest value)",
            "psnr": round(psnr, 2) if psnr is not None else None,
            "images": self.origin,
            "spread": self.spread,
            "trials": list(self.trials),
        }


def trials_of(part: Part, images: Content) -> Iterator[Trial]:
    """Sizes and batches that were not traced: the smallest, an odd one; images as large as in training."""
    sides, (traced, _) = part.examples.sides, part.examples.traced_sizes()
    for seed, (batch, down, across) in enumerate(((1, 0, 0), (3, 3, 1)), 1):
        sizes = {**traced, **UNSEEN_REFERENCES[seed - 1], BATCH: batch}
        if sides.free:
            sizes |= {HEIGHT: sides.pixels(down), WIDTH: sides.pixels(across)}
        yield Trial(sizes, Noise(np.random.default_rng(seed)), seed)
    height, width = part.examples.system.config.crop_size
    sizes = {**traced, **UNSEEN_REFERENCES[-1], BATCH: 1}
    if sides.free:
        for side, length in ((HEIGHT, height), (WIDTH, width)):
            sizes[side] = sides.nearest(min(length, LARGEST))
    for number in range(SHOWN):
        yield Trial(sizes, After(images, number), len(part.examples.variants) * number)


def prove(part: Part, system: System[Any], run: Run, trials: Sequence[Trial], *, exact: bool) -> Proof:
    """Run a written graph beside the networks.

    exact: whether it is held against single precision; else only measured. Raises UserError if what it gives
    is not even of the right kind and shape.
    """
    proof = Proof()
    double = deepcopy(system).double() if exact else None
    for number, trial in enumerate(trials):
        with torch.no_grad():
            given = part.draw(system, trial.sizes, trial.content, trial.seed)
            wanted = part.compute(system, given)
            ideal = wanted
            if double is not None and number < IN_DOUBLE:
                ideal = part.compute(double, doubled(given))
        found = run({name: given[name].numpy() for name in part.inputs})
        for name, value in wanted.items():
            _compare(proof, name, found[name], value, ideal[name])
        if not isinstance(trial.content, Noise) and OUTPUT in wanted:
            _look(proof, torch.from_numpy(found[OUTPUT]), wanted[OUTPUT])
            proof.origin = trial.content.origin
        sizes = "x".join(
            str(length) for name, length in trial.sizes.items() if name in (BATCH, HEIGHT, WIDTH)
        )
        proof.trials.append(f"{sizes} {trial.content.origin}")
    return proof


def doubled(values: Inputs) -> Inputs:
    """The same in double precision; ids as they are."""
    return {name: each.double() if each.is_floating_point() else each for name, each in values.items()}


def check_spread(proof: Proof, part: Part) -> None:
    """Raise UserError if the outputs say nothing, as those of networks that have learned nothing."""
    if proof.spread < LEAST_SPREAD:
        raise UserError(
            f"the outputs of {part.name!r} hardly vary (standard deviation {proof.spread:.1g}): equal ones "
            "prove nothing; train the model longer",
            exit_code=1,
        )


def _compare(proof: Proof, name: str, found: Any, wanted: Tensor, ideal: Tensor) -> None:
    other = torch.from_numpy(np.asarray(found))
    if other.shape != wanted.shape or other.dtype != wanted.dtype:
        raise UserError(
            f"{name} came as {other.dtype} {tuple(other.shape)}, expected {wanted.dtype} "
            f"{tuple(wanted.shape)}; this is a fault of i2icli, please report it",
            exit_code=1,
        )
    difference = (other.double() - wanted.double()).abs()
    allowed = torch.zeros_like(difference)  # ids are equal or wrong
    if wanted.dtype == torch.uint8:
        allowed = torch.full_like(difference, LEVEL)
    elif wanted.is_floating_point():
        rounding = float((wanted.double() - ideal.double()).abs().max())
        proof.floors[name] = max(proof.floors.get(name, 0.0), rounding)
        largest = float(wanted.double().abs().max())
        excused = min(FLOORS * proof.floors[name], MOST_ROUNDING * largest)
        allowed = (ABSOLUTE + RELATIVE * wanted.double().abs()).clamp(min=excused)
    excess = float((difference / allowed.clamp(min=1e-12)).max())
    proof.difference = max(proof.difference, float(difference.max()))
    # What is not finite is not equal, whatever it is compared with.
    proof.excess = max(proof.excess, excess if np.isfinite(excess) else float("inf"))
    if name == OUTPUT:
        proof.spread = max(proof.spread, _spread(wanted))


def _spread(images: Tensor) -> float:
    """The largest standard deviation of a channel of (B, C, H, W): one colour everywhere has none."""
    channels = images.double().movedim(1, 0).flatten(1) / (127.5 if images.dtype == torch.uint8 else 1)
    return float(channels.std(1, correction=0).max())


def _look(proof: Proof, found: Tensor, wanted: Tensor) -> None:
    """Remember an image (1, C, H, W) of the graph beside what it should be."""
    images, truth = as_values(found), as_values(wanted)
    error = (images.double() - truth.double()).square()
    proof.errors.append((float(error.sum()), error.numel()))
    proof.shown.append((images, truth))


def as_values(image: Tensor) -> Tensor:
    """Pixels 0 to 255 as values in [-1, 1]; values as they are."""
    return image.float() / 127.5 - 1 if image.dtype == torch.uint8 else image
