"""Find the system that knows the keys of a checkpoint."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals.checkpoint import Original
from i2icli.originals.forms import inner_networks
from i2icli.originals.nearest import nearest
from i2icli.originals.reader import read_state, short
from i2icli.registry import SYSTEMS
from i2icli.written import counted


def load_original(path: Path) -> Original:
    """A checkpoint of the papers' authors, in whatever form it was kept, as one of our systems.

    Raises UserError if it cannot be read safely, or no system knows its keys.
    """
    state = read_state(path)
    original = _recognised(state, path)
    if original is not None:
        return original
    parts = list(inner_networks(state))
    troubles: list[UserError] = []
    for name, part in parts:
        try:
            original = _recognised(part, path)
        except UserError as error:  # a discriminator beside the generator
            troubles.append(error)
            continue
        if original is not None:
            return _of_part(original, name, [other for other, _ in parts])
    if troubles and len(troubles) >= sum("." not in name for name, _ in parts):
        raise troubles[0]
    raise _unknown(state, path)


def _of_part(original: Original, name: str, names: list[str]) -> Original:
    """What was found in one of several networks in a file."""
    level = [each for each in names if each.count(".") == name.count(".")]
    if len(level) < 2:
        return original
    listed = ", ".join(short(each) for each in level[:6]) + (", ..." if len(level) > 6 else "")
    note = f"the file holds several networks ({listed}); this is {short(name)}"
    return replace(original, notes=(note, *original.notes))


def _unknown(state: dict[str, Tensor], path: Path) -> UserError:
    """What to say of a file that nobody knows: what it resembles, or what would load."""
    some = ", ".join([*(short(name) for name in list(state)[:3]), *(["..."] if len(state) > 3 else [])])
    found = f"{path}: {counted(len(state), 'tensor')} ({some}) that no system here recognises; "
    closest = nearest(state)
    if closest is not None:
        return UserError(f"{found}{closest}")
    known = ", ".join(name for name, entry in SYSTEMS.items() if entry.original)
    return UserError(f"{found}original checkpoints load for: {known}")


def _recognised(state: dict[str, Tensor], path: Path) -> Original | None:
    for entry in SYSTEMS.values():
        if entry.original is None:
            continue
        original: Original | None = import_module(entry.original).recognise(state, path, read_state)
        if original is not None:
            return original
    return None
