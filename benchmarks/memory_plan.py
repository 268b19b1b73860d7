"""The memory that a plan announces against what training takes: python -m benchmarks.memory_plan SYSTEM

    python -m benchmarks.memory_plan progan --recipe small
    python -m benchmarks.memory_plan pix2pix --recipe small --grow fade --set crop_size=64

Every stage runs a few steps in a process of its own, on pictures of noise, in fp32. Printed for each: what
the plan estimates (`i2i grow`, `--dry-run`); the most that PyTorch had allocated at a time, and how that
compares; and how much more memory the process took than before the system was built, which also holds
compiled kernels and what the allocator keeps.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch._C._profiler import _EventType
from torch.profiler import ProfilerActivity, profile

from i2icli import registry
from i2icli.config import Config, RunOptions
from i2icli.data.loader import batches
from i2icli.engine.device import Placement
from i2icli.engine.plan import plan
from i2icli.engine.trainer import Trainer
from i2icli.engine.training import build_system, open_data
from i2icli.recipe import resolve_config
from i2icli.system import Batch, Clock

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
    sides = ("A", "B") if "pair" in str(registry.system_type(system).dataset).lower() else ("",)
    for side in sides:
        (folder / "train" / side).mkdir(parents=True)
        for number in range(16):
            pixels = rng.integers(0, 256, (*config.crop_size, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "train" / side / f"{number}.png")


def measure(options: argparse.Namespace, data: Path) -> dict[str, float]:
    """Bytes that one stage takes: allocated by PyTorch, and by the process."""
    torch.set_num_threads(1)
    folder, config = open_data(options.system, [data], settings(options), RunOptions())
    warm = torch.rand(1, 3, 32, 32, requires_grad=True)
    torch.nn.functional.conv2d(warm, torch.rand(3, 3, 3, 3)).sum().backward()  # libraries are loaded
    before = _resident("VmRSS")

    def work() -> None:
        system = build_system(options.system, config)
        trainer = Trainer(system, lambda *_: iter(()), Placement(torch.device("cpu")))
        stage = system.stages()[options.stage]
        system.clock = Clock(stage)
        trainer.enter(stage)
        own = batches(
            folder.train(stage.resolution, stage.clip_length),
            batch_size=stage.batch_size or config.batch_size,
            seed=0,
            start=0,
        )
        for _ in range(min(STEPS, stage.steps)):
            trainer.step([_placed(trainer, next(own))])

    if options.resident:
        work()
        return {"resident": _resident("VmHWM") - before}
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    waiting, most = list(seen.profiler.kineto_results.experimental_event_tree()), 0
    while waiting:
        event = waiting.pop()
        waiting += event.children
        if event.tag == _EventType.Allocation:
            most = max(most, event.extra_fields.total_allocated)
    return {"allocated": float(most)}


def _placed(trainer: Trainer, batch: Batch) -> Batch:
    return trainer.placement.batch(batch)


def _resident(name: str) -> float:
    """Bytes of this process (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def in_process(data: Path, stage: int, *more: str) -> dict[str, float]:
    """The same in a process of its own, whose allocator gives back at once what is freed."""
    command = [sys.executable, "-m", "benchmarks.memory_plan", *sys.argv[1:], "--stage", str(stage)]
    own = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run([*command, "--data", str(data), *more], capture_output=True, text=True, env=own)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure every stage and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("system")
    parser.add_argument("--recipe")
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument("--grow", choices=("fade", "residual", "scratch"))
    parser.add_argument("--stage", type=int, help=argparse.SUPPRESS)  # in a process of its own
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--resident", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage is not None:
        print(json.dumps(measure(options, options.data)))
        return
    config, off = settings(options), []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        write_noise(data, options.system, config)
        print(f"{'stage':24}{'batch':>6}{'estimated':>12}{'allocated':>12}{'ratio':>8}{'process':>12}   (MB)")
        stages = plan(options.system, [data], config).stages
        for number, stage in enumerate(stages):
            found = in_process(data, number) | in_process(data, number, "--resident")
            off.append(stage.memory_bytes / found["allocated"])
            print(
                f"{stage.name:24}{stage.batch_size:6}{stage.memory_bytes / MEGA:12.1f}"
                f"{found['allocated'] / MEGA:12.1f}{off[-1]:8.2f}{found['resident'] / MEGA:12.1f}",
                flush=True,
            )
    print(f"estimated / allocated: from {min(off):.2f} to {max(off):.2f}")


if __name__ == "__main__":
    main()
