"""What `report.html` of a run costs: seconds of each save, and its size, by the length of the run.

Synthetic: sample sheets of four rows and four columns of 256 px, a line of six losses every 50 steps. The
first time a process writes the page it reads all sheets; later only those that are new.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.lib.arguments import argument_parser
from i2icli.demo.toy.scenes import scene
from i2icli.recipe import resolve_config
from i2icli.report.sheet import write_sample_sheet
from i2icli.training.run_folder import RunFolder
from i2icli.training.run_report import write_run_report

LOSSES = ("G/gan_AB", "G/gan_BA", "G/cycle_A", "G/cycle_B", "D/gan_A", "D/gan_B")
EVERY = 50  # steps between lines of the log


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--steps", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--sheets", type=int, default=20, help="sample sheets, evenly spread")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    config = resolve_config("cyclegan", None, {"steps": max(options.steps)})
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        rng = np.random.default_rng(0)
        for steps in options.steps:
            _write_log(folder, steps, rng)
            _write_sheets(folder, steps, options.sheets)
            sheets = sum(sheet.stat().st_size for sheet in folder.samples.glob("*.png"))
            times = []
            for _ in range(options.rounds + 1):
                start = time.process_time()
                write_run_report(folder, "cyclegan", config, final=False)
                times.append(time.process_time() - start)
            size = folder.report.stat().st_size
            print(
                f"{steps:9,} steps: first {times[0]:.2f} s, later {median(times[1:]):.2f} s a save; "
                f"page {size / 1e6:.1f} MB of {sheets / 1e6:.1f} MB of sheets"
            )


def _write_log(folder: RunFolder, steps: int, rng: np.random.Generator) -> None:
    rows = [
        {"step": step, "stage": "main", "seconds": step / 10, "images_per_s": 10.0, "data_wait": 0.01}
        | dict(zip(LOSSES, rng.random(len(LOSSES)).tolist(), strict=True))
        for step in range(EVERY, steps + 1, EVERY)
    ]
    folder.log_file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _write_sheets(folder: RunFolder, steps: int, count: int) -> None:
    for old in folder.samples.glob("*.png"):
        old.unlink()
    for number in range(count):
        shown = [
            {
                name: scene(100 * number + 4 * row + column, 256).photo.transpose(2, 0, 1) / 127.5 - 1
                for column, name in enumerate(("real_A", "fake_B", "real_B", "fake_A"))
            }
            for row in range(4)
        ]
        write_sample_sheet(folder.samples / f"{steps * (number + 1) // count:06}.png", shown)


if __name__ == "__main__":
    main()
