"""An export for the cache: proven, and in the precision that a runtime computes in accurate enough."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from i2icli.errors import UserError
from i2icli.export.exporting import Exporter
from i2icli.export.options import ExportOptions
from i2icli.export.parts import parts_of
from i2icli.export.proof import prove, trials_of
from i2icli.graphs.arrays import chosen
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.sessions import Computing, Runtime, open_session
from i2icli.request import Arrays
from i2icli.system import System
from i2icli.task import Task

LEAST_PSNR = 40.0  # dB of outputs to those of the networks in float32


def export_for_runtime(
    system: System[Any], tasks: Sequence[Task], folder: Path, runtime: Runtime, precision: Computing
) -> tuple[Path, str]:
    """Write a proven graph of some tasks of one `graph_key` -> its main file, and how accurate it is.

    system: as in its file, in float32. Raises UserError if it cannot be a graph, or is less accurate than
    `LEAST_PSNR` in the precision that the runtime computes in.
    """
    to, name = ("openvino", "model.xml") if runtime == "openvino" else ("onnx", "model.onnx")
    exporter = Exporter(system, ExportOptions(to=to))  # type: ignore[arg-type]
    path = exporter.export(tasks, folder / name).path
    graph = open_graph(path)
    session = open_session(graph, runtime, precision)

    def run(arrays: Arrays) -> Arrays:
        return session.run(chosen(graph.metadata.inputs, arrays, str(path)))

    main = parts_of(system, tasks)[-1]
    psnr = prove(main, system, run, list(trials_of(main, exporter.images)), exact=False).psnr
    accuracy = f"{session.precision}, {psnr:.0f} dB to float32" if psnr is not None else session.precision
    if psnr is not None and psnr < LEAST_PSNR:
        raise UserError(f"{runtime} in {accuracy} loses more than {LEAST_PSNR:.0f} dB allow", exit_code=1)
    return path, accuracy
