"""The memory estimate of a training plan against what training takes.

    python -m benchmarks.speed.memory_plan progan --recipe small
    python -m benchmarks.speed.memory_plan pix2pix --recipe small --grow fade --set crop_size=64

Every stage runs a few steps in a separate process, on noise images, in fp32. Printed for each: the estimate
of the plan (`i2i grow`, `--dry-run`); the peak of PyTorch's allocations, and the ratio of both; and the peak
growth of the process since before the system was built, which includes compiled kernels and cached memory.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch._C._profiler import _EventType
from torch.profiler import ProfilerActivity, profile

from benchmarks.lib.arguments import argument_parser
from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder
from i2icli.data.loader import batches
from i2icli.recipe import resolve_config
from i2icli.runtime.device import Placement
from i2icli.stage import Clock
from i2icli.training.plan import plan
from i2icli.training.run import build_system
from i2icli.training.run_data import open_data
from i2icli.training.trainer import Trainer

STEPS = 3
MEGA = 1e6


def settings(options: argparse.Namespace) -> Config:
    """The settings of the command line, grown by one level with --grow."""
    given = dict(each.split("=", 1) for each in options.set)
    config = resolve_config(options.system, options.recipe, given)
    if options.grow:
        grown = config.model_dump() | config.grown_from(1, options.grow)  # type: ignore[attr-defined]
        config = type(config).model_validate(grown)
    return config


def write_noise(folder: Path, config: Config) -> None:
    """Write noise images in the folder layout of the system."""
    rng = np.random.default_rng(0)
    sides = ("A", "B") if {"domains", "direction"} & type(config).model_fields.keys() else ("",)
    for side in sides:
        (folder / "train" / side).mkdir(parents=True)
        for number in range(16):
            pixels = rng.integers(0, 256, (*config.crop_size, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "train" / side / f"{number}.png")


def train_briefly(system_name: str, folder: DataFolder, config: Config, number: int) -> None:
    """Build a system and take the first steps of one stage."""
    system = build_system(system_name, config)
    trainer = Trainer(system, lambda *_: iter(()), Placement(torch.device("cpu")))
    stage = system.config.stages()[number]
    system.clock = Clock(stage)
    trainer.enter(stage)
    own = batches(
        folder.train(stage.shape),
        batch_size=stage.batch_size or config.batch_size,
        seed=0,
        start=0,
    )
    for _ in range(min(STEPS, stage.steps)):
        trainer.step([trainer.placement.batch(next(own))])


def allocated(work: Callable[[], None]) -> float:
    """Peak of the bytes allocated by PyTorch."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    pending, peak = list(seen.profiler.kineto_results.experimental_event_tree()), 0
    while pending:
        event = pending.pop()
        pending += event.children
        if event.tag == _EventType.Allocation:
            peak = max(peak, event.extra_fields.total_allocated)
    return float(peak)


def resident(work: Callable[[], None]) -> float:
    """Peak growth of this process's resident memory, in bytes."""
    before = _resident("VmRSS")
    work()
    return _resident("VmHWM") - before


def _resident(name: str) -> float:
    """Resident memory of this process in bytes (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def in_process(work: Callable[[], float]) -> float:
    """The result of work in a forked process (Linux, macOS)."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, str(work()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return float(result)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every stage and print the table."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("system")
    parser.add_argument("--recipe")
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument("--grow", choices=("fade", "residual", "scratch"))
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warm = torch.rand(1, 3, 32, 32, requires_grad=True)
    torch.nn.functional.conv2d(warm, torch.rand(3, 3, 3, 3)).sum().backward()  # loads libraries
    config, ratios = settings(options), []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        write_noise(data, config)
        print(f"{'stage':24}{'batch':>6}{'estimated':>12}{'allocated':>12}{'ratio':>8}{'process':>12}   (MB)")
        stages = plan(options.system, [data], config).stages
        opened, config = open_data(options.system, [data], config, RunOptions())
        for number, stage in enumerate(stages):
            work = partial(train_briefly, options.system, opened, config, number)
            peak, grown = in_process(partial(allocated, work)), in_process(partial(resident, work))
            ratios.append(stage.memory_bytes / peak)
            print(
                f"{stage.name:24}{stage.batch_size:6}{stage.memory_bytes / MEGA:12.1f}"
                f"{peak / MEGA:12.1f}{ratios[-1]:8.2f}{grown / MEGA:12.1f}",
                flush=True,
            )
    print(f"estimated / allocated: {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
