"""An export for the cache: proven, and in the precision that a runtime computes in accurate enough."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from i2icli.errors import UserError
from i2icli.export.describing import name_of
from i2icli.export.exporting import Exporter
from i2icli.export.options import FORMATS, SUFFIXES, ExportOptions
from i2icli.export.parts import parts_of
from i2icli.export.proof import prove, trials_of
from i2icli.graphs.arrays import chosen
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.known_models import known_model, remember
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
    to = FORMATS[runtime]
    exporter = Exporter(system, ExportOptions(to=to, fused_norms=True), keep_failed=False)
    exported = exporter.export(tasks, folder / f"model{SUFFIXES[to]}")
    path = exported.path
    graph = open_graph(path)
    session = open_session(graph, runtime, precision)

    def run(arrays: Arrays) -> Arrays:
        return session.run(chosen(graph.metadata.inputs, arrays, str(path)))

    main, proof = parts_of(system, tasks)[-1], exported.proof
    if session.precision != "fp32":  # in which it is proven already
        proof = prove(main, system, run, list(trials_of(main, exporter.images)), exact=False)
    psnr = proof.psnr
    if psnr is None:  # equal, or no images
        return path, session.precision
    if psnr < LEAST_PSNR:
        raise UserError(
            f"in {session.precision} it is accurate to {psnr:.0f} dB; at least {LEAST_PSNR:.0f} dB are "
            "expected",
            exit_code=1,
        )
    return path, f"{session.precision}, {psnr:.0f} dB to float32"


def remember_model(path: Path, home: Path, system: System[Any], notes: tuple[str, ...]) -> None:
    """Keep what a model is, for graphs of it to be run without loading it. Raises OSError."""
    clock = system.clock
    steps = clock.step, clock.total
    known = known_model(name_of(system), system.config, clock.stage, steps, system.facts, notes)
    remember(path, home, known)
