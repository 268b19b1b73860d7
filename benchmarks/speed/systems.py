"""What training each system costs: the table of docs/choosing.md.

    python -m benchmarks.speed.systems [SYSTEM...] [--rounds 7]

Each system in its `small` recipe on the data of its demo, in its last stage, in a process of its own with one
thread and --precision auto. Printed are the CPU time of a training step per image (vid2vid: per frame),
relative to steps of pix2pix taken in turns; the peak resident memory of the process, data and libraries
included; the weights of all networks, and of those that are published; and the estimated memory of a training
step in fp32 with the defaults, which are the paper's.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.steps import cpu_trainer
from benchmarks.lib.timing import time_in_turns
from i2icli.config import Config, RunOptions
from i2icli.data.loader import batches
from i2icli.demo import DEMOS
from i2icli.demo.demo import Demo
from i2icli.demo.toy.sprites import write_sprites
from i2icli.recipe import resolve_config
from i2icli.training.plan import plan
from i2icli.training.run_data import open_data
from i2icli.training.trainer import Trainer

FIRST = "pix2pix"
SPRITES = ("progan", "spectral_dcgan")  # refuse images smaller than what they learn, as their demos' are
COUNT = 32
GIGA = 1e9


def measure(name: str, folder: Path, rounds: int) -> dict[str, Any]:
    """Train the last stage of a small recipe for some steps, in this process, in turns with pix2pix."""
    import resource

    torch.set_num_threads(1)
    step, images, trainer, size = training_step(name, folder / "small")
    step()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    first, first_images, *_ = training_step(FIRST, folder / "first")
    times = time_in_turns({FIRST: first, name + " ": step}, rounds, timer=time.process_time)
    ratios = [b / images / (a / first_images) for a, b in zip(*times.values(), strict=True)]
    system = trainer.system
    paper = resolve_config(name, None, {})
    published = [getattr(system, each) for each in system.inference_modules]
    return {
        "size": size,
        "time": median(ratios),
        "memory": peak,
        "weights": _weights(each for key, each in system.named_children() if key not in system.frozen),
        "published": _weights(published),
        "paper": plan(name, write_data(name, folder / "paper", paper), paper).memory_bytes,
    }


def training_step(name: str, folder: Path) -> tuple[Callable[[], None], int, Trainer, str]:
    """A step in the last stage, the images in its batch, its trainer, and size and batch in words."""
    config = resolve_config(name, "small", {})
    opened, config = open_data(name, write_data(name, folder, config), config, RunOptions())
    trainer = cpu_trainer(name, config, "auto", last_stage=True)
    stage = trainer.system.config.stages()[-1]
    count = stage.batch_size or config.batch_size
    batch = next(batches(opened.train(stage.shape), batch_size=count, seed=0, start=0))
    images = max(value.shape[0] * (value.shape[1] if value.dim() == 5 else 1) for value in batch.values())

    def step() -> None:
        trainer.step([trainer.placement.batch(batch)])
        trainer.metrics.finite()

    height, width = opened.options.preprocess.at(stage.resolution).crop_size
    return step, images, trainer, f"{width}x{height}, {count}"


def write_data(name: str, folder: Path, config: Config) -> list[Path]:
    """The data of a system's demo; its folders."""
    if name in SPRITES:
        write_sprites(folder, train=COUNT, test=0, size=max(config.crop_size))
        return [folder]
    demo: Demo = import_module(DEMOS[name]).DEMO
    demo.write(folder, 0)
    return [folder / part for part in demo.parts]


def _weights(networks: Any) -> int:
    return sum(weight.numel() for network in networks for weight in network.parameters())


def in_process(name: str, rounds: int) -> dict[str, Any]:
    """The same in a process of its own, whose peak of memory is this system's."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.speed.systems", name, "--within", folder]
        done = subprocess.run([*command, "--rounds", str(rounds)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _row(name: str, found: dict[str, Any]) -> str:
    weights, published = (found[key] / 1e6 for key in ("weights", "published"))
    return (
        f"| {name} | {found['size']} | {found['time']:.1f}x | {found['memory'] / GIGA:.1f} GB "
        f"| {weights:.2f} M, {published:.2f} M | {found['paper'] / GIGA:.1f} GB |"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help="default: all")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--within", type=Path, help="measure in this process, with data in this folder")
    options = parser.parse_args(arguments)
    if options.within:
        print(json.dumps(measure(options.systems[0], options.within / "data", options.rounds)))
        return
    print("| System | `small`: size, batch | time | memory | weights, published | defaults: memory |")
    print("|---|---|---|---|---|---|")
    for name in options.systems or DEMOS:
        print(_row(name, in_process(name, options.rounds)), flush=True)


if __name__ == "__main__":
    main()
