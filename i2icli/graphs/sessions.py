"""Graphs ready to run, by the runtimes that run them."""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Protocol

from i2icli.config import Precision
from i2icli.errors import UserError, readable
from i2icli.graphs.graph_file import GraphFile
from i2icli.graphs.metadata import TensorType
from i2icli.request import Array, Arrays

Runtime = Literal["onnxruntime", "openvino"]
RUNTIMES: dict[Runtime, tuple[str, ...]] = {"onnxruntime": (".onnx",), "openvino": (".xml", ".onnx")}
"""What runs graphs, and the suffixes that each takes."""
EXTRAS: dict[Runtime, str] = {"onnxruntime": "onnx", "openvino": "openvino"}
Computing = Precision
"""What a runtime computes in; auto: bf16 where it gains and the processor has it, as for torch."""
WORTHWHILE = 512  # products per value from which low precision gains; as in runtime/precision.py
_NO_MEMORY = (
    "bad_alloc",
    "bad allocation",
    "allocate memory",
    "out of memory",
    "not enough memory",
    "Available memory of",
    "bytes of memory",
)


class Session(Protocol):
    """A graph that a runtime has loaded."""

    @property
    def runtime(self) -> Runtime:
        """What runs it."""

    @property
    def precision(self) -> str:
        """What it computes in: fp32, bf16 or fp16."""

    def run(self, arrays: Arrays) -> Arrays:
        """The outputs for inputs of the names, types and shapes that the metadata say.

        Raises UserError for others and for what the runtime cannot do, MemoryError where memory ends.
        """


def installed() -> tuple[Runtime, ...]:
    """The runtimes whose packages are there; nothing is imported."""
    return tuple(runtime for runtime in RUNTIMES if find_spec(runtime) is not None)


def fastest(precision: Computing) -> Runtime | None:
    """What computes faster than torch on this processor, of what is installed.

    OpenVINO does in every precision; onnxruntime computes in float32 alone, which is slower than torch in
    bfloat16 where the processor has that.
    """
    there = installed()
    if "openvino" in there:
        return "openvino"
    single = precision == "fp32" or (precision == "auto" and not has_bfloat16())
    return "onnxruntime" if "onnxruntime" in there and single else None


@cache
def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16, as far as the system tells."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # no Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def choose_runtime(path: Path, runtime: Runtime | None = None) -> Runtime:
    """What is to run a file: as asked for, else the first of those installed that take it.

    Raises UserError naming the command that installs one.
    """
    able = [name for name, suffixes in RUNTIMES.items() if path.suffix.lower() in suffixes]
    if runtime is not None and runtime not in able:
        raise UserError(
            f"{path}: {runtime} does not run {path.suffix} files; try --runtime {' or '.join(able)}"
        )
    there = [name for name in installed() if name in ([runtime] if runtime else able)]
    if not there:
        check_installed(str(path), runtime or able[0])
    return there[0]


def check_installed(what: str, runtime: Runtime) -> None:
    """Raise UserError, beginning with `what`, naming the command that installs a runtime that is missing."""
    if runtime not in installed():
        raise UserError(
            f"{what}: running it needs the package {runtime}: pip install 'i2icli[{EXTRAS[runtime]}]'"
        )


def check_single(what: str, precision: Computing) -> None:
    """Raise UserError, beginning with `what`, for a precision that onnxruntime does not compute in."""
    if precision not in ("auto", "fp32"):
        raise UserError(
            f"{what}: onnxruntime computes fp32 on a processor, not {precision}; try --precision fp32, "
            "or --runtime openvino"
        )


def open_session(
    graph: GraphFile,
    runtime: Runtime | None = None,
    precision: Computing = "fp32",
    threads: int | None = None,
) -> Session:
    """A graph ready to run. threads: of the runtime; None: as many as it likes.

    Raises UserError where the runtime is missing, knows an operator not, or does not compute in a precision.
    """
    if choose_runtime(graph.path, runtime) == "onnxruntime":
        from i2icli.graphs.onnx_session import OnnxSession

        return OnnxSession(graph, precision, threads)
    from i2icli.graphs.openvino_session import OpenVINOSession

    return OpenVINOSession(graph, precision, threads)


def check_arrays(path: Path, types: Mapping[str, TensorType], arrays: Arrays) -> None:
    """Raise UserError unless arrays are what a graph reads, saying what was found and expected."""
    if arrays.keys() != types.keys():
        found, wanted = (readable(", ".join(sorted(each)))[:200] or "nothing" for each in (arrays, types))
        raise UserError(f"{path}: got {found}; expected {wanted}")
    sides: dict[str, tuple[int, str]] = {}
    for name, type_ in types.items():
        array = arrays[name]
        fixed = zip(type_.shape, array.shape, strict=False)
        if (
            array.dtype.name != type_.dtype
            or array.ndim != len(type_.shape)
            or any(isinstance(side, int) and side != found for side, found in fixed)
            or 0 in array.shape
        ):
            raise UserError(f"{path}: {readable(name)} is {described(array)}; expected {type_}")
        for side, length in zip(type_.shape, array.shape, strict=True):
            if not isinstance(side, str) or side == "?":
                continue
            known, first = sides.setdefault(side, (length, name))
            if known != length:
                raise UserError(
                    f"{path}: {readable(side)} is {known} in {readable(first)}, but {length} in "
                    f"{readable(name)}; expected the same"
                )


def described(array: Array) -> str:
    """ "float32 1 x 3 x 64 x 64"."""
    return f"{array.dtype.name} {' x '.join(map(str, array.shape))}".rstrip()


def failure(path: Path, runtime: Runtime, error: Exception, doing: str) -> Exception:
    """What a runtime's error is to a user: MemoryError, or a UserError of one line."""
    text = str(error)
    if isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY):
        return MemoryError(f"{runtime}: out of memory")
    return UserError(
        f"{path}: {runtime} cannot {doing} it ({_gist(text) or type(error).__name__})", exit_code=1
    )


def _gist(text: str) -> str:
    """What a runtime says, without its sources' names and codes, on one line."""
    lines = [line.strip() for line in text.splitlines()]
    telling = [
        line for line in lines if line and not line.startswith(("Exception from", "Check '", "[ CPU ]"))
    ]
    gist = " ".join(telling or lines)
    _, found, rest = gist.partition(" : ")  # [ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : what is meant
    if gist.startswith("[ONNXRuntimeError]") and found:
        gist = rest.split(" : ", 2)[-1]
    return readable(gist)[:300].rstrip(" .")
