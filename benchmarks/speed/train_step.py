"""A CycleGAN training step against the classic loop: ResNet-9, 64 filters, 128 px, batch 1, two threads.

    python -m benchmarks.speed.train_step [--rounds 12] [--size 128]

Both compute the same (no image pools), in turns in one process; printed are the median time of a step and the
median of classic seconds / our seconds with its range: more than 1 is faster than the classic loop.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.classic import ClassicCycleGAN
from benchmarks.lib.steps import cpu_trainer
from benchmarks.lib.timing import print_speed_ups, time_in_turns
from i2icli.registry import config_type


def cyclegan_step(precision: str, batch: dict[str, Tensor]) -> Callable[[], None]:
    """A training step of the engine."""
    size = batch["A"].shape[-1]
    config = config_type("cyclegan")(crop_size=size, steps=10**6, pool_size=0, channels=(3, 3))
    trainer = cpu_trainer("cyclegan", config, precision)

    def step() -> None:
        trainer.step([trainer.placement.batch(batch)])
        trainer.metrics.finite()

    return step


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    batch = {name: torch.rand(1, 3, options.size, options.size) * 2 - 1 for name in "AB"}
    classic = ClassicCycleGAN()
    contenders = {
        "classic fp32": lambda: classic.step(batch["A"], batch["B"]),
        "i2i fp32": cyclegan_step("fp32", batch),
        "i2i auto": cyclegan_step("auto", batch),
    }
    print(f"torch {torch.__version__}, {options.threads} threads, {options.size} px")
    print_speed_ups(time_in_turns(contenders, options.rounds), "s/step")


if __name__ == "__main__":
    main()
