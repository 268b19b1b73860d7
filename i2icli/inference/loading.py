"""Any model a user may name, ready for inference: a run, a published file, an original checkpoint."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i2icli.backend import Backend
from i2icli.errors import UserError, quoted
from i2icli.graphs.backend import load_graph
from i2icli.graphs.graph_file import is_graph, refuse_traced
from i2icli.graphs.sessions import Computing, Runtime, check_installed, check_single, fastest
from i2icli.inference.options import RuntimeChoice
from i2icli.metadata import describes_itself

Tell = Callable[[str], None]
DRIVERS = ("/proc/driver/nvidia/version", "/dev/dxg", "/dev/kfd")
"""What Linux has where there is a GPU: Nvidia's driver, that of Windows below WSL, and AMD's."""

if TYPE_CHECKING:  # torch loads only where a system is loaded
    from i2icli.system import System


def load_backend(
    path: Path, device: str | None, precision: Computing, choice: RuntimeChoice, tell: Tell
) -> Backend:
    """What computes the outputs of a model: its own graphs, those of an export, or torch.

    tell: is told what it is, and why, where that is decided later. Raises UserError if the model cannot be
    used, or not by the runtime or on the device that was asked for.
    """
    refuse_traced(path)
    runtime: Runtime | None = choice if choice == "onnxruntime" or choice == "openvino" else None
    if path.is_dir() or is_graph(path):
        if choice == "torch":
            raise UserError(f"{path}: torch runs no graphs; leave out --runtime, or name the model itself")
        _check_processor(device, f"{path}: graphs run")
        return load_graph(path, runtime, precision)
    by_torch = partial(_by_torch, path, device, precision)
    if runtime is not None:
        _check_processor(device, f"--runtime {runtime}: it runs")
        check_installed(f"--runtime {runtime}", runtime)
        if runtime == "onnxruntime":
            check_single(str(path), precision)
    elif choice == "auto" and device in (None, "cpu"):
        runtime = fastest(precision)
    if runtime is None or (choice == "auto" and _has_gpu(device)):
        return by_torch()
    from i2icli.export.runtimes import RuntimeBackend

    return RuntimeBackend(
        path,
        runtime,
        precision,
        asked=choice != "auto",
        by_torch=by_torch,
        load=partial(load_with_notes, path),
        tell=tell,
    )


def _by_torch(path: Path, device: str | None, precision: Computing) -> Backend:
    from i2icli.runtime.device import choose_device
    from i2icli.runtime.precision import choose_placement
    from i2icli.runtime.torch_backend import TorchBackend

    system, notes = load_with_notes(path)
    networks = (system.get_submodule(name) for name in system.inference_modules)
    return TorchBackend(system, choose_placement(choose_device(device), precision, networks), notes)


def _check_processor(device: str | None, what: str) -> None:
    if device not in (None, "cpu"):
        raise UserError(f"{what} on the CPU; leave out --device {device}")


def _has_gpu(device: str | None) -> bool:
    """Whether torch may compute on a GPU; looked up without loading torch."""
    if device == "cpu":
        return False
    return sys.platform in ("darwin", "win32") or any(Path(driver).exists() for driver in DRIVERS)


def load_with_notes(path: Path) -> "tuple[System[Any], tuple[str, ...]]":
    """The system in a model.safetensors or an original checkpoint, and what the file cannot tell, in lines.

    Raises UserError if it is neither, or holds only a part of a system.
    """
    from i2icli.originals import load_original
    from i2icli.runtime.checkpoint import load_model, with_weights

    if describes_itself(path):
        return load_model(path), ()
    original = load_original(path)
    if not original.translates:
        raise UserError(
            f"{path}: this is only a part of {original.system} and cannot translate; "
            f"it can start a training: i2i train {original.system} DATA --init-from {quoted(path)}"
        )
    system = with_weights(original.system, original.config, original.tensors, path)
    if original.stage is not None:
        system.clock.stage = next(stage for stage in system.config.stages() if stage.name == original.stage)
        system.clock.step = original.stage_step
    return system, original.notes
