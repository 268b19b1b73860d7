"""From which size on networks gain from bf16 on this processor: what `--precision auto` decides by.

    python -m benchmarks.speed.precision [--rounds 5] [--size 64]

A CycleGAN training step in fp32 and bf16 in turns, for networks of growing width. Printed: the measure that
`auto` looks at (products per value), fp32 seconds / bf16 seconds, and what `auto` takes.
"""

import argparse
import time
from statistics import median

import torch

from i2icli.registry import config_type
from i2icli.runtime.precision import name_of, place, products_per_value
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer


def trainer(width: int, size: int, precision: str) -> Trainer:
    """A trainer of a CycleGAN of some width, ready to step."""
    settings = {"width": width, "discriminator_width": width, "num_blocks": 6, "channels": (3, 3)}
    system = build_system("cyclegan", config_type("cyclegan")(crop_size=size, steps=10**6, **settings))
    made = Trainer(system, lambda *_: iter(()), place(torch.device("cpu"), precision, system.children()))
    made.enter(system.clock.stage)
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()
    batch = {name: torch.rand(1, 3, arguments.size, arguments.size) * 2 - 1 for name in "AB"}
    print("width  products per value  fp32/bf16  auto takes")
    for width in (8, 12, 16, 24, 32, 48, 64):
        trainers = {precision: trainer(width, arguments.size, precision) for precision in ("fp32", "bf16")}
        times: dict[str, list[float]] = {precision: [] for precision in trainers}
        for _ in range(arguments.rounds + 1):
            for precision, each in trainers.items():
                began = time.perf_counter()
                each.step([each.placement.batch(batch)])
                times[precision].append(time.perf_counter() - began)
        ratio = median(a / b for a, b in zip(times["fp32"][1:], times["bf16"][1:], strict=True))
        system = trainers["fp32"].system
        taken = name_of(place(torch.device("cpu"), "auto", system.children()).dtype)
        print(f"{width:5}  {products_per_value(system.children()):18.0f}  {ratio:8.2f}x  {taken}")


if __name__ == "__main__":
    main()
