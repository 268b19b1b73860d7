"""Training of the residual network of the detector on pairs of fakes and real images."""

from collections.abc import Sequence
from time import monotonic

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from benchmarks.detector.material import TREATMENTS, Pair, treated
from i2icli.detector.calibration import area_under_curve
from i2icli.detector.residual import high_pass, planes
from i2icli.detector.residual_net import ResidualNet
from i2icli.image import Pixels

SIDE = 128  # pixels of a training crop
PAIRS = 12  # in a batch
SMOOTHING = 0.02  # of the labels


def residuals(images: Sequence[Pixels]) -> Tensor:
    """Images of one size -> (B, 3, H, W) residuals in levels of 255."""
    stacked = torch.cat([planes(image) for image in images])  # (3B, H, W)
    return high_pass(stacked).unflatten(0, (len(images), 3))


def train(pairs: Sequence[Pair], seconds: float, seed: int = 0) -> ResidualNet:
    """Train on random parts, treated at random, every generator as often as any other."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    by_generator = [
        [pair for pair in pairs if pair.generator == name]
        for name in sorted({pair.generator for pair in pairs})
    ]
    net = ResidualNet()
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3)
    began, losses, step = monotonic(), [], 0
    while (spent := (monotonic() - began) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, step / 100) * (0.5 + 0.5 * np.cos(np.pi * spent))
        fakes, reals = [], []
        for _ in range(PAIRS):
            members = by_generator[int(rng.integers(len(by_generator)))]
            pair = members[int(rng.integers(len(members)))]
            treatment = TREATMENTS[int(rng.integers(len(TREATMENTS)))]
            fake, real = treated(treatment, (pair.fake, pair.real), SIDE, rng)
            fakes.append(fake)
            reals.append(real)
        odds = net(residuals([*fakes, *reals]))
        signed = torch.cat([-odds[:PAIRS], odds[PAIRS:]])
        loss = softplus(signed).mean() - SMOOTHING * signed.mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        step += 1
        if step % 200 == 0:
            print(f"  step {step}: loss {np.mean(losses[-200:]):.3f}", flush=True)
    return net.eval()


@torch.no_grad()
def judge(net: ResidualNet, pairs: Sequence[Pair], seed: int = 1) -> None:
    """Print the AUC of each treatment and generator on whole images."""
    for treatment in TREATMENTS:
        rng, scores, fake, names = np.random.default_rng(seed), [], [], []
        for pair in pairs:
            for image, truth in zip(
                treated(treatment, (pair.fake, pair.real), 256, rng), (True, False), strict=True
            ):
                scores.append(float(net(residuals([image]))[0]))
                fake.append(truth)
                names.append(pair.generator)
        all_scores, truths, groups = np.array(scores), np.array(fake), np.array(names)
        each = [
            f"{name} {area_under_curve(all_scores[groups == name], truths[groups == name]):.3f}"
            for name in np.unique(groups)
        ]
        print(f"{treatment:14} AUC {area_under_curve(all_scores, truths):.3f}: {', '.join(each)}", flush=True)
