"""Find the system that knows the keys of a checkpoint."""

from importlib import import_module
from pathlib import Path

from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals.checkpoint import Original
from i2icli.originals.reader import read_state, wrapped_alone
from i2icli.registry import SYSTEMS


def load_original(path: Path) -> Original:
    """A checkpoint of the papers' authors (.pth, .pt, .pkl, .ckpt) as one of our systems.

    Raises UserError if it cannot be read safely, or no system knows its keys.
    """
    whole = read_state(path)
    for state in (whole, wrapped_alone(whole)):
        original = _recognised(state, path) if state else None
        if original is not None:
            return original
    known = ", ".join(name for name, entry in SYSTEMS.items() if entry.original)
    some = ", ".join(list(whole)[:3])
    raise UserError(
        f"{path}: {len(whole)} tensors ({some}, ...) that no system here recognises; "
        f"original checkpoints load for: {known}"
    )


def _recognised(state: dict[str, Tensor], path: Path) -> Original | None:
    for entry in SYSTEMS.values():
        if entry.original is None:
            continue
        original: Original | None = import_module(entry.original).recognise(state, path, read_state)
        if original is not None:
            return original
    return None
