"""A Progressive GAN training step at 64 px against a plain eager loop that computes the same.

    python -m benchmarks.speed.progan_step [--rounds 8] [--size 64] [--width 512] [--batch 16]

The plain loop upsamples before a convolution and average-pools after it, as in the paper, in float32;
weights, order of updates and losses are the same. Timed in turns in one process; printed are the median time
of a step and the median of plain seconds / our seconds with its range: more than 1 is faster than the plain
loop.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate, leaky_relu, linear

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.steps import Step, compare_steps, engine_step
from i2icli.config import Config
from i2icli.registry import config_type

Weights = dict[str, Tensor]


def scaled(weights: Weights, name: str, gain: float = math.sqrt(2)) -> Tensor:
    weight = weights[f"{name}.weight"]
    return weight * (gain / math.sqrt(weight[0].numel()))


def convolved(weights: Weights, name: str, x: Tensor, gain: float = math.sqrt(2)) -> Tensor:
    weight = scaled(weights, name, gain)
    return conv2d(x, weight, weights[f"{name}.bias"], padding=weight.shape[-1] // 2)


def normed(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


def generated(w: Weights, code: Tensor, level: int) -> Tensor:
    x = linear(normed(code), scaled(w, "blocks.0.dense", math.sqrt(2) / 4)).view(len(code), -1, 4, 4)
    x = normed(leaky_relu(x + w["blocks.0.bias"][:, None, None], 0.2))
    x = normed(leaky_relu(convolved(w, "blocks.0.conv", x), 0.2))
    for index in range(1, level + 1):
        x = interpolate(x, scale_factor=2, mode="nearest")
        for layer in ("up", "conv"):
            x = normed(leaky_relu(convolved(w, f"blocks.{index}.{layer}", x), 0.2))
    return convolved(w, f"to_rgb.{level}", x, 1.0)


def discriminated(w: Weights, images: Tensor, level: int) -> Tensor:
    x = leaky_relu(convolved(w, f"from_rgb.{level}", images), 0.2)
    for index in range(level, 0, -1):
        x = leaky_relu(convolved(w, f"blocks.{index}.conv", x), 0.2)
        name = f"blocks.{index}.down"
        x = avg_pool2d(conv2d(x, scaled(w, name), padding=1), 2)
        x = leaky_relu(x + w[f"{name}.bias"][:, None, None], 0.2)
    grouped = x.reshape(4, -1, *x.shape[1:])  # (4, B / 4, C, 4, 4)
    deviation = (grouped.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3)).repeat(4)  # (B,)
    x = torch.cat([x, deviation[:, None, None, None].expand(-1, 1, 4, 4)], 1)
    x = leaky_relu(convolved(w, "blocks.0.conv", x), 0.2).flatten(1)
    x = leaky_relu(linear(x, scaled(w, "blocks.0.dense"), w["blocks.0.dense.bias"]), 0.2)
    return linear(x, scaled(w, "decision", 1.0), w["decision.bias"])[:, 0]


def plain(start: dict[str, Weights], batch: dict[str, Tensor], level: int) -> Step:
    """The step of the plain loop, from given weights of G and D."""
    G, D = ({k: v.clone().requires_grad_(True) for k, v in start[name].items()} for name in "GD")
    adams = [torch.optim.Adam(each.values(), 1e-3, (0.0, 0.99), fused=True) for each in (D, G)]
    average = {name: value.detach().clone() for name, value in G.items()}

    def step() -> tuple[float, float]:
        real, codes = batch["image"], batch["codes"]
        with torch.no_grad():
            fake = generated(G, codes[:, 0], level)
        real_score = discriminated(D, real, level)
        loss = discriminated(D, fake, level).mean() - real_score.mean() + 1e-3 * real_score.square().mean()
        weight = torch.rand(len(real), 1, 1, 1)
        points = (weight * real + (1 - weight) * fake).requires_grad_(True)
        (gradient,) = torch.autograd.grad(discriminated(D, points, level).sum(), points, create_graph=True)
        loss = loss + 10 * (gradient.flatten(1).norm(dim=1) - 1).square().mean()
        adams[0].zero_grad()
        loss.backward(inputs=list(D.values()))
        adams[0].step()
        g_loss = -discriminated(D, generated(G, codes[:, 1], level), level).mean()
        adams[1].zero_grad()
        g_loss.backward(inputs=list(G.values()))
        adams[1].step()
        with torch.no_grad():
            for name, value in average.items():
                value.lerp_(G[name], 1e-3)
        return loss.item(), g_loss.item()

    return step


def settings(batch: dict[str, Tensor], width: int) -> Config:
    """A single stage at full resolution, without fading."""
    size, side = len(batch["image"]), batch["image"].shape[-1]
    return config_type("progan")(
        crop_size=side, start_size=side, width=width, batch_size=size, steps=10**6, channels=3
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    level = options.size.bit_length() - 3
    batch = {
        "image": torch.rand(options.batch, 3, options.size, options.size) * 2 - 1,
        "codes": torch.randn(options.batch, 2, 512),
    }
    config = settings(batch, options.width)
    trainer, fp32 = engine_step("progan", config, "fp32", batch)
    start = {
        name: {k: v.detach().clone() for k, v in getattr(trainer.system, name).named_parameters()
               if f"rgb.{level}" in k or "rgb." not in k}
        for name in "GD"
    }  # fmt: skip
    contenders = {
        "plain fp32": plain(start, batch, level),
        "i2i fp32": fp32,
        "i2i auto": engine_step("progan", config, "auto", batch)[1],
    }
    compare_steps(contenders, options.rounds, f"{options.size} px, batch {options.batch}")


if __name__ == "__main__":
    main()
