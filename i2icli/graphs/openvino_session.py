"""Graphs run by OpenVINO, on the processor."""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from i2icli.errors import UserError
from i2icli.graphs.graph_file import GraphFile
from i2icli.graphs.sessions import WORTHWHILE, Computing, Runtime, check_arrays, failure
from i2icli.processors import threads_asked
from i2icli.request import Arrays

_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
_ABILITIES = {"bf16": "BF16", "fp16": "FP16"}


class OpenVINOSession:
    """See `Session`."""

    runtime: Runtime = "openvino"

    def __init__(self, graph: GraphFile, precision: Computing = "fp32", threads: int | None = None) -> None:
        """Load and compile a graph.

        Raises UserError for what OpenVINO cannot run and for a precision that this processor lacks,
        MemoryError where memory ends.
        """
        self.precision = choose_precision(graph, precision)
        self._path, self._inputs = graph.path, graph.metadata.inputs
        self._outputs = list(graph.metadata.outputs)
        try:
            core = _core()
            options: dict[str, Any] = {
                # Left out, it is bf16 where the processor has that.
                "INFERENCE_PRECISION_HINT": _HINTS[self.precision],
                "PERFORMANCE_HINT": "LATENCY",
            }
            if (number := threads or threads_asked()) is not None:
                options["INFERENCE_NUM_THREADS"] = number
            compiled = core.compile_model(core.read_model(*_files(graph)), "CPU", options)
            self._request = compiled.create_infer_request()
            self._ports = [compiled.output(name) for name in self._outputs]
        except Exception as error:  # whatever its parts raise
            raise failure(graph.path, self.runtime, error, "load") from None
        self._running = Lock()  # a request holds the arrays of one run

    def run(self, arrays: Arrays) -> Arrays:
        """See `Session`."""
        check_arrays(self._path, self._inputs, arrays)
        whole = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
        try:
            with self._running:
                found = self._request.infer(whole, share_inputs=True, share_outputs=False)
                return {name: found[port] for name, port in zip(self._outputs, self._ports, strict=True)}
        except Exception as error:  # as above
            raise failure(self._path, self.runtime, error, "run") from None


def _files(graph: GraphFile) -> tuple[Path, ...]:
    """What is named to it: an .xml and its weights; an .onnx finds what belongs to it."""
    return graph.files if graph.path.suffix.lower() == ".xml" else graph.files[:1]


def choose_precision(graph: GraphFile, asked: Computing) -> str:
    """What to compute in. Raises UserError for what the processor has not."""
    if asked == "fp32" or (asked == "auto" and graph.products < WORTHWHILE):
        return "fp32"
    able = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if asked == "auto":
        return "bf16" if "BF16" in able else "fp32"
    if _ABILITIES[asked] not in able:
        raise UserError(f"{graph.path}: this processor does not compute {asked}; try --precision fp32")
    return asked


@cache
def _core() -> Any:
    """The runtime, one for all graphs."""
    from openvino import Core

    return Core()
