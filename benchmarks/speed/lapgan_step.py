"""A LAPGAN training step of the last level, at 64 px, against a plain eager loop that computes the same.

    python -m benchmarks.speed.lapgan_step [--rounds 20] [--width 64] [--batch 64]

The plain loop is in float32; weights, order of updates and losses are the same, without dropout, so the
losses can be compared. Timed in turns in one process; printed are the median time of a step and the median of
plain seconds / our seconds with its range: more than 1 is faster than the plain loop.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits, conv2d, interpolate, linear

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.steps import Step, compare_steps, engine_step
from i2icli.config import Config
from i2icli.registry import config_type

SIDE = 64
Weights = dict[str, Tensor]


def generated(w: Weights, coarse: Tensor, noise: Tensor) -> Tensor:
    """The generator's residual, (B, 3, 64, 64)."""
    x = torch.cat([noise, coarse], 1)
    for name in ("layers.0", "layers.2"):
        weight = w[f"{name}.weight"]
        x = conv2d(x, weight, w[f"{name}.bias"], padding=weight.shape[-1] // 2).relu()
    return conv2d(x, w["head.weight"], w["head.bias"], padding=2)


def discriminated(w: Weights, coarse: Tensor, residual: Tensor) -> Tensor:
    """The discriminator's logits, (B, 1)."""
    x = coarse + residual
    for name, stride in (("layers.0", 1), ("layers.2", 2)):
        x = conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], stride=stride).relu()
    return linear(x.flatten(1), w["head.weight"], w["head.bias"])


def plain(start: dict[str, Weights], batch: dict[str, Tensor], noise: Tensor) -> Step:
    """The step of the plain loop, from given weights of G and D."""
    G, D = ({k: v.clone().requires_grad_(True) for k, v in start[name].items()} for name in "GD")
    adams = [torch.optim.Adam(each.values(), 2e-4, (0.5, 0.999), fused=True) for each in (D, G)]

    def loss(scores: Tensor, wanted: float) -> Tensor:
        return binary_cross_entropy_with_logits(scores, torch.full_like(scores, wanted))

    def step() -> tuple[float, float]:
        image = batch["image"]
        coarse = interpolate(avg_pool2d(image, 2), (SIDE, SIDE), mode="bilinear", align_corners=True)
        fake = generated(G, coarse, noise)
        real_loss = loss(discriminated(D, coarse, image - coarse), 1)
        d_loss = 0.5 * (real_loss + loss(discriminated(D, coarse, fake.detach()), 0))
        adams[0].zero_grad()
        d_loss.backward(inputs=list(D.values()))
        adams[0].step()
        g_loss = loss(discriminated(D, coarse, fake), 1)
        adams[1].zero_grad()
        g_loss.backward(inputs=list(G.values()))
        adams[1].step()
        return d_loss.item(), g_loss.item()

    return step


def settings(batch: dict[str, Tensor], width: int) -> Config:
    """A pyramid of two levels, of which the last one is trained."""
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    batch = {"image": torch.rand(options.batch, 3, SIDE, SIDE) * 2 - 1}
    config = settings(batch, options.width)
    batch["noise"] = torch.rand(options.batch, config.noise_size) * 2 - 1
    trainer, fp32 = engine_step("lapgan", config, "fp32", batch)
    noise = trainer.system.G.split(batch["noise"])[-1]
    level = {"G": trainer.system.G.at(0), "D": trainer.system.D.at(0)}
    start = {
        name: {k: v.detach().clone() for k, v in network.named_parameters()}
        for name, network in level.items()
    }
    contenders = {
        "plain fp32": plain(start, batch, noise),
        "i2i fp32": fp32,
        "i2i auto": engine_step("lapgan", config, "auto", batch)[1],
    }
    compare_steps(contenders, options.rounds, f"{SIDE} px, batch {options.batch}")


if __name__ == "__main__":
    main()
