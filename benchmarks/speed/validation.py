"""The speed-up of running the networks once per validation batch, for all metrics.

    python -m benchmarks.speed.validation [SYSTEM...] [--recipe small] [--rounds 11] [--images 8]

Each system with the networks of a recipe and the data of its demo, at its last stage. Timed in turns: running
the networks again for every metric (spectra, scores, the system's own), and sharing one run, as implemented.
Printed are the CPU times of a validation and the median speed-up with its range.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.timing import speed_up, time_in_turns
from i2icli.config import RunOptions
from i2icli.data.loader import validation_batches
from i2icli.demo import DEMOS
from i2icli.recipe import resolve_config
from i2icli.system import Answers, Batch, Clock, System
from i2icli.training.run import build_system, open_data
from i2icli.training.validation import Subset, validate

SYSTEMS = ("cyclegan", "combogan", "stargan", "dtn", "paired_cyclegan")
QUESTIONS = ("samples", "compare", "measure")


class Lazy(dict[str, Tensor]):
    """Outputs that are computed on first access."""

    def __init__(self, make: Callable[[], Answers]) -> None:
        super().__init__()
        self.make = make

    def __contains__(self, name: object) -> bool:
        return name in self._made()

    def __getitem__(self, name: str) -> Tensor:
        return self._made()[name]

    def _made(self) -> Answers:
        if not len(self):
            self.update(self.make())
        return dict(self)


def prepared(name: str, recipe: str, folder: Path, images: int) -> tuple[System[Any], list[Batch]]:
    """A fresh system at its last stage, and its validation batches."""
    demo = import_module(DEMOS[name]).DEMO
    demo.write(folder, 0)
    settings = resolve_config(name, recipe)
    data, config = open_data(name, [folder / part for part in demo.parts], settings, RunOptions())
    system = build_system(name, config).eval()
    system.clock = Clock(system.stages()[-1])
    examples = data.validation(system.clock.stage.resolution)
    assert examples is not None
    return system, list(validation_batches(Subset(examples, images), batch_size=1, workers=0))


def validate_separately(system: System[Any], batches: list[Batch]) -> None:
    """Validate with each metric running the networks for itself."""
    together = system.answers

    def alone(ask: Callable[[Batch, Answers], Any], batch: Batch, _: Answers) -> Any:
        return ask(batch, Lazy(partial(together, batch)))

    try:
        system.answers = lambda _: {}  # type: ignore[method-assign, assignment]
        for question in QUESTIONS:
            setattr(system, question, partial(alone, getattr(system, question)))
        validate(system, batches)
    finally:
        for changed in ("answers", *QUESTIONS):
            delattr(system, changed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("systems", nargs="*", default=SYSTEMS, metavar="SYSTEM", help=", ".join(SYSTEMS))
    parser.add_argument("--recipe", default="small")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--images", type=int, default=8)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print("system           separate  shared    ratio")
    for name in options.systems:
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            system, batches = prepared(name, options.recipe, Path(folder), options.images)
            contenders = {
                "separate": partial(validate_separately, system, batches),
                "shared": partial(validate, system, batches),
            }
            times = time_in_turns(contenders, options.rounds, timer=time.process_time)
        separate, shared = times.values()
        print(f"{name:16} {median(separate):6.2f} s  {median(shared):6.2f} s  {speed_up(separate, shared)}")


if __name__ == "__main__":
    main()
