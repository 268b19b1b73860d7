"""A ComboGAN training step with our PReLU gradient on the CPU against torch's.

    python -m benchmarks.speed.prelu_step [--recipe small] [--precision auto] [--rounds 15]

Timed in turns, with the same networks, weights and batch of noise. Printed are the CPU time of a step in one
thread and the median speed-up with its range.
"""

import time
from collections.abc import Sequence

import torch
from torch import nn

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.steps import compare_steps, engine_step
from i2icli.nn.prelu import PReLU
from i2icli.recipe import resolve_config


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--recipe", default="small")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    config = resolve_config("combogan", options.recipe, {"domains": ("autumn", "winter"), "steps": 10**6})
    shape = config.batch_size, 3, *config.crop_size
    batch = {side: torch.rand(shape) * 2 - 1 for side in ("A", "B")}  # (B, C, H, W)
    batch["pair"] = torch.tensor([[0, 1]]).expand(config.batch_size, -1)  # (B, 2)
    contenders = {}
    for name in ("torch", "ours"):
        trainer, contenders[name] = engine_step("combogan", config, options.precision, batch)
        for layer in trainer.system.modules():
            if name == "torch" and isinstance(layer, PReLU):
                layer.__class__ = nn.PReLU  # type: ignore[assignment]
    about = f"{options.recipe}, {options.precision}, {tuple(shape)}"
    compare_steps(contenders, options.rounds, about, time.process_time)


if __name__ == "__main__":
    main()
