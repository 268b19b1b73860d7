"""Several styles of one label map with SPADE, together against one by one.

    python -m benchmarks.speed.styles [--styles 8] [--size 256] [--width 64] [--rounds 5]

Timed in turns, with the same untrained networks of the paper's size, map and codes. Printed are the CPU time
in one thread, the speed-up with its range, and the cost of a style after the first, over that of the first.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.timing import print_speed_ups, time_in_turns
from i2icli.classes import numbered
from i2icli.config import Config
from i2icli.inference.inference import Inference
from i2icli.inference.latents import draw_codes
from i2icli.inference.outputs import OutputSpec, with_codes
from i2icli.registry import config_type
from i2icli.runtime.device import Placement
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.training.run import build_system

CLASSES = 35
PATCH = 16  # pixels of a class side by side


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--styles", type=int, default=8)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    settings = {"vae": True, "crop_size": options.size, "width": options.width}
    config = config_type("spade")(classes=numbered(CLASSES), **settings)
    inference = _untrained(config)
    (task,) = inference.tasks
    specs = with_codes(OutputSpec(task), draw_codes(options.styles, task.latent_size, seed=0))
    side = options.size // PATCH
    patches = torch.randint(CLASSES, (1, 1, side, side), generator=torch.Generator().manual_seed(0))
    labels = {"labels": patches.repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3).numpy()}
    contenders = {
        "one by one": lambda: [inference.compute(labels, spec) for spec in specs],
        "together": lambda: inference.compute(labels, *specs),
        "first": lambda: inference.compute(labels, specs[0]),
    }
    times = time_in_turns(contenders, options.rounds, timer=time.process_time)
    print_speed_ups({name: times[name] for name in ("one by one", "together")}, "s")
    first, together = median(times["first"]), median(times["together"])
    print(f"a further style costs {(together - first) / (options.styles - 1) / first:.2f} of the first")


def _untrained(config: Config) -> Inference:
    system = build_system("spade", config).eval().requires_grad_(False)
    return Inference(TorchBackend(system, Placement(torch.device("cpu"))), Path("model"))


if __name__ == "__main__":
    main()
