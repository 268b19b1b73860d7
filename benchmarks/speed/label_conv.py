"""The first convolution on label maps: by one-hot planes against a table that is looked up.

    python -m benchmarks.speed.label_conv [--size 128] [--outputs 128] [--rounds 5]

Printed per number of classes and number type: the CPU time in one thread of the convolution by planes, planes
made once for all rounds as layers of one size share them, and how many times faster the table is, for
inference and for a training step (forward pass and gradient of the weight). More than 1: the table is faster.
What `prefers_table` chooses for training is marked.
"""

import time
from collections.abc import Callable, Sequence
from statistics import median

import torch
from torch import Tensor

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.timing import time_in_turns
from i2icli.nn.label_conv import LabelConv2d, LabelPlanes, prefers_table

CLASSES = (8, 16, 32, 64, 128, 184)
PATCH = 8  # pixels of a class side by side


def timed(conv: LabelConv2d, labels: LabelPlanes, rounds: int, *, training: bool) -> tuple[float, float]:
    """Seconds by planes, and by the table."""

    def work(way: Callable[[LabelPlanes], Tensor]) -> Callable[[], None]:
        def once() -> None:
            with torch.set_grad_enabled(training):
                output = way(labels)
            if training:
                output.backward(torch.ones_like(output))

        return once

    ways = {"planes": work(conv.by_planes), "table": work(conv.looked_up)}
    times = time_in_turns(ways, rounds, timer=time.process_time)
    return median(times["planes"]), median(times["table"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--outputs", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {options.size} px, {options.outputs} outputs, 3x3")
    print("classes  type      planes   inference   planes   training")
    side = options.size // PATCH
    for classes in CLASSES:
        patches = torch.randint(classes, (1, 1, side, side))
        labels = LabelPlanes(patches.repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3), classes)
        for dtype in (torch.float32, torch.bfloat16):
            conv = LabelConv2d(classes, options.outputs)
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
                row = [timed(conv, labels, options.rounds, training=each) for each in (False, True)]
                chosen = "table" if prefers_table(conv.weight, classes) else "planes"
            (planes, table), (planes_grad, table_grad) = row
            name = str(dtype).removeprefix("torch.")
            print(
                f"{classes:7}  {name:8} {1e3 * planes:5.1f} ms {planes / table:9.2f}x "
                f"{1e3 * planes_grad:5.1f} ms {planes_grad / table_grad:8.2f}x  {chosen}"
            )


if __name__ == "__main__":
    main()
