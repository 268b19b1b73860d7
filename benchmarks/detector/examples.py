"""Training examples of the default detector: trace vectors, origin and perturbation of each image."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.detector.fakes import (
    INTERPOLATING,
    RESIZERS,
    SHAPES,
    UPSAMPLINGS,
    Photographs,
    Pixels,
    blurred,
    jpeg,
    luminance,
    network,
    noisy,
    patch_critic,
    reconstructed,
    resized,
    train_to_reconstruct,
    translated,
)
from i2icli.detector.features import extract_features
from i2icli.detector.residual_net import ResidualNet
from i2icli.detector.view import View
from i2icli.image import read_image

SIZES = (128, 160, 192, 256, 256, 256, 384)
TREATMENTS = ("none", "offset", "jpeg", "jpeg", "resized", "resized+jpeg", "other")

FakeOf = Callable[[int, Pixels], tuple[str, Pixels]]
"""The n-th fake, of a photograph: the kind of its network, and the image."""
Maker = Callable[[Sequence[Photographs], np.random.Generator], FakeOf]


@dataclass
class Examples:
    """One row per image; names of the fields are those of cached .npz files."""

    vectors: NDArray[np.float64]  # (N, 180)
    fake: NDArray[np.bool_]  # (N,)
    groups: NDArray[np.str_]  # (N,): source of a photograph, kind of network of a fake
    photographs: NDArray[np.str_]  # (N,): file name of the photograph
    treatments: NDArray[np.str_]  # (N,): perturbation


def examples(
    sources: Sequence[Photographs],
    number: int,
    seed: int,
    maker: Maker,
    net: ResidualNet,
    *,
    grey: bool = False,
) -> Examples:
    """Pairs of a photograph and a fake of it, with equal perturbations of all kinds."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    fake_of = maker(sources, rng)
    rows = []
    for index in range(number):
        source = sources[index % len(sources)]
        position, size = int(rng.integers(len(source.files))), SIZES[int(rng.integers(len(SIZES)))]
        real = source.crop(position, size, rng)
        group, fake = fake_of(index, real)
        if grey:
            real, fake = (np.repeat(luminance(pixels)[..., None], 3, 2) for pixels in (real, fake))
        name = source.files[position].name
        for treatment in TREATMENTS:
            for pixels, origin in zip(
                _treated(treatment, (real, fake), rng), (source.name, group), strict=True
            ):
                vector = extract_features(View(pixels), "traces", net)
                rows.append((vector, origin == group, origin, name, treatment))
    return _examples(rows)


def mixed_fakes(sources: Sequence[Photographs], rng: np.random.Generator, *, steps: int) -> FakeOf:
    """Fakes by networks of every shape and up-sampling, with random weights or trained for `steps` steps."""
    trained = _trained_networks(sources, rng, steps)
    return lambda index, real: _fake(index, real, trained, rng)


def taught_fakes(sources: Sequence[Photographs], rng: np.random.Generator) -> FakeOf:
    """Fakes by networks that interpolate and then convolve, whose faint lattices only emerge with training.

    One of each shape and interpolation; training steps, colourisation and an adversarial critic are random.
    """
    photographs, networks = _crops(sources, rng), []
    for shape, kind in product(SHAPES, INTERPOLATING):
        net = network(shape, kind, rng)
        from_grey, critic = rng.random() < 0.4, patch_critic() if rng.random() < 0.6 else None
        steps = int(rng.choice([80, 200, 400]))
        train_to_reconstruct(net, photographs, rng, steps, from_grey=from_grey, critic=critic)
        networks.append((f"taught-{shape}-{kind}", net, from_grey))

    def fake_of(index: int, real: Pixels) -> tuple[str, Pixels]:
        group, net, from_grey = networks[index // len(sources) % len(networks)]
        return group, reconstructed(net, np.repeat(luminance(real)[..., None], 3, 2) if from_grey else real)

    return fake_of


def profile_examples(
    sources: Sequence[Photographs], number: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Features of the paper's detector for photographs and fakes by random networks, unperturbed."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    rows, fakes = [], []
    for index in range(number):
        source = sources[index % len(sources)]
        real = source.crop(int(rng.integers(len(source.files))), SIZES[int(rng.integers(len(SIZES)))], rng)
        _, fake = _fake(index, real, {}, rng)
        rows += [extract_features(View(real), "profile"), extract_features(View(fake), "profile")]
        fakes += [False, True]
    return np.stack(rows), np.array(fakes)


def native_examples(source: Photographs, each: int, seed: int, net: ResidualNet) -> Examples:
    """Crops of photographs at full resolution, as developed by the camera and after further JPEG."""
    rng = np.random.default_rng(seed)
    rows = []
    for file in source.files:
        pixels = read_image(file).pixels
        for _ in range(each):
            size = min(int(rng.choice([192, 256, 384, 512, 768])), *pixels.shape[:2])
            top, left = (int(rng.integers(0, side - size + 1)) for side in pixels.shape[:2])
            part = np.ascontiguousarray(pixels[top // 8 * 8 :, left // 8 * 8 :][:size, :size])
            for treatment in ("none", "jpeg"):
                (made,) = _treated(treatment, (part,), rng)
                vector = extract_features(View(made), "traces", net)
                rows.append((vector, False, f"{source.name}-native", file.name, treatment))
    return _examples(rows)


def joined(parts: Sequence[Examples]) -> Examples:
    """The concatenation of several sets of examples."""
    return Examples(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Examples))
    )


def _examples(rows: Sequence[tuple[Any, ...]]) -> Examples:
    vectors, fakes, groups, names, treatments = zip(*rows, strict=True)
    return Examples(
        np.stack(vectors), np.array(fakes), np.array(groups), np.array(names), np.array(treatments)
    )


def _crops(sources: Sequence[Photographs], rng: np.random.Generator) -> list[Pixels]:
    """Training images of the networks."""
    return [
        source.crop(int(rng.integers(len(source.files))), 192, rng) for source in sources for _ in range(40)
    ]


def _trained_networks(
    sources: Sequence[Photographs], rng: np.random.Generator, steps: int
) -> dict[str, nn.Module]:
    """One network of every shape and up-sampling, trained to reconstruct photographs."""
    photographs, trained = _crops(sources, rng), {}
    for shape in SHAPES:
        for kind in UPSAMPLINGS:
            net = network(shape, kind, rng)
            train_to_reconstruct(net, photographs, rng, steps)
            trained[f"{shape}-{kind}"] = net
    return trained


def _fake(
    index: int, real: Pixels, trained: dict[str, nn.Module], rng: np.random.Generator
) -> tuple[str, Pixels]:
    """A fake of a photograph by a random or a trained network, either entirely or only its fine detail."""
    kind, shape = UPSAMPLINGS[index % len(UPSAMPLINGS)], SHAPES[index // len(UPSAMPLINGS) % len(SHAPES)]
    variant = index // (len(UPSAMPLINGS) * len(SHAPES)) % 3
    if variant == 0 and trained:
        fake = reconstructed(trained[f"{shape}-{kind}"], real)
        return f"trained-{shape}-{kind}", fake
    fake = translated(network(shape, kind, rng), real)
    if variant == 1:
        return f"random-{shape}-{kind}", fake
    amplitude = float(np.exp(rng.uniform(np.log(0.08), 0)))
    return f"weak-{shape}-{kind}", injected(real, fake, amplitude)


def injected(real: Pixels, fake: Pixels, amplitude: float) -> Pixels:
    """A photograph with the fine detail of a fake at some amplitude, for weak traces."""
    fine = fake.astype(np.float32) - blurred(fake, 1.5)
    coarse = 0.5 * real.astype(np.float32) + 0.5 * blurred(real, 0.7)
    return (coarse + amplitude * fine + 0.5).clip(0, 255).astype(np.uint8)


def _treated(treatment: str, images: Sequence[Pixels], rng: np.random.Generator) -> Iterator[Pixels]:
    """The same random perturbation of a kind applied to each image."""
    quality, subsampling = int(rng.integers(55, 99)), int(rng.choice([0, 2]))
    factor, method = float(np.exp(rng.uniform(np.log(0.5), np.log(2)))), RESIZERS[int(rng.integers(3))]
    top, left = rng.integers(0, 8, 2)
    blur, noise, which = rng.uniform(0.3, 1), rng.uniform(1, 6), rng.random() < 0.5
    for pixels in images:
        if treatment != "none":
            pixels = np.ascontiguousarray(pixels[top:, left:])
        if treatment.startswith("resized"):
            pixels = resized(pixels, max(factor, 72 / min(pixels.shape[:2])), method)
        if treatment.endswith("jpeg"):
            pixels = jpeg(pixels, quality, subsampling)
        if treatment == "other":
            pixels = blurred(pixels, blur) if which else noisy(pixels, noise, rng)
        yield pixels
