"""Read a checkpoint of unknown origin as named tensors. Nothing in the file is ever executed."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from i2icli.checkpoint_files import SUFFIXES
from i2icli.errors import UserError, readable
from i2icli.metadata import check_header
from i2icli.originals.forms import WRAPPERS, networks, without_prefixes
from i2icli.originals.network_pickles import is_network_pickle, read_network_pickle
from i2icli.originals.pickle_machine import RefusedError, Thing
from i2icli.originals.torch_pickles import Stored, read_saved

MOST_TENSORS = 100_000
LONGEST_NAME = 300  # characters
LARGEST_EMPTY = 2**16  # side of a tensor without values: nothing but the file's word stands for it


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors in a file of torch.save, zipped or in the legacy format, or of safetensors; on the CPU.

    A wrapper like {"state_dict": ...} and prefixes like "module." of DataParallel are taken off. Several
    state dicts in one file, {"netG": ..., "netD": ..., "optim": ...}, become "netG.<name>", "netD.<name>";
    the numbers among known settings beside them, {"config": ...}, become "config.<name>". Raises UserError
    for anything else: other files, other objects, damage.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected a checkpoint ({', '.join(SUFFIXES)})")
    if not path.name.lower().endswith(SUFFIXES):
        raise UserError(
            f"{path}: not a model's name; expected a run folder, a file ending in .safetensors, or an "
            f"original checkpoint ending in {', '.join(SUFFIXES)}"
        )
    if path.suffix.lower() == ".safetensors":
        state = without_prefixes(_read_safetensors(path))
    elif is_network_pickle(path):
        state = read_network_pickle(path)
    else:
        state = _read_torch(path)
    _check(state, path)
    return state


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    check_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except Exception as error:  # hostile files find every way to fail
        raise UserError(f"{path}: not a readable .safetensors file ({_first_line(error)})") from None


def _read_torch(path: Path) -> dict[str, Tensor]:
    """The networks in a file of torch.save; those of no interest, such as optimisers, are not read."""
    try:
        found = read_saved(path)
        parts = networks(found)
        if not any(isinstance(value, Stored) for part in parts.values() for value in part.values()):
            raise UserError(
                f"{path}: holds no state dict but {_kind(found)}; expected names and tensors of one network"
            )
        flat = next(iter(parts.values())) if len(parts) == 1 and parts.keys() <= {"", *WRAPPERS} else {
            f"{name}.{key}": value for name, part in parts.items() for key, value in part.items()
        }  # fmt: skip
        _check_stored(flat, path)
        return {
            name: value.read() if isinstance(value, Stored) else torch.tensor(value)
            for name, value in flat.items()
        }
    except UserError:
        raise
    except Exception as error:  # hostile files find every way to fail
        raise UserError(
            f"{path}: not a file of weights that can be read safely ({_first_line(error)}); "
            "expected the state dict of a network as torch.save(network.state_dict()) writes it"
        ) from None


def _check_stored(state: Mapping[str, Any], path: Path) -> None:
    """A tensor may be a view that repeats a few bytes many times: small in the file, huge when copied."""
    size = sum(value.size for value in state.values() if isinstance(value, Stored))
    _refuse_inflated(size, path)


def _check(state: Mapping[str, Tensor], path: Path) -> None:
    """Raise UserError for more than any checkpoint has, before anything is computed from it."""
    if len(state) > MOST_TENSORS:
        raise UserError(f"{path}: holds {len(state):,} tensors, more than any checkpoint here; not loaded")
    for name, tensor in state.items():
        if len(name) > LONGEST_NAME:
            raise UserError(f"{path}: a tensor's name has {len(name):,} characters; not loaded")
        if tensor.numel() == 0 and max(tensor.shape) > LARGEST_EMPTY:
            shape = shape_text(tensor.shape)
            raise UserError(f"{path}: its tensor {short(name)} of shape {shape} has no values; not loaded")
    _refuse_inflated(sum(tensor.numel() * tensor.element_size() for tensor in state.values()), path)


def _refuse_inflated(size: int, path: Path) -> None:
    if size > 4 * path.stat().st_size:  # tied weights appear twice
        raise UserError(
            f"{path}: its tensors would unfold to {size:,} bytes, far more than the file; not loaded"
        )


def _kind(found: Any) -> str:
    """What a file holds, in a few words."""
    if isinstance(found, Mapping):
        return f"keys {', '.join(short(str(key)) for key in list(found)[:4])}"
    if isinstance(found, Thing):
        return f"an object {short(found.kind.name)}"
    return "one tensor" if isinstance(found, Stored) else type(found).__name__


def short(name: str, most: int = 60) -> str:
    """A name from a file, as it may stand in a message."""
    return readable(name if len(name) <= most else f"{name[: most - 3]}...")


def shape_text(shape: tuple[int, ...]) -> str:
    """(8, 3, 7, 7) -> "8x3x7x7"."""
    return "x".join(map(str, shape)) or "one number"


def _first_line(error: Exception) -> str:
    if isinstance(error, RefusedError):
        return str(error)
    if isinstance(error, zipfile.BadZipFile | OSError) and str(error):
        return short(str(error).splitlines()[0], 120)
    return "it is damaged"
