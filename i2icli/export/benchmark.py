"""How fast the installed runtimes compute a model, and how accurately: timed in turns, beside float32."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from i2icli.errors import UserError
from i2icli.export.axes import BATCH, HEIGHT, WIDTH, Sizes
from i2icli.export.benchmark_options import BenchmarkOptions
from i2icli.export.content import After, Content, GivenImages, Scenes
from i2icli.export.exporting import Exporter
from i2icli.export.options import ExportOptions, Precision
from i2icli.export.parts import Part, parts_of
from i2icli.export.proof import SHOWN
from i2icli.graphs.arrays import chosen, to_values
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.metadata import MEMORY, OUTPUT
from i2icli.graphs.sessions import EXTRAS, RUNTIMES, Computing, Runtime, installed, open_session
from i2icli.request import Array, Arrays
from i2icli.runtime.device import fast_dtype
from i2icli.runtime.precision import choose_placement
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.system import System
from i2icli.task import Task

LEAST_PSNR = 40.0  # dB to float32 of what is called accurate
WEIGHTS = {"fp32": "fp32", "fp16 weights": "half", "int8": "int8"}
"""What a row says of its graph, and the export that makes it."""


@dataclass
class Row:
    """A way to compute the model."""

    runtime: str  # torch, onnxruntime, openvino
    precision: str  # "fp32", "bf16", "fp16 weights", "int8"
    bytes: int = 0  # of its file
    seconds: dict[int, list[float]] = field(default_factory=dict)  # per image, by batch, of every round
    ratio: dict[int, float] = field(default_factory=dict)  # of float32 in torch to it, by batch
    psnr: float | None = None  # dB to float32; None: equal
    error: str = ""  # why there is nothing

    @property
    def is_accurate(self) -> bool:
        """Whether it computes what float32 computes, as far as can be seen."""
        return not self.error and (self.psnr is None or self.psnr >= LEAST_PSNR)

    @property
    def best(self) -> float:
        """Its largest ratio; 0 if there is none."""
        return max(self.ratio.values(), default=0.0)

    def milliseconds(self, batch: int) -> float:
        """The median per image."""
        return 1000 * median(self.seconds[batch])


Run = Callable[[Arrays], Array]
"""The output for what `System.forward` reads."""


class Benchmark:
    """The measurement of a model's default task."""

    def __init__(
        self,
        load: Callable[[], System[Any]],
        model: Path,
        tasks: Sequence[Task],
        options: BenchmarkOptions,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """load: the model as it is in its file, anew each time; tasks: of one `graph_key`.

        Raises UserError for images that cannot be found.
        """
        self.load, self.model, self.tasks, self.options, self.report = load, model, tasks, options, report
        given, calibration = (
            None if folder is None else GivenImages.of_folder(folder, option)
            for folder, option in ((options.images, "--images"), (options.calibrate, "--calibrate"))
        )
        if calibration is not None and given is None:
            given, _ = calibration.apart(SHOWN)  # as the graphs in 8 bits leave them out
        self.images: Content = given or Scenes()
        self.threads = options.threads or torch.get_num_threads()
        self.system = load()
        self.rows: list[Row] = []
        self._runs: list[tuple[Row, Run]] = []

    def run(self) -> list[Row]:
        """Measure everything; float32 in torch comes first."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with TemporaryDirectory() as folder:
                self._prepare(Path(folder))
                self._measure()
        finally:
            torch.set_num_threads(before)
        return self.rows

    def _prepare(self, folder: Path) -> None:
        with self._row("torch", "fp32") as row:
            self._add(row, self._torch(self.system, "fp32"), self.model.stat().st_size)
        with self._row("torch", "bf16") as row:
            if fast_dtype(torch.device("cpu")) is None:
                raise UserError("this processor does not compute bf16")
            self._add(row, self._torch(self.load(), "bf16"), self.model.stat().st_size)
        graphs: dict[str, Path | UserError] = {}
        for runtime, precision in self._wanted():
            with self._row(runtime, precision) as row:
                if runtime not in installed():
                    raise UserError(f"not installed: pip install 'i2icli[{EXTRAS[runtime]}]'")
                weights = precision if precision in WEIGHTS else "fp32"
                if weights not in graphs:
                    graphs[weights] = self._export(folder, weights)
                path = graphs[weights]
                if isinstance(path, UserError):
                    raise path
                computing: Computing = "bf16" if precision == "bf16" else "fp32"
                self._add(row, *self._graph(path, runtime, computing))

    def _wanted(self) -> Iterator[tuple[Runtime, str]]:
        """The rows of graphs."""
        for runtime in RUNTIMES:
            second = "bf16" if runtime == "openvino" else "fp16 weights"
            eight = ("int8",) if self.options.calibrate is not None else ()
            yield from ((runtime, precision) for precision in ("fp32", second, *eight))

    @contextmanager
    def _row(self, runtime: str, precision: str) -> Iterator[Row]:
        """A row, which says why if it cannot be made."""
        row = Row(runtime, precision)
        self.rows.append(row)
        try:
            yield row
        except UserError as error:
            row.error = str(error)
        except MemoryError:
            row.error = "not enough memory"

    def _add(self, row: Row, run: Run, size: int) -> None:
        """A row that can be measured."""
        row.bytes = size
        self._runs.append((row, run))

    def _torch(self, system: System[Any], precision: str) -> Run:
        networks = (system.get_submodule(name) for name in system.inference_modules)
        backend = TorchBackend(system, choose_placement(torch.device("cpu"), precision, networks))

        def run(arrays: Arrays) -> Array:
            memory = {
                name.removeprefix(MEMORY): each for name, each in arrays.items() if name.startswith(MEMORY)
            }
            inputs = {name: each for name, each in arrays.items() if not name.startswith(MEMORY)}
            return backend.forward(self.tasks[0], inputs, memory or None)[0]

        return run

    def _export(self, folder: Path, weights: str) -> Path | UserError:
        """A graph in one of the `WEIGHTS`, or why there is none; OpenVINO runs the same as onnxruntime."""
        to = "onnx" if "onnxruntime" in installed() else "openvino"
        precision: Precision = WEIGHTS[weights]  # type: ignore[assignment]
        calibrate = self.options.calibrate if precision == "int8" else None
        options = ExportOptions(to, precision, calibrate=calibrate, fused_norms=True, force=True)  # type: ignore[arg-type]
        path = folder / f"{precision}{'.onnx' if to == 'onnx' else '.xml'}"

        def report(text: str) -> None:
            if text.endswith("..."):  # the times of its steps are not asked for
                self.report(f"{weights}: {text}")

        try:
            exporter = Exporter(self.system, options, report=report, images=self.images, keep_failed=False)
            return exporter.export(self.tasks, path).path
        except UserError as error:
            return error

    def _graph(self, path: Path, runtime: Runtime, precision: Computing) -> tuple[Run, int]:
        """What runs a graph, and its size."""
        graph = open_graph(path)
        session = open_session(graph, runtime, precision, self.threads)

        def run(arrays: Arrays) -> Array:
            return to_values(session.run(chosen(graph.metadata.inputs, arrays, str(path)))[OUTPUT])

        return run, graph.size

    def _measure(self) -> None:
        """Accuracy first, which warms up; then time, in turns."""
        part = parts_of(self.system, self.tasks)[-1]
        shown = (After(self.images, number) for number in range(SHOWN))
        given = [_drawn(part, self.system, self._sizes(part, 1), each) for each in shown]
        (_, exact), truth = self._runs[0], list[Array]()
        truth += (exact(each) for each in given)
        for row, run in tuple(self._runs):
            self.report(f"{row.runtime} {row.precision}: accuracy ...")
            with self._measuring(row, run):
                row.psnr = _psnr([run(each) for each in given], truth)
        for batch in self.options.batch_size:
            arrays = _drawn(part, self.system, self._sizes(part, batch), self.images)
            for number in range(-1, self.options.rounds):  # the first one warms up
                self.report(f"batch {batch}, round {max(1, number + 1)} of {self.options.rounds} ...")
                for row, run in tuple(self._runs):
                    with self._measuring(row, run):
                        started = time.perf_counter()
                        run(arrays)
                        if number >= 0:
                            row.seconds.setdefault(batch, []).append((time.perf_counter() - started) / batch)
        baseline = self.rows[0].seconds[self.options.batch_size[0]]
        for row, _ in self._runs:
            for batch, seconds in row.seconds.items():
                row.ratio[batch] = median(a / b for a, b in zip(baseline, seconds, strict=True))

    @contextmanager
    def _measuring(self, row: Row, run: Run) -> Iterator[None]:
        """What cannot be computed is left out from then on."""
        try:
            yield
        except (UserError, MemoryError) as error:
            row.error = str(error) or "not enough memory"
            self._runs.remove((row, run))

    def _sizes(self, part: Part, batch: int) -> Sizes:
        """Those of a trial: as asked for, as near as the networks come."""
        (traced, _), sides = part.examples.traced_sizes(), part.examples.sides
        sizes = {**traced, BATCH: batch}
        if sides.free:
            height, width = self.options.size
            sizes |= {HEIGHT: sides.nearest(height), WIDTH: sides.nearest(width)}
        return sizes


def _drawn(part: Part, system: System[Any], sizes: Sizes, content: Content) -> Arrays:
    """What `System.forward` reads."""
    with torch.no_grad():
        return {name: each.numpy() for name, each in part.draw(system, sizes, content, 0).items()}


def _psnr(found: Sequence[Array], truth: Sequence[Array]) -> float | None:
    """dB, over all images; None where they are equal."""
    error = float(np.mean([np.mean(np.square(a - b)) for a, b in zip(found, truth, strict=True)]))
    return 10 * float(np.log10(4 / error)) if error else None


def fastest(rows: Sequence[Row]) -> Row | None:
    """The fastest of those that are accurate; None if nothing was measured."""
    return max((row for row in rows if row.is_accurate and row.ratio), key=lambda row: row.best, default=None)
