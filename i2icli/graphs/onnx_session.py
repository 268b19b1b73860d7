"""Graphs run by onnxruntime, on the processor."""

from functools import lru_cache
from typing import Any

from i2icli.graphs.graph_file import GraphFile
from i2icli.graphs.sessions import Computing, Runtime, check_arrays, check_single, failure
from i2icli.machine import total_memory
from i2icli.processors import threads_asked
from i2icli.request import Arrays

_FATAL_ONLY = 4  # its own lines on stderr; errors are raised as well
_FOLDED = 64 * 2**20  # bytes: constants that it computes of others while loading
_SHARE = 0.8  # of the machine's memory that it may take: it fails in words, where the system would end us


class OnnxSession:
    """See `Session`. It computes float32 whatever the weights are stored in."""

    runtime: Runtime = "onnxruntime"
    precision = "fp32"

    def __init__(self, graph: GraphFile, precision: Computing = "fp32", threads: int | None = None) -> None:
        """Load a graph. Raises UserError for what onnxruntime cannot run, MemoryError where memory ends."""
        check_single(str(graph.path), precision)
        import onnxruntime

        self._path, self._inputs = graph.path, graph.metadata.inputs
        self._outputs = list(graph.metadata.outputs)
        try:
            self._session = onnxruntime.InferenceSession(
                graph.path, _options(onnxruntime, threads), providers=["CPUExecutionProvider"]
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


def _options(onnxruntime: Any, threads: int | None) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("optimization.constant_folding_max_output_size_in_bytes", str(_FOLDED))
    if _limit_memory(onnxruntime):
        options.add_session_config_entry("session.use_env_allocators", "1")
    if (number := threads or threads_asked()) is not None:
        options.intra_op_num_threads = number
    return options


@lru_cache(maxsize=1)
def _limit_memory(onnxruntime: Any) -> bool:
    """Bound what all graphs of this process take together; False where that is not possible."""
    most = total_memory()
    if most is None:
        return False
    info = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    as_usual = dict.fromkeys(
        ("arena_extend_strategy", "initial_chunk_size_bytes", "max_dead_bytes_per_chunk"), -1
    )
    try:
        config = onnxruntime.OrtArenaCfg({"max_mem": int(_SHARE * most), **as_usual})
        onnxruntime.create_and_register_allocator(info, config)
    except Exception:  # another program in this process was first
        return False
    return True
