"""Train the residual network of the detector on `benchmarks.detector.family`.

    python -m benchmarks.detector.residuals family --out nets --without satellite
    python -m benchmarks.detector.residuals family --out nets

Writes nets/without-satellite.safetensors, for judging on the content that was left out (every generator of
the family has seen one content only), and nets/all.safetensors. Printed is the AUC on whole images of the
content that was left out, under each treatment and of each generator.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file
from torch import Tensor
from torch.nn.functional import softplus

from benchmarks.detector.cameras import any_camera, photographed
from benchmarks.detector.fakes import RESIZERS, Pixels, blurred, jpeg, noisy
from benchmarks.detector.material import Pair, content_of, family_names, family_pairs, random_pairs
from benchmarks.lib.arguments import argument_parser
from i2icli.detector.calibration import area_under_curve
from i2icli.detector.residual import high_pass, planes
from i2icli.detector.residual_net import ResidualNet

Change = Callable[[Pixels], Pixels]

TREATMENTS = ("none", "jpeg", "resized", "resized+jpeg", "other")
EACH, RANDOM, SHARE = 120, 72, 0.2  # pairs of a generator; random networks, and their share of a batch
SIDE, PAIRS = 128, 12  # pixels of a training crop, pairs in a batch
RATE, SMOOTHING = 2e-3, 0.02  # of learning; of the labels
SOFTENED, PHOTOGRAPHED = 0.35, 0.1  # shares of real images that are blurred, that a camera is simulated for
MIXED = 0.5  # share of fakes that are mixed with the real image, for faint traces
ALIGNED = 0.8  # correlation of a fake with its real image from which they show the same


def train(pairs: Sequence[Pair], seconds: float, seed: int = 0) -> ResidualNet:
    """Train on random parts, treated at random, every generator as often as any other."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    made = random_pairs(pairs, RANDOM, 6, seed)
    names = sorted({pair.generator for pair in pairs})
    by_generator = [[pair for pair in pairs if pair.generator == name] for name in names]
    net = ResidualNet()
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-3)
    began, losses = monotonic(), [0.0]
    while (spent := (monotonic() - began) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, len(losses) / 100) * (0.5 + 0.5 * np.cos(np.pi * spent))
        chosen = [_any(made if rng.random() < SHARE else _any(by_generator, rng), rng) for _ in range(PAIRS)]
        crops = [_crops(pair, rng) for pair in chosen]
        odds = net(residuals([fake for fake, _ in crops] + [real for _, real in crops]))
        signed = torch.cat([-odds[:PAIRS], odds[PAIRS:]])
        loss = softplus(signed).mean() - SMOOTHING * signed.mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        if len(losses) % 500 == 0:
            print(f"  step {len(losses):,}: loss {np.mean(losses[-500:]):.3f}", flush=True)
    return net.eval().requires_grad_(False)


def residuals(images: Sequence[Pixels]) -> Tensor:
    """Images of one size -> (B, 3, H, W) residuals in levels of 255."""
    stacked = torch.cat([planes(image) for image in images])  # (3B, H, W)
    return high_pass(stacked).unflatten(0, (len(images), 3))


def treated(
    treatment: str,
    pair: tuple[Pixels, Pixels],
    side: int,
    rng: np.random.Generator,
    change: Change | None = None,
) -> Iterator[Pixels]:
    """The same random part of a fake and of a real image, `side` pixels square, perturbed in the same way.

    Half of the parts begin at a multiple of 8 pixels, as in images that nobody cropped. change: of
    the real image alone, before all else.
    """
    quality, subsampling = int(rng.integers(50, 97)), int(rng.choice([0, 2]))
    factor = float(np.exp(rng.uniform(np.log(0.5), np.log(2)))) if "resized" in treatment else 1.0
    method = RESIZERS[int(rng.integers(3))]
    height, width = np.minimum(pair[0].shape[:2], pair[1].shape[:2])
    region = min(int(np.ceil(side / factor)), height, width)
    top, left = rng.integers(0, height - region + 1), rng.integers(0, width - region + 1)
    if rng.random() < 0.5:
        top, left = top // 8 * 8, left // 8 * 8
    blur, noise, which = rng.uniform(0.3, 1), rng.uniform(1, 5), rng.random() < 0.5
    for image, changed in zip(pair, (None, change), strict=True):
        part = np.ascontiguousarray(image[top : top + region, left : left + region])
        if changed:
            part = changed(part)
        if "resized" in treatment:
            part = np.asarray(Image.fromarray(part).resize((side, side), method))
        if "jpeg" in treatment:
            part = jpeg(part, quality, subsampling)
        if treatment == "other":
            part = blurred(part, blur) if which else noisy(part, noise, rng)
        yield part


def _crops(pair: Pair, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """A part of a fake and of its real image."""
    fake, real = pair.fake, pair.real
    if rng.random() < MIXED and _aligned(pair):
        share = float(rng.uniform(0.25, 1))
        fake = (real + share * (fake.astype(np.float32) - real) + 0.5).clip(0, 255).astype(np.uint8)
    fake, real = treated(_any(TREATMENTS, rng), (fake, real), SIDE, rng, _only_real(rng))
    return fake, real


def _only_real(rng: np.random.Generator) -> Change:
    """A change that makes no fake of a real image: soft as fakes often are, or the mosaic of a camera."""
    kind = rng.random()
    if kind < SOFTENED:
        radius = float(rng.uniform(0.2, 1.2))
        return lambda part: blurred(part, radius)
    if kind < SOFTENED + PHOTOGRAPHED:
        camera = any_camera(rng)
        return lambda part: photographed((part / np.float32(255)) ** np.float32(2.2), camera, rng)
    return lambda part: part


def _aligned(pair: Pair) -> bool:
    fake, real = (image[::8, ::8, 1].ravel() for image in (pair.fake, pair.real))
    return len(fake) == len(real) and float(np.corrcoef(fake, real)[0, 1]) > ALIGNED


def _any(options: Sequence[Any], rng: np.random.Generator) -> Any:
    return options[int(rng.integers(len(options)))]


@torch.no_grad()
def judge(net: ResidualNet, pairs: Sequence[Pair], seed: int = 1) -> None:
    """Print the AUC of each treatment and generator on whole images."""
    fake = np.tile([True, False], len(pairs))
    names = np.repeat([pair.generator for pair in pairs], 2)
    for treatment in TREATMENTS:
        rng, found = np.random.default_rng(seed), []
        for pair in pairs:
            images = treated(treatment, (pair.fake, pair.real), 256, rng)
            found += [float(net(residuals([image]))[0]) for image in images]
        scores = np.array(found)
        each = [
            f"{name} {area_under_curve(scores[names == name], fake[names == name]):.3f}"
            for name in np.unique(names)
        ]
        print(f"{treatment:14} AUC {area_under_curve(scores, fake):.3f}: {', '.join(each)}", flush=True)


def load_nets(folder: Path) -> dict[str, ResidualNet]:
    """By the content that was left out, and "all"."""
    return {
        file.stem.removeprefix("without-"): ResidualNet.from_arrays(load_file(file))
        for file in sorted(folder.glob("*.safetensors"))
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, write and judge."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("family", type=Path)
    parser.add_argument("--out", type=Path, default=Path("nets"))
    parser.add_argument("--without", metavar="CONTENT", help="content to leave out, and to judge on")
    parser.add_argument("--minutes", type=float, default=15)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    names = family_names(options.family)
    used = [name for name in names if content_of(name) != options.without]
    pairs = [pair for name in used for pair in family_pairs(options.family / name, EACH)]
    print(f"{len(used)} generators, {len(pairs):,} pairs", flush=True)
    net = train(pairs, 60 * options.minutes)
    options.out.mkdir(parents=True, exist_ok=True)
    name = f"without-{options.without}" if options.without else "all"
    save_file(net.arrays(), options.out / f"{name}.safetensors")
    others = [name for name in names if name not in used]
    if others:
        judge(net, [pair for name in others for pair in family_pairs(options.family / name, 20)])


if __name__ == "__main__":
    main()
