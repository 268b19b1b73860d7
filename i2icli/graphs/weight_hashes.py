"""SHA-256 of models, remembered as long as the files are the same by path, size and time of change."""

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from i2icli.errors import UserError
from i2icli.files import atomic_write, file_lock
from i2icli.metadata import describes_itself

KNOWN = "weights.json"
MOST = 500  # files that are remembered
_ARRAYS = ".npy"  # clusters of features, which lie beside some models
_SETTLED = 2 * 10**9  # nanoseconds: a file that changed since could change again without its time telling


class _Hash(BaseModel):
    """The hash of a file as it was."""

    size: int
    mtime_ns: int
    sha256: str


_HASHES = TypeAdapter(dict[str, _Hash])


def model_hash(model: Path, home: Path) -> str:
    """The hash of all that a model may be made of. Raises UserError if it cannot be read.

    A model file of ours is whole. What others published may lie in several files: those beside it that could
    belong to it count by name, size and time of change.
    """
    found = weights_hash(model, home)
    beside = [] if describes_itself(model) else _beside(model)
    return hashlib.sha256(json.dumps([found, beside]).encode()).hexdigest() if beside else found


def weights_hash(path: Path, home: Path) -> str:
    """The SHA-256 of a file, from memory if it is unchanged. Raises UserError if it cannot be read.

    home: the folder where it is remembered.
    """
    try:
        state = path.stat()
        known = _known(home).get(str(path.resolve()))
        if known is not None and (known.size, known.mtime_ns) == (state.st_size, state.st_mtime_ns):
            return known.sha256
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if time.time_ns() - state.st_mtime_ns > _SETTLED:
        with suppress(OSError):  # a cache that cannot be written is none
            _remember(
                home, str(path.resolve()), _Hash(size=state.st_size, mtime_ns=state.st_mtime_ns, sha256=found)
            )
    return found


def _beside(model: Path) -> list[tuple[str, int, int]]:
    """Name, bytes and time of change (ns) of the files that could belong to a model."""
    found: list[tuple[str, int, int]] = []
    with suppress(OSError):
        for each in sorted(model.parent.iterdir()):
            if each.suffix in (model.suffix, _ARRAYS) and each != model and each.is_file():
                state = each.stat()
                found.append((each.name, state.st_size, state.st_mtime_ns))
    return found


def _known(home: Path) -> dict[str, _Hash]:
    try:
        return _HASHES.validate_json((home / KNOWN).read_bytes())
    except (OSError, ValidationError):
        return {}


def _remember(home: Path, path: str, found: _Hash) -> None:

    home.mkdir(parents=True, exist_ok=True)
    with file_lock(home / f"{KNOWN}.lock"):
        known = _known(home)
        known.pop(path, None)
        known[path] = found
        kept = dict(list(known.items())[-MOST:])
        with atomic_write(home / KNOWN) as beside:
            beside.write_bytes(_HASHES.dump_json(kept))
