"""The network width from which bf16 is faster on this CPU, the basis of `--precision auto`.

    python -m benchmarks.speed.precision [--rounds 5] [--size 64]

A CycleGAN training step in fp32 and bf16, timed in turns, for networks of increasing width. Printed are the
quantity that `auto` decides by (products per value), the speed-up of bf16, and the choice of `auto`.
"""

from collections.abc import Sequence
from functools import partial
from statistics import median

import torch

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.steps import cpu_trainer
from benchmarks.lib.timing import time_in_turns
from i2icli.registry import config_type
from i2icli.runtime.precision import choose_placement, dtype_name, products_per_value
from i2icli.training.trainer import Trainer


def cyclegan_trainer(width: int, size: int, precision: str) -> Trainer:
    """A trainer of a CycleGAN of some width."""
    settings = {"width": width, "discriminator_width": width, "num_blocks": 6, "channels": (3, 3)}
    config = config_type("cyclegan")(crop_size=size, steps=10**6, **settings)
    return cpu_trainer("cyclegan", config, precision)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args(arguments)
    batch = {name: torch.rand(1, 3, options.size, options.size) * 2 - 1 for name in "AB"}
    print("width  products per value  fp32/bf16  auto")
    for width in (8, 12, 16, 24, 32, 48, 64):
        trainers = {name: cyclegan_trainer(width, options.size, name) for name in ("fp32", "bf16")}
        contenders = {
            name: partial(each.step, [each.placement.batch(batch)]) for name, each in trainers.items()
        }
        times = time_in_turns(contenders, options.rounds)
        ratio = median(a / b for a, b in zip(times["fp32"], times["bf16"], strict=True))
        system = trainers["fp32"].system
        choice = dtype_name(choose_placement(torch.device("cpu"), "auto", system.children()).dtype)
        print(f"{width:5}  {products_per_value(system.children()):18.0f}  {ratio:8.2f}x  {choice}")


if __name__ == "__main__":
    main()
