"""Graphs run by onnxruntime, on the processor."""

from i2icli.errors import UserError
from i2icli.graphs.graph_file import GraphFile
from i2icli.graphs.sessions import Computing, Runtime, check_arrays, failure
from i2icli.request import Arrays

_FATAL_ONLY = 4  # its own lines on stderr; errors are raised as well


class OnnxSession:
    """See `Session`. It computes float32 whatever the weights are stored in."""

    runtime: Runtime = "onnxruntime"
    precision = "fp32"

    def __init__(self, graph: GraphFile, precision: Computing = "fp32", threads: int | None = None) -> None:
        """Load a graph. Raises UserError for what onnxruntime cannot run, MemoryError where memory ends."""
        if precision not in ("auto", "fp32"):
            raise UserError(
                f"{graph.path}: onnxruntime computes fp32 on a processor, not {precision}; "
                "try --precision fp32, or --runtime openvino"
            )
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = _FATAL_ONLY
        if threads is not None:
            options.intra_op_num_threads = threads
        self._path, self._inputs = graph.path, graph.metadata.inputs
        self._outputs = list(graph.metadata.outputs)
        try:
            self._session = onnxruntime.InferenceSession(
                graph.path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no class in common
            raise failure(graph.path, self.runtime, error, "load") from None

    def run(self, arrays: Arrays) -> Arrays:
        """See `Session`."""
        check_arrays(self._path, self._inputs, arrays)
        try:
            found = self._session.run(self._outputs, arrays)
        except Exception as error:  # as above
            raise failure(self._path, self.runtime, error, "run") from None
        return dict(zip(self._outputs, found, strict=True))
