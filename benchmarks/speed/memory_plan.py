"""The memory that a plan announces against what training takes: python -m benchmarks.speed.memory_plan SYSTEM

    python -m benchmarks.speed.memory_plan progan --recipe small
    python -m benchmarks.speed.memory_plan pix2pix --recipe small --grow fade --set crop_size=64

Every stage runs a few steps in a process of its own, on pictures of noise, in fp32. Printed for each: what
the plan estimates (`i2i grow`, `--dry-run`); the most that PyTorch had allocated at a time, and how that
compares; and how much more memory the process took than before the system was built, which also holds
compiled kernels and what the allocator keeps.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch._C._profiler import _EventType
from torch.profiler import ProfilerActivity, profile

from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder
from i2icli.data.loader import batches
from i2icli.recipe import resolve_config
from i2icli.runtime.device import Placement
from i2icli.stage import Clock
from i2icli.training.plan import plan
from i2icli.training.run import build_system, open_data
from i2icli.training.trainer import Trainer

STEPS = 3
MEGA = 1e6


def settings(options: argparse.Namespace) -> Config:
    """Those of the command line, grown by one level if that is asked for."""
    given = dict(each.split("=", 1) for each in options.set)
    config = resolve_config(options.system, options.recipe, given)
    if options.grow:
        grown = config.model_dump() | config.grown_from(1, options.grow)  # type: ignore[attr-defined]
        config = type(config).model_validate(grown)
    return config


def write_noise(folder: Path, system: str, config: Config) -> None:
    """Pictures of noise, as many as a batch needs, as the system wants them laid out."""
    rng = np.random.default_rng(0)
    sides = ("A", "B") if {"domains", "direction"} & type(config).model_fields.keys() else ("",)
    for side in sides:
        (folder / "train" / side).mkdir(parents=True)
        for number in range(16):
            pixels = rng.integers(0, 256, (*config.crop_size, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "train" / side / f"{number}.png")


def train_a_little(system_name: str, folder: DataFolder, config: Config, number: int) -> None:
    """Build a system and take the first steps of one stage."""
    system = build_system(system_name, config)
    trainer = Trainer(system, lambda *_: iter(()), Placement(torch.device("cpu")))
    stage = system.config.stages()[number]
    system.clock = Clock(stage)
    trainer.enter(stage)
    own = batches(
        folder.train(stage.resolution),
        batch_size=stage.batch_size or config.batch_size,
        seed=0,
        start=0,
    )
    for _ in range(min(STEPS, stage.steps)):
        trainer.step([trainer.placement.batch(next(own))])


def allocated(work: Callable[[], None]) -> float:
    """The most bytes that PyTorch had allocated at a time."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    waiting, most = list(seen.profiler.kineto_results.experimental_event_tree()), 0
    while waiting:
        event = waiting.pop()
        waiting += event.children
        if event.tag == _EventType.Allocation:
            most = max(most, event.extra_fields.total_allocated)
    return float(most)


def resident(work: Callable[[], None]) -> float:
    """By how many bytes the process grew at most."""
    before = _resident("VmRSS")
    work()
    return _resident("VmHWM") - before


def _resident(name: str) -> float:
    """Bytes of this process (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def in_process(work: Callable[[], float]) -> float:
    """The answer of a process of its own (Linux, macOS)."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, str(work()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        found = told.read()
    os.waitpid(child, 0)
    return float(found)


def main() -> None:
    """Measure every stage and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("system")
    parser.add_argument("--recipe")
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument("--grow", choices=("fade", "residual", "scratch"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    warm = torch.rand(1, 3, 32, 32, requires_grad=True)
    torch.nn.functional.conv2d(warm, torch.rand(3, 3, 3, 3)).sum().backward()  # libraries are loaded
    config, off = settings(options), []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        write_noise(data, options.system, config)
        print(f"{'stage':24}{'batch':>6}{'estimated':>12}{'allocated':>12}{'ratio':>8}{'process':>12}   (MB)")
        stages = plan(options.system, [data], config).stages
        opened, config = open_data(options.system, [data], config, RunOptions())
        for number, stage in enumerate(stages):
            work = partial(train_a_little, options.system, opened, config, number)
            most, grown = in_process(partial(allocated, work)), in_process(partial(resident, work))
            off.append(stage.memory_bytes / most)
            print(
                f"{stage.name:24}{stage.batch_size:6}{stage.memory_bytes / MEGA:12.1f}"
                f"{most / MEGA:12.1f}{off[-1]:8.2f}{grown / MEGA:12.1f}",
                flush=True,
            )
    print(f"estimated / allocated: from {min(off):.2f} to {max(off):.2f}")


if __name__ == "__main__":
    main()
