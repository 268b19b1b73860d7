"""A LAPGAN step, of the last level at 64 px, against a plain eager loop of the same mathematics.

    python -m benchmarks.speed.lapgan_step [--rounds 20] [--width 64] [--batch 64]

The plain loop is in float32; weights, order of updates and losses are the same, without dropout, so that the
numbers of both can be compared. Both take turns in one process; the printed ratios are medians over the
rounds of plain seconds / our seconds, so more than 1 means faster than the plain loop.
"""

import argparse

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits, conv2d, interpolate, linear

from benchmarks.lib.turns import Step, ours, print_turns
from i2icli.config import Config
from i2icli.registry import config_type

SIDE = 64
Weights = dict[str, Tensor]


def generated(w: Weights, coarse: Tensor, noise: Tensor) -> Tensor:
    """The residual, (B, 3, 64, 64)."""
    x = torch.cat([noise, coarse], 1)
    for name in ("layers.0", "layers.2"):
        weight = w[f"{name}.weight"]
        x = conv2d(x, weight, w[f"{name}.bias"], padding=weight.shape[-1] // 2).relu()
    return conv2d(x, w["head.weight"], w["head.bias"], padding=2)


def judged(w: Weights, coarse: Tensor, residual: Tensor) -> Tensor:
    """Logits, (B, 1)."""
    x = coarse + residual
    for name, stride in (("layers.0", 1), ("layers.2", 2)):
        x = conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], stride=stride).relu()
    return linear(x.flatten(1), w["head.weight"], w["head.bias"])


def plain(start: dict[str, Weights], batch: dict[str, Tensor], noise: Tensor) -> Step:
    """A step of the plain loop from given weights of G and D; answers with both losses."""
    G, D = ({k: v.clone().requires_grad_(True) for k, v in start[name].items()} for name in "GD")
    adams = [torch.optim.Adam(each.values(), 2e-4, (0.5, 0.999), fused=True) for each in (D, G)]

    def loss(scores: Tensor, wanted: float) -> Tensor:
        return binary_cross_entropy_with_logits(scores, torch.full_like(scores, wanted))

    def step() -> tuple[float, float]:
        image = batch["image"]
        coarse = interpolate(avg_pool2d(image, 2), (SIDE, SIDE), mode="bilinear", align_corners=True)
        fake = generated(G, coarse, noise)
        told = 0.5 * (loss(judged(D, coarse, image - coarse), 1) + loss(judged(D, coarse, fake.detach()), 0))
        adams[0].zero_grad()
        told.backward(inputs=list(D.values()))
        adams[0].step()
        fooled = loss(judged(D, coarse, fake), 1)
        adams[1].zero_grad()
        fooled.backward(inputs=list(G.values()))
        adams[1].step()
        return told.item(), fooled.item()

    return step


def settings(batch: dict[str, Tensor], width: int) -> Config:
    """A pyramid of two, of which the last level learns."""
    return config_type("lapgan")(
        crop_size=SIDE,
        sides=(SIDE // 2, SIDE),
        width=width,
        discriminator_width=width,
        batch_size=len(batch["image"]),
        optimizer="adam",
        lr=2e-4,
        dropout=0.0,
        steps=10**6,
        channels=3,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    batch = {"image": torch.rand(options.batch, 3, SIDE, SIDE) * 2 - 1}
    config = settings(batch, options.width)
    batch["noise"] = torch.rand(options.batch, config.noise_size) * 2 - 1
    trainer, fp32 = ours("lapgan", config, "fp32", batch)
    noise = trainer.system.G.split(batch["noise"])[-1]
    level = {"G": trainer.system.G.at(0), "D": trainer.system.D.at(0)}
    start = {
        name: {k: v.detach().clone() for k, v in network.named_parameters()}
        for name, network in level.items()
    }
    contenders = {
        "plain fp32": plain(start, batch, noise),
        "i2i fp32": fp32,
        "i2i auto": ours("lapgan", config, "auto", batch)[1],
    }
    print_turns(contenders, options.rounds, f"{SIDE} px, batch {options.batch}")


if __name__ == "__main__":
    main()
