"""Is it better to grow a translator than to train it at full size?

    python -m benchmarks.experiments.growing DATA --out growing [--system pix2pix|cyclegan]
        [--small 32] [--to 64]
        [--small-steps 1000] [--grown-steps 1000] [--seeds 3] [--set width=16 --set batch_size=4 ...]
    python -m benchmarks.experiments.growing toy --toy 400 --out growing
        (writes toy pairs of --to px into toy/ first)

The same data, the same operations, several seeds. For every seed a run is trained at the small size and
grown with `fade` and with `residual`. Two runs get as many operations (counted on the meta device, forward)
as the small run and a grown one together: `scratch`, the grown networks from nothing, and `plain`, the
system as it is at full size. Every run, the small one too, has its own learning rate falling to zero.

Prints at the end, as means and spread over the seeds: PSNR and SSIM where the data holds the truth; the
feature distance of translated validation images to the training images of their domain
(benchmarks/experiments/feature_distance.py says what it is), beside that of the validation images
themselves, which is as good as can be, and of untranslated ones; processor seconds
of all training that led there; memory, estimated as by --dry-run.
Writes curves.png: PSNR over operations, or where there is no truth the feature distance.

Every run's figures are written as it ends (seed-0/fade.json), figures.json and curves.png after every seed.
What is there already is not trained again and a run that was stopped goes on, so an interrupted benchmark
is started again by the same command.
"""

import argparse
import json
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

from benchmarks.lib.curves import draw
from benchmarks.lib.growing_distance import Measure
from i2icli.config import Config, RunOptions
from i2icli.demo.toy.scenes import write_paired
from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.recipe import resolve_config
from i2icli.report.log import read_log
from i2icli.training.callbacks import NoCallbacks, Progress
from i2icli.training.growing import grown_settings
from i2icli.training.plan import StagePlan, plan
from i2icli.training.run import train

WAYS = ("fade", "residual", "scratch", "plain")
MEASUREMENTS = 10  # points of every curve
UNITS = ((1e6, "millions of"), (1e9, "billions of"), (1e12, "trillions of"), (1e15, "quadrillions of"))

Figures = dict[str, Any]


class Stops(NoCallbacks):
    """Leaves a run every so many steps, saved, as Ctrl-C does."""

    def __init__(self, every: int) -> None:
        self.every = every

    def progress(self, progress: Progress) -> None:
        """After a step."""
        if progress.step % self.every == 0:
            signal.raise_signal(signal.SIGTERM)


class Experiment:
    """One seed: the small run, and every way to the full size."""

    def __init__(self, options: argparse.Namespace, seed: int) -> None:
        self.options, self.data = options, [Path(options.data)]
        self.folder = Path(options.out) / f"seed-{seed}"
        given = dict(each.split("=", 1) for each in options.set)
        self.given: dict[str, Any] = {"flip": False} | given | {"seed": seed}
        self.measure = Measure(options.system, self.data, self._config(options.to, 1))

    def run(self) -> Iterator[tuple[str, Figures]]:
        """The figures of every way, as they come."""
        options = self.options
        config = self._config(options.small, options.small_steps)
        small = self._figures("small", config, None)
        spent = self._operations(config)
        model = str(self.folder / "small" / "model.safetensors")
        for way in ("fade", "residual"):
            _, grown, _ = grown_settings(model, (options.to, options.to), way, {"steps": options.grown_steps})
            figures = self._figures(way, grown, model, spent)
            yield way, figures | {"seconds": figures["seconds"] + small["seconds"]}
        budget = spent + self._operations(grown)
        for way in ("scratch", "plain"):
            at_full = self._config(options.to, 1)
            if way == "scratch":
                _, at_full, _ = grown_settings(model, (options.to, options.to), way, {"steps": 1})
            steps = round(budget / self._stages(at_full)[0].flops)
            yield way, self._figures(way, at_full.with_found({"steps": steps}), None)

    def _config(self, size: int, steps: int) -> Config:
        return resolve_config(
            self.options.system, None, self.given | {"crop_size": size, "load_size": size, "steps": steps}
        )

    def _stages(self, config: Config) -> list[StagePlan]:
        return plan(self.options.system, self.data, config).stages

    def _operations(self, config: Config) -> float:
        return float(sum(stage.steps * stage.flops for stage in self._stages(config)))

    def _figures(self, name: str, config: Config, begin: str | None, before: float = 0.0) -> Figures:
        """Train a run, or take what it left: scores at the end, time and memory, curves over operations."""
        path, settings = self.folder / f"{name}.json", config.model_dump(mode="json")
        if path.exists():
            kept: Figures = json.loads(path.read_text())
            if kept["settings"] == settings:
                return kept
            raise SystemExit(f"{path} was made with other settings; choose another --out")
        distances, seconds = self._train(name, config, begin)
        stages = self._stages(config)
        rows = read_log(self.folder / name / "log.jsonl")
        scored = [row for row in rows if "validation" in row and "psnr" in _kinds(row["validation"])]
        figures = {
            "psnr": _mean_of("psnr", scored[-1]["validation"]) if scored else None,
            "ssim": _mean_of("ssim", scored[-1]["validation"]) if scored else None,
            "distance": distances[-1][1] if distances else None,
            "seconds": seconds,
            "memory": max(stage.memory_bytes for stage in stages) / 1e6,
            "steps": config.steps,
            "psnr_curve": [
                (before + _until(stages, row["step"]), _mean_of("psnr", row["validation"])) for row in scored
            ],
            "distance_curve": [(before + _until(stages, step), value) for step, value in distances],
            "settings": settings,
        }
        _write(path, figures)
        return figures

    def _train(self, name: str, config: Config, begin: str | None) -> tuple[list[tuple[int, float]], float]:
        """Feature distances by step, and processor seconds. Without a truth a run is left now and then
        to be measured; it goes on as if it had not been.
        """
        every = max(1, (config.steps or 1) // MEASUREMENTS)
        folder, notes = self.folder / name, self.folder / f"{name}.sittings.json"
        options = RunOptions(
            out=folder, init_from=begin, validate_every=every, sample_every=every, log_every=every
        )
        told: Figures = json.loads(notes.read_text()) if notes.exists() else {"distances": [], "seconds": 0.0}
        stopping = name != "small" and not self.measure.truth
        while True:
            callbacks = Stops(every) if stopping else NoCallbacks()
            began = time.process_time()
            try:
                result = train(self.options.system, self.data, config, options, callbacks)
            finally:
                told["seconds"] += time.process_time() - began
                _write(notes, told)
            if not result.finished and result.step % every:
                raise SystemExit(f"{folder}: {result.reason} at step {result.step}; the same command goes on")
            if name != "small":
                told["distances"].append((result.step, self.measure.of(folder / "model.safetensors")))
            if result.finished:
                return told["distances"], told["seconds"]


def _write(path: Path, told: Figures) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as beside:
        beside.write_text(json.dumps(told))


def _until(stages: list[StagePlan], step: int) -> float:
    """Operations of the first steps of a run."""
    total = 0.0
    for stage in stages:
        total += min(step, stage.steps) * stage.flops
        step = max(0, step - stage.steps)
    return total


def _kinds(scores: dict[str, float]) -> set[str]:
    return {name.split("/")[0] for name in scores}


def _mean_of(name: str, scores: dict[str, float]) -> float:
    """The mean over both directions where there are two."""
    return mean(value for key, value in scores.items() if key.split("/")[0] == name)


def _picture(options: argparse.Namespace, found: dict[str, list[Figures]], *, truth: bool) -> None:
    """Write curves.png of what is known so far."""
    seeds, kind = len(found["plain"]), "psnr_curve" if truth else "distance_curve"
    unit, word = max(pair for pair in UNITS if pair[0] <= found["plain"][0][kind][-1][0])
    draw(
        Path(options.out) / "curves.png",
        {way: [[(x / unit, y) for x, y in figures[kind]] for figures in found[way]] for way in WAYS},
        f"{options.system} at {options.to} px: grown from {options.small} px (fade, residual) or not; "
        f"{seeds} seed{'s' if seeds > 1 else ''} and their mean",
        f"{word} operations of training (forward; grown runs begin where the small run ends)",
        "PSNR on validation images (dB)" if truth else "feature distance to real images (small is good)",
    )


def _table(found: dict[str, list[Figures]]) -> None:
    names = {"psnr": "PSNR (dB)", "ssim": "SSIM", "distance": "feature distance"}
    digits = {"psnr": 2, "ssim": 3, "distance": 1}
    shown = [name for name in names if found["plain"][0][name] is not None]
    print("\n| way | steps at full size | " + " | ".join(names[name] for name in shown), end="")
    print(" | processor seconds | memory, about |\n|" + "---|" * (len(shown) + 4))
    for way in WAYS:
        each = {key: [figures[key] for figures in found[way]] for key in found[way][0]}
        scores = (
            f"{mean(each[name]):.{digits[name]}f} ± {pstdev(each[name]):.{digits[name]}f}" for name in shown
        )
        print(
            f"| {way} | {each['steps'][0]} | {' | '.join(scores)} | {mean(each['seconds']):.0f} "
            f"| {mean(each['memory']):.0f} MB |"
        )


def main() -> None:
    """Train what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--out", default="growing")
    parser.add_argument("--system", default="pix2pix", choices=("pix2pix", "cyclegan"))
    parser.add_argument("--small", type=int, default=32)
    parser.add_argument("--to", type=int, default=64)
    parser.add_argument("--small-steps", type=int, default=1000)
    parser.add_argument("--grown-steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument("--toy", type=int, metavar="NUMBER", help="write so many toy pairs into DATA first")
    options = parser.parse_args()
    if options.toy and not Path(options.data).exists():
        write_paired(Path(options.data), train=options.toy, test=40, size=options.to)
    found: dict[str, list[Figures]] = defaultdict(list)
    for seed in range(options.seeds):
        experiment = Experiment(options, seed)
        for way, figures in experiment.run():
            found[way].append(figures)
            scores = {name: figures[name] for name in ("psnr", "ssim", "distance")}
            told = ", ".join(f"{name} {value:.3f}" for name, value in scores.items() if value is not None)
            print(f"seed {seed}, {way}: {told}", flush=True)
        _write(Path(options.out) / "figures.json", found)
        _picture(options, found, truth=experiment.measure.truth)
    _table(found)
    references = experiment.measure.references()
    print(
        "\nfeature distance of real validation images {real:.1f}, untranslated {untranslated:.1f}".format_map(
            references
        )
    )


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"error: {error}") from error
