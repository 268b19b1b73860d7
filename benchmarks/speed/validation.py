"""What it saves that validation runs the networks once on a batch, for all that is asked of it.

    python -m benchmarks.speed.validation [SYSTEM...] [--recipe small] [--rounds 11] [--images 8]

Each system with the networks of a recipe and the data of its demo, at its last stage. In turns: the networks
run anew for every question (spectra, scores, own numbers), as they once did; and as it is, the questions
share one evaluation. Printed: processor seconds of a validation, and the median of the ratios.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import torch

from i2icli.config import RunOptions
from i2icli.data.loader import validation_batches
from i2icli.demo import DEMOS
from i2icli.recipe import resolve_config
from i2icli.stage import Clock
from i2icli.system import Batch, Evaluation, System
from i2icli.training.run import build_system, open_data
from i2icli.training.validation import Subset, validate

SYSTEMS = ("cyclegan", "combogan", "stargan", "dtn", "paired_cyclegan")
PARTS = ("generated", "compared", "measured")


def prepared(name: str, recipe: str, folder: Path, images: int) -> tuple[System[Any], list[Batch]]:
    """A fresh system at its last stage, and its validation batches."""
    demo = import_module(DEMOS[name]).DEMO
    demo.write(folder, 0)
    settings = resolve_config(name, recipe)
    data, config = open_data(name, [folder / part for part in demo.parts], settings, RunOptions())
    system = build_system(name, config).eval()
    system.clock = Clock(system.config.stages()[-1])
    examples = data.validation(system.clock.stage.resolution)
    assert examples is not None
    return system, list(validation_batches(Subset(examples, images), batch_size=1, workers=0))


def validated_apart(system: System[Any], batches: list[Batch]) -> None:
    """Validate while each part of an evaluation that holds something is evaluated for itself."""
    together = system.evaluate

    def apart(batch: Batch) -> Evaluation:
        found = together(batch)
        held = [part for part in PARTS if getattr(found, part)]
        return replace(found, **{part: getattr(together(batch), part) for part in held[1:]})

    try:
        system.evaluate = apart  # type: ignore[method-assign]
        validate(system, batches)
    finally:
        del system.evaluate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("systems", nargs="*", default=SYSTEMS, metavar="SYSTEM", help=", ".join(SYSTEMS))
    parser.add_argument("--recipe", default="small")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--images", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("system            apart      once     ratio")
    for name in arguments.systems:
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            system, batches = prepared(name, arguments.recipe, Path(folder), arguments.images)
            seconds: dict[Any, list[float]] = {validated_apart: [], validate: []}
            for _ in range(1 + arguments.rounds):  # the first warms up
                for way, times in seconds.items():
                    began = time.process_time()
                    way(system, batches)
                    times.append(time.process_time() - began)
        apart, once = (times[1:] for times in seconds.values())
        ratios = [a / b for a, b in zip(apart, once, strict=True)]
        spread = f"({min(ratios):.2f}-{max(ratios):.2f})"
        print(f"{name:16} {median(apart):6.2f} s  {median(once):6.2f} s  {median(ratios):5.2f}x {spread}")


if __name__ == "__main__":
    main()
