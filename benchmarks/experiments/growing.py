"""Is growing a translator better than training it at full size?

    python -m benchmarks.experiments.growing DATA --out growing [--system pix2pix|cyclegan]
        [--small 32] [--to 64]
        [--small-steps 1000] [--grown-steps 1000] [--seeds 3] [--set width=16 --set batch_size=4 ...]
    python -m benchmarks.experiments.growing toy --toy 400 --out growing
        (writes toy pairs of --to px into toy/ first)

Equal data and compute, several seeds. For every seed a run is trained at the small size and grown with `fade`
and with `residual`. Two runs get as many operations (forward, counted on the meta device) as the small run
and a grown one together: `scratch`, the grown networks from random weights, and `plain`, the unmodified
system at full size. In every run, also the small one, the learning rate decays to zero.

Printed at the end, as mean and standard deviation over the seeds: PSNR and SSIM if the data has ground truth;
the feature distance of translated validation images to the training images of their domain
(benchmarks/lib/feature_distance.py), with that of real validation images as a lower bound and that of
untranslated ones; CPU time of all training involved; memory, estimated as by --dry-run.
Writes curves.png: PSNR over operations, or the feature distance without ground truth.

Results are written after every run (seed-0/fade.json), figures.json and curves.png after every seed. Finished
runs are not repeated and stopped ones are resumed, so the same command continues an interrupted benchmark.
"""

import argparse
import json
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

import numpy as np

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.translation_distance import TranslationDistance
from i2icli.config import Config, RunOptions
from i2icli.demo.toy.scenes import write_paired
from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.recipe import resolve_config
from i2icli.report.chart import Chart, Line, write_chart
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
    """Stops a run every `every` steps, as Ctrl-C does."""

    def __init__(self, every: int) -> None:
        self.every = every

    def progress(self, progress: Progress) -> None:
        """After a step."""
        if progress.step % self.every == 0:
            signal.raise_signal(signal.SIGTERM)


class Experiment:
    """One seed: the small run, and all runs at full size."""

    def __init__(self, options: argparse.Namespace, seed: int) -> None:
        self.options, self.data = options, [Path(options.data)]
        self.folder = Path(options.out) / f"seed-{seed}"
        given = dict(each.split("=", 1) for each in options.set)
        self.given: dict[str, Any] = {"flip": False} | given | {"seed": seed}
        self.distance = TranslationDistance(options.system, self.data, self._config(options.to, 1))

    def run(self) -> Iterator[tuple[str, Figures]]:
        """The results of every run at full size."""
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
        """Train a run or read its results: final scores, time, memory and curves."""
        path, settings = self.folder / f"{name}.json", config.model_dump(mode="json")
        if path.exists():
            saved: Figures = json.loads(path.read_text())
            if saved["settings"] == settings:
                return saved
            raise SystemExit(f"{path} is from a run with other settings; choose another --out")
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
        """Feature distances by step, and CPU seconds.

        Without ground truth a run is stopped regularly to measure the distance, and resumed.
        """
        every = max(1, (config.steps or 1) // MEASUREMENTS)
        folder, notes = self.folder / name, self.folder / f"{name}.sittings.json"
        options = RunOptions(
            out=folder, init_from=begin, validate_every=every, sample_every=every, log_every=every
        )
        state: Figures = (
            json.loads(notes.read_text()) if notes.exists() else {"distances": [], "seconds": 0.0}
        )
        stopping = name != "small" and not self.distance.truth
        while True:
            callbacks = Stops(every) if stopping else NoCallbacks()
            start = time.process_time()
            try:
                result = train(self.options.system, self.data, config, options, callbacks)
            finally:
                state["seconds"] += time.process_time() - start
                _write(notes, state)
            if not result.finished and result.step % every:
                raise SystemExit(f"{folder}: {result.reason} at step {result.step}; run again to resume")
            if name != "small":
                state["distances"].append((result.step, self.distance.of(folder / "model.safetensors")))
            if result.finished:
                return state["distances"], state["seconds"]


def _write(path: Path, figures: Figures) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(figures))


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
    """The mean over both directions if there are two."""
    return mean(value for key, value in scores.items() if key.split("/")[0] == name)


def _plot(options: argparse.Namespace, found: dict[str, list[Figures]], *, truth: bool) -> None:
    """Write curves.png of the results so far."""
    seeds, kind = len(found["plain"]), "psnr_curve" if truth else "distance_curve"
    unit, word = max(pair for pair in UNITS if pair[0] <= found["plain"][0][kind][-1][0])
    lines = []
    for way in WAYS:
        runs = [figures[kind] for figures in found[way]]
        length = min(map(len, runs))
        points = np.array([run[:length] for run in runs])  # (runs, L, 2)
        lines.append(Line.of(way, points[..., 0].mean(0) / unit, points[..., 1]))
    title = f"{options.system} at {options.to} px, grown from {options.small} px or not; {seeds} seeds"
    x_label = f"{word} operations of training (forward; grown runs start where the small run ends)"
    y_label = "PSNR on validation images (dB)" if truth else "feature distance to real images"
    write_chart(Path(options.out) / "curves.png", Chart(title, lines, x_label, y_label))


def _table(found: dict[str, list[Figures]]) -> None:
    names = {"psnr": "PSNR (dB)", "ssim": "SSIM", "distance": "feature distance"}
    digits = {"psnr": 2, "ssim": 3, "distance": 1}
    shown = [name for name in names if found["plain"][0][name] is not None]
    print("\n| way | steps at full size | " + " | ".join(names[name] for name in shown), end="")
    print(" | CPU seconds | memory, about |\n|" + "---|" * (len(shown) + 4))
    for way in WAYS:
        each = {key: [figures[key] for figures in found[way]] for key in found[way][0]}
        scores = (
            f"{mean(each[name]):.{digits[name]}f} ± {pstdev(each[name]):.{digits[name]}f}" for name in shown
        )
        print(
            f"| {way} | {each['steps'][0]} | {' | '.join(scores)} | {mean(each['seconds']):.0f} "
            f"| {mean(each['memory']):.0f} MB |"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment and print the table."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("data")
    parser.add_argument("--out", default="growing")
    parser.add_argument("--system", default="pix2pix", choices=("pix2pix", "cyclegan"))
    parser.add_argument("--small", type=int, default=32)
    parser.add_argument("--to", type=int, default=64)
    parser.add_argument("--small-steps", type=int, default=1000)
    parser.add_argument("--grown-steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument("--toy", type=int, metavar="NUMBER", help="first write that many toy pairs into DATA")
    options = parser.parse_args(arguments)
    if options.toy and not Path(options.data).exists():
        write_paired(Path(options.data), train=options.toy, test=40, size=options.to)
    found: dict[str, list[Figures]] = defaultdict(list)
    for seed in range(options.seeds):
        experiment = Experiment(options, seed)
        for way, figures in experiment.run():
            found[way].append(figures)
            scores = {name: figures[name] for name in ("psnr", "ssim", "distance")}
            line = ", ".join(f"{name} {value:.3f}" for name, value in scores.items() if value is not None)
            print(f"seed {seed}, {way}: {line}", flush=True)
        _write(Path(options.out) / "figures.json", found)
        _plot(options, found, truth=experiment.distance.truth)
    _table(found)
    references = experiment.distance.references()
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
