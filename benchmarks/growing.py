"""Is it better to grow a translator than to train it at full size?

    python -m benchmarks.growing DATA --out growing [--system pix2pix] [--small 32] [--to 64]
        [--small-steps 1000] [--grown-steps 1000] [--seeds 3] [--set width=16 --set batch_size=4 ...]
    python -m benchmarks.growing toy --toy 400 --out growing       writes toy pairs of --to px into toy/ first

The same data, the same operations, several seeds. For every seed a run is trained at the small size and
grown with `fade` and with `residual`. Two runs get as many operations (counted on the meta device, forward)
as the small run and a grown one together: `scratch`, the grown networks from nothing, and `plain`, the
system as it is at full size. Prints PSNR, SSIM, seconds and estimated memory at the end, means and spread
over the seeds; writes curves.png (PSNR over operations) and figures.json. What is there already is not
trained again, so an interrupted benchmark goes on.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

from PIL import Image, ImageDraw

from i2icli.config import Config, RunOptions
from i2icli.data.toy import write_paired
from i2icli.engine.growing import grown_settings
from i2icli.engine.plan import StagePlan, plan
from i2icli.engine.training import train
from i2icli.recipe import resolve_config
from i2icli.report.log import read_log

WAYS = ("fade", "residual", "scratch", "plain")
COLOURS = {"fade": "#d1495b", "residual": "#edae49", "scratch": "#00798c", "plain": "#30638e"}
MEASUREMENTS = 10  # points of every curve

Points = list[tuple[float, float]]


class Experiment:
    """One seed: the small run, and every way to the full size."""

    def __init__(self, options: argparse.Namespace, seed: int) -> None:
        self.options, self.data = options, [Path(options.data)]
        self.folder = Path(options.out) / f"seed-{seed}"
        given = dict(each.split("=", 1) for each in options.set)
        self.given: dict[str, Any] = {"flip": False} | given | {"seed": seed}

    def run(self) -> dict[str, dict[str, Any]]:
        """The figures of every way."""
        options = self.options
        config = self._config(options.small, options.small_steps)
        small = self._train("small", config, None)
        spent = self._operations(config)
        figures = {}
        for way in ("fade", "residual"):
            _, grown, model = grown_settings(
                str(small), (options.to, options.to), way, {"steps": options.grown_steps}
            )
            folder = self._train(way, grown, str(model))
            figures[way] = self._figures(folder, grown, spent, small)
        budget = spent + self._operations(grown)
        for way in ("scratch", "plain"):
            at_full = self._config(options.to, 1)
            if way == "scratch":
                _, at_full, _ = grown_settings(str(small), (options.to, options.to), way, {"steps": 1})
            steps = round(budget / self._stages(at_full)[0].flops)
            at_full = at_full.with_found({"steps": steps})
            figures[way] = self._figures(self._train(way, at_full, None), at_full, 0.0, None)
        return figures

    def _config(self, size: int, steps: int) -> Config:
        return resolve_config(
            self.options.system, None, self.given | {"crop_size": size, "load_size": size, "steps": steps}
        )

    def _train(self, name: str, config: Config, begin: str | None) -> Path:
        every = max(1, (config.steps or 1) // MEASUREMENTS)
        options = RunOptions(
            out=self.folder / name, init_from=begin, validate_every=every, sample_every=every, log_every=every
        )
        return train(self.options.system, self.data, config, options).folder

    def _stages(self, config: Config) -> list[StagePlan]:
        return plan(self.options.system, self.data, config).stages

    def _operations(self, config: Config) -> float:
        return float(sum(stage.steps * stage.flops for stage in self._stages(config)))

    def _figures(self, folder: Path, config: Config, before: float, small: Path | None) -> dict[str, Any]:
        """Scores at the end, time and memory, and the curve of the PSNR over operations."""
        stages = self._stages(config)
        rows = read_log(folder / "log.jsonl")
        scored = [row for row in rows if "validation" in row]
        seconds = _seconds(rows) + (_seconds(read_log(small / "log.jsonl")) if small else 0.0)
        scores = scored[-1]["validation"]
        return {
            "psnr": _mean_of("psnr", scores),
            "ssim": _mean_of("ssim", scores),
            "seconds": seconds,
            "memory": max(stage.memory_bytes for stage in stages) / 1e6,
            "steps": config.steps,
            "curve": [
                (before + _until(stages, row["step"]), _mean_of("psnr", row["validation"])) for row in scored
            ],
        }


def _until(stages: list[StagePlan], step: int) -> float:
    """Operations of the first steps of a run."""
    total = 0.0
    for stage in stages:
        total += min(step, stage.steps) * stage.flops
        step = max(0, step - stage.steps)
    return total


def _seconds(rows: list[dict[str, Any]]) -> float:
    return float(max(row.get("seconds", 0.0) for row in rows))


def _mean_of(name: str, scores: dict[str, float]) -> float:
    """The mean over both directions where there are two."""
    return mean(value for key, value in scores.items() if key.split("/")[0] == name)


def draw(curves: dict[str, list[Points]], path: Path) -> None:
    """The curves of all seeds as a picture: one colour for each way."""
    width, height, left, bottom = 720, 360, 56, 40
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    points = [point for each in curves.values() for curve in each for point in curve]
    most = max(x for x, _ in points)
    low, high = min(y for _, y in points) - 0.2, max(y for _, y in points) + 0.2

    def place(x: float, y: float) -> tuple[float, float]:
        across = left + x / most * (width - left - 12)
        return across, 12 + (high - y) / (high - low) * (height - bottom - 12)

    for tick in range(int(low) + 1, int(high) + 1):
        pen.line([place(0, tick), place(most, tick)], fill="#dddddd")
        pen.text((8, place(0, tick)[1] - 6), f"{tick} dB", fill="black")
    pen.text((left, height - 20), f"operations, 0 to {most:.2g} (forward)", fill="black")
    for number, (way, each) in enumerate(curves.items()):
        for curve in each:
            pen.line([place(*point) for point in curve], fill=COLOURS[way], width=2, joint="curve")
        pen.text((left + 300 + 90 * number, height - 20), way, fill=COLOURS[way])
    image.save(path)


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
    if options.toy:
        write_paired(Path(options.data), train=options.toy, test=40, size=options.to)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for seed in range(options.seeds):
        for way, figures in Experiment(options, seed).run().items():
            found[way].append(figures)
            print(
                f"seed {seed}, {way}: PSNR {figures['psnr']:.2f} dB, SSIM {figures['ssim']:.3f}", flush=True
            )
    out = Path(options.out)
    (out / "figures.json").write_text(json.dumps(found))
    draw({way: [figures["curve"] for figures in found[way]] for way in WAYS}, out / "curves.png")
    print(
        "\n| way | steps at full size | PSNR (dB) | SSIM | seconds | memory, about |"
        "\n|---|---|---|---|---|---|"
    )
    for way in WAYS:
        each = {key: [figures[key] for figures in found[way]] for key in found[way][0]}
        print(
            f"| {way} | {each['steps'][0]} | {mean(each['psnr']):.2f} ± {pstdev(each['psnr']):.2f} "
            f"| {mean(each['ssim']):.3f} ± {pstdev(each['ssim']):.3f} | {mean(each['seconds']):.0f} "
            f"| {mean(each['memory']):.0f} MB |"
        )


if __name__ == "__main__":
    main()
