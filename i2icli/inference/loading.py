"""Any model a user may name, ready for inference: a run, a published file, an original checkpoint."""

from pathlib import Path
from typing import Any

from i2icli.errors import UserError
from i2icli.metadata import describes_itself
from i2icli.originals import load_original
from i2icli.runtime.checkpoint import load_model, with_weights
from i2icli.system import System


def load_with_notes(path: Path) -> tuple[System[Any], tuple[str, ...]]:
    """The system in a model.safetensors or an original checkpoint, and what the file cannot tell, in lines.

    Raises UserError if it is neither, or holds only a part of a system.
    """
    if describes_itself(path):
        return load_model(path), ()
    original = load_original(path)
    if not original.translates:
        raise UserError(
            f"{path}: this is only a part of {original.system} and cannot translate; "
            f"it can start a training: i2i train {original.system} DATA --init-from {path}"
        )
    system = with_weights(original.system, original.config, original.tensors, path)
    if original.stage is not None:
        system.clock.stage = next(stage for stage in system.config.stages() if stage.name == original.stage)
        system.clock.step = original.stage_step
    return system, original.notes
