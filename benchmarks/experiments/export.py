"""How close exported graphs are to their models, how large they are, and how fast.

    python -m benchmarks.experiments.export [--systems NAME ...] [--steps 20] [--work FOLDER] [--rounds 5]
    python -m benchmarks.experiments.export --runs RUN ...

First table: every system, trained for some steps on toy data (or the runs that are named), in every format:
the largest difference of any output from the networks in float32, and PSNR on images; the last column is what
these differ from themselves in float64. Second table: CycleGAN's generator of the paper's size, untrained, on
an image of 256 px in one thread: size, speed-up over eager float32 in CPU time, PSNR. Compare ratios.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch

import i2icli
from benchmarks.gpu.cases import KINDS, SHARED, TEST, TRAIN
from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.timing import speed_up, time_in_turns
from i2icli.demo.toy.scenes import write_unpaired
from i2icli.errors import UserError
from i2icli.export.content import Content, GivenImages
from i2icli.export.exporting import Exported, Exporter
from i2icli.export.options import SUFFIXES, ExportOptions, Format, Precision
from i2icli.export.parts import parts_of
from i2icli.export.proof import Run, prove, trials_of
from i2icli.export.pt2_file import run_pt2
from i2icli.export.selecting import groups
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.sessions import Computing, open_session
from i2icli.image.finding import find_images
from i2icli.inference.loading import load_with_notes
from i2icli.registry import SYSTEMS, config_type
from i2icli.runs import find_model
from i2icli.system import System
from i2icli.task import Task
from i2icli.training.run import build_system

FORMATS: tuple[Format, ...] = ("onnx", "openvino", "pt2")
SIDE = 256  # pixels, of the second table
WAYS: tuple[tuple[Format, Precision, Computing], ...] = (
    ("pt2", "fp32", "fp32"),
    ("onnx", "fp32", "fp32"),
    ("onnx", "half", "fp32"),
    ("onnx", "int8", "fp32"),
    ("openvino", "fp32", "fp32"),
    ("openvino", "fp32", "bf16"),
    ("openvino", "int8", "fp32"),
)
"""Format, weights, and what the runtime computes in."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--systems", nargs="*", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--runs", nargs="*", default=[], help="trained runs in place of toy ones")
    parser.add_argument("--steps", type=int, default=20, help="of training on toy data")
    parser.add_argument("--work", type=Path, help="where toy data, runs and graphs are kept")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--width", type=int, default=64, help="of the generator that is timed; 0: no times")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        print("| system | graph | " + " | ".join(FORMATS) + " | float32 to float64 |\n" + "|---" * 6 + "|")
        for name in options.runs or options.systems:
            run = Path(find_model(name)) if options.runs else _trained(name, options.steps, work)
            _print_parity(name, run, work)
        if options.width:
            _print_speeds(options.width, options.rounds, work)


def _trained(name: str, steps: int, work: Path) -> Path:
    """The model of a run on toy data."""
    settings = SHARED | KINDS[name].settings | {"steps": steps}
    data, run = work / f"data-{name}", work / "runs" / name
    if not data.exists():
        KINDS[name].write(data, train=TRAIN, test=TEST, size=settings["crop_size"])
    if not (run / "model.safetensors").exists():
        settings |= {"out": run, "device": "cpu", "segmenter": False, "validate_every": steps}
        i2icli.train(name, data / KINDS[name].part, **settings)
    return run / "model.safetensors"


def _print_parity(name: str, model: Path, work: Path) -> None:
    """A row for the first graph that translates or generates."""
    content = _images_of(work / f"data-{name}", model)
    cells, floor = [], 0.0
    for to in FORMATS:
        system, notes = load_with_notes(model)
        tasks = groups(system.config, system.config.tasks(system.clock.stage), target="all")[0]
        exporter = Exporter(system, ExportOptions(to, overwrite=True), notes, images=content)
        try:
            found = exporter.export(tasks, work / "graphs" / name / f"graph{SUFFIXES[to]}")
            psnr = found.proof.psnr
            cells.append(f"{found.proof.difference:.1e}" + (f", {psnr:.0f} dB" if psnr else ", equal"))
            floor = found.proof.floor
        except UserError as error:
            cells.append(f"FAILED: {error}")
    print(f"| {name} | {_called(tasks)} | " + " | ".join(cells) + f" | {floor:.1e} |", flush=True)


def _called(tasks: Sequence[Task]) -> str:
    names = [task.name or ("samples" if task.generates else "photos") for task in tasks]
    return "to " + ", ".join(names[:2]) + (", ..." if len(names) > 2 else "") if tasks[0].name else names[0]


def _images_of(data: Path, model: Path) -> Content | None:
    """Images of toy data, for tasks that read images alone; else scenes are drawn."""
    system, _ = load_with_notes(model)
    ports = system.config.tasks(system.clock.stage)[0].inputs.values()
    if not data.exists() or any(port.kind != "image" for port in ports):
        return None
    files = find_images(data)
    return GivenImages(files, "toy images") if files else None


def _print_speeds(width: int, rounds: int, work: Path) -> None:
    """A row for every format and precision."""
    images = work / "scenes"
    if not images.exists():
        write_unpaired(images, train=8, test=1, size=SIDE)
    system = _untrained(width)
    content = GivenImages(find_images(images))
    task = system.config.tasks(system.clock.stage)[0]
    part = parts_of(system, [task])[-1]
    given = part.draw(system, {"batch": 1, "height": SIDE, "width": SIDE}, content, 0)
    arrays = {name: value.numpy() for name, value in given.items()}
    contenders: dict[str, Callable[[], object]] = {"eager float32": lambda: _eager(system, task, given)}
    rows: dict[str, tuple[int, float | None]] = {}
    for to, precision, computing in WAYS:
        how = f"{to}, {precision}" + (f", computed in {computing}" if computing != "fp32" else "")
        exported = _exported(_untrained(width), to, precision, images, work / "speed" / to / precision)
        run = _runner(exported.path, part, to, computing)
        found = prove(part, system, run, list(trials_of(part, content))[-2:], exact=False)
        contenders[how] = lambda run=run: run(arrays)
        rows[how] = exported.bytes, found.psnr
    times = time_in_turns(contenders, rounds, timer=time.process_time)
    _print_times(times, rows)


def _print_times(times: Mapping[str, list[float]], rows: Mapping[str, tuple[int, float | None]]) -> None:
    baseline = times["eager float32"]
    print("\n| graph | MB | CPU time | against eager float32 | PSNR |\n" + "|---" * 5 + "|")
    print(f"| eager float32 | | {median(baseline):.3f} s | | |")
    for how, (size, psnr) in rows.items():
        quality = "equal" if psnr is None else f"{psnr:.1f} dB"
        ratio = speed_up(baseline, times[how]).strip()
        print(f"| {how} | {size / 1e6:.1f} | {median(times[how]):.3f} s | {ratio} | {quality} |")


def _untrained(width: int) -> System[Any]:
    torch.manual_seed(0)
    return build_system("cyclegan", config_type("cyclegan")(width=width)).eval().requires_grad_(False)


def _eager(system: System[Any], task: Task, given: dict[str, torch.Tensor]) -> None:
    with torch.inference_mode():
        system(task, given)


def _exported(system: System[Any], to: Format, precision: Precision, images: Path, folder: Path) -> Exported:
    calibrate = images if precision == "int8" else None
    options = ExportOptions(to, precision, calibrate=calibrate, images=images, overwrite=True, force=True)
    tasks = groups(system.config, system.config.tasks(system.clock.stage))[0]
    return Exporter(system, options).export(tasks, folder / f"graph{SUFFIXES[to]}")


def _runner(path: Path, part: Any, to: Format, computing: Computing) -> Run:
    if to == "pt2":
        return run_pt2(path, part)
    runtime = "openvino" if to == "openvino" else "onnxruntime"
    return open_session(open_graph(path), runtime, computing, threads=1).run  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
