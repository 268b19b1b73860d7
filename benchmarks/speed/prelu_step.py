"""What a ComboGAN training step gains from the gradient of its rectifiers, which is our own on a CPU.

    python -m benchmarks.speed.prelu_step [--recipe small] [--precision auto] [--rounds 15]

In turns: with the library's PReLU, and with ours; the same networks, weights and batch of noise. Printed:
processor seconds of a step in one thread, and the median of the ratios.
"""

import argparse
import time

import torch
from torch import nn

from benchmarks.lib.turns import ours, print_turns
from i2icli.nn.prelu import PReLU
from i2icli.recipe import resolve_config


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="small")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = resolve_config("combogan", arguments.recipe, {"domains": ("autumn", "winter"), "steps": 10**6})
    shape = config.batch_size, 3, *config.crop_size
    batch = {side: torch.rand(shape) * 2 - 1 for side in ("A", "B")}  # (B, C, H, W)
    batch["pair"] = torch.tensor([[0, 1]]).expand(config.batch_size, -1)  # (B, 2)
    contenders = {}
    for name in ("library", "ours"):
        trainer, contenders[name] = ours("combogan", config, arguments.precision, batch)
        for layer in trainer.system.modules():
            if name == "library" and isinstance(layer, PReLU):
                layer.__class__ = nn.PReLU  # type: ignore[assignment]
    about = f"{arguments.recipe}, {arguments.precision}, {tuple(shape)}"
    print_turns(contenders, arguments.rounds, about, time.process_time)


if __name__ == "__main__":
    main()
