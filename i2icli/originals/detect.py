"""Find the system that knows the keys of a checkpoint."""

from importlib import import_module
from pathlib import Path

from i2icli.errors import UserError
from i2icli.original import Original
from i2icli.originals.reader import read_state
from i2icli.registry import SYSTEMS


def load_original(path: Path) -> Original:
    """A checkpoint of the papers' authors (.pth, .pt, .pkl, .ckpt) as one of our systems.

    Raises UserError if it cannot be read safely, or no system knows its keys.
    """
    state = read_state(path)
    for entry in SYSTEMS.values():
        if entry.original is None:
            continue
        original: Original | None = import_module(entry.original).recognise(state, path, read_state)
        if original is not None:
            return original
    known = ", ".join(name for name, entry in SYSTEMS.items() if entry.original)
    some = ", ".join(list(state)[:3])
    raise UserError(
        f"{path}: {len(state)} tensors ({some}, ...) that no system here recognises; "
        f"original checkpoints load for: {known}"
    )
