"""What does the perceptual loss do to sharpness?

    python -m benchmarks.experiments.perceptual DATA --out FOLDER

Trains the same small pix2pix on pairs (DATA, as `i2i train pix2pix` takes them) without the perceptual loss
and with each network whose weights are on this machine, and scores its translations of the validation images:
PSNR against the ground truth, the spectral distance of `i2i train`, the energy distance of random features
(`benchmarks/lib/feature_distance.py`) and the kernel distance by each of these networks
(`benchmarks/lib/kernel_distance.py`). A network favours itself: the kernel distance by the network that was
trained with says little. `time` is the processor time of a training step, relative to one without the loss.
Finished runs are not repeated.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median

import torch
from torch import Tensor

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.feature_distance import RealFeatures
from benchmarks.lib.kernel_distance import KernelDistance, available
from benchmarks.lib.timing import time_in_turns
from benchmarks.lib.translation_distance import images_of, translations
from i2icli.config import Config, RunOptions
from i2icli.data.examples import Examples
from i2icli.inference.translator import Translator
from i2icli.recipe import resolve_config
from i2icli.report.log import read_log
from i2icli.runtime.device import Placement
from i2icli.training.perceptual_weights import fetch_perceptual, load_perceptual
from i2icli.training.run import build_system, train
from i2icli.training.run_data import open_data
from i2icli.training.trainer import Trainer

SYSTEM = "pix2pix"
ROUNDS = 20  # of timed steps


def settings(network: str, seed: int, options: argparse.Namespace) -> Config:
    """The same for all networks."""
    return resolve_config(
        SYSTEM,
        overrides={
            "crop_size": options.side,
            "width": options.width,
            "discriminator_width": options.width,
            "steps": options.steps,
            "precision": "fp32",
            "perceptual": network,
            "perceptual_weight": options.weight,
            "seed": seed,
        },
    )


def train_one(network: str, seed: int, options: argparse.Namespace) -> Path:
    """The folder of a run, trained unless it is there."""
    out = options.out / f"{network}, weight {options.weight:g}, steps {options.steps}, seed {seed}"
    seldom = RunOptions(out=out, sample_every=10**6, validate_every=10**6)
    if not train(SYSTEM, [options.data], settings(network, seed, options), seldom).finished:
        raise SystemExit(f"stopped in {out}; the same command resumes it")
    return out


def outputs(run: Path, validation: Examples) -> Tensor:
    """(N, C, H, W): the translations of the validation images."""
    translator = Translator.load(run, device="cpu", precision="fp32")
    found = []
    for number in range(len(validation)):
        batch = {name: value[None] for name, value in validation.get(number, None).items()}
        found.append(translations(translator, batch, seed=number)["target"])
    return torch.cat(found)


def figures(run: Path) -> dict[str, float]:
    """The scores of the last validation."""
    rows = read_log(run / "log.jsonl")
    return next(row["validation"] for row in reversed(rows) if "validation" in row)


def step(network: str, options: argparse.Namespace) -> Callable[[], None]:
    """A training step on one image of noise."""
    config = settings(network, 0, options)
    placement = Placement(torch.device("cpu"))
    perceptual, _ = load_perceptual(config, fetch_perceptual(config, RunOptions(), print))
    system = build_system(SYSTEM, config)
    trainer = Trainer(system, lambda *_: iter(()), placement, perceptual=perceptual)
    trainer.enter(system.clock.stage)
    source, target = torch.rand(2, 1, 3, options.side, options.side) * 2 - 1
    return lambda: trainer.step([{"source": source, "target": target}])


def relative_times(networks: Sequence[str], options: argparse.Namespace) -> dict[str, float]:
    """Median over some rounds of the time of a step with each network, relative to one without."""
    steps = {name: step(name, options) for name in ("off", *networks)}
    times = time_in_turns(steps, ROUNDS, timer=time.process_time)
    return {
        name: median(a / b for a, b in zip(each, times["off"], strict=True)) for name, each in times.items()
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", help="default: off and those whose weights are here")
    parser.add_argument("--weight", type=float, default=10.0, help="--perceptual-weight")
    parser.add_argument("--side", type=int, default=64, help="pixels of the images")
    parser.add_argument("--width", type=int, default=16, help="channels of the networks' first layers")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=1, help="runs of each, whose scores are averaged")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, score, print."""
    options = _options(arguments)
    here = available()
    folder, _ = open_data(SYSTEM, [options.data], settings("off", 0, options), RunOptions())
    validation = folder.validation()
    if validation is None:
        raise SystemExit(f"{options.data}: no validation images (val or test)")
    real = images_of(validation, "target")
    random, kernels = RealFeatures(real), {name: KernelDistance(name, real) for name in here}
    columns = ["PSNR", "spectral", "random", *(f"by {name}" for name in kernels), "time"]
    networks = options.networks or ["off", *here]
    times = relative_times([name for name in networks if name != "off"], options)
    print("".join([f"{'':18}", *(f"{name:>22}" for name in columns)]))
    for network in networks:
        runs = [train_one(network, seed, options) for seed in range(options.seeds)]
        found = [figures(run) for run in runs]
        images = [outputs(run, validation) for run in runs]
        row = [mean(each[name] for each in found) for name in ("psnr", "spectral_distance")]
        row.append(mean(random.distance(each) for each in images))
        row += [mean(kernel.of(each) for each in images) for kernel in kernels.values()]
        print("".join([f"{network:18}", *(f"{value:22.2f}" for value in [*row, times[network]])]))


if __name__ == "__main__":
    main()
