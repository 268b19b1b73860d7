"""Read a checkpoint of unknown origin as named tensors. Nothing in the file is ever executed."""

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals.network_pickles import is_network_pickle, read_network_pickle

SUFFIXES = (".pth", ".pt", ".pkl", ".ckpt")
WRAPPERS = ("state_dict", "model", "model_state_dict", "generator", "params", "net")
"""Keys under which training programs put the weights beside other things."""


class Settings:
    """Stands for objects that hold only settings; their numbers are kept, all else is dropped."""

    numbers: Mapping[str, float] = MappingProxyType({})

    def __setstate__(self, state: object) -> None:
        """Keep the numbers."""
        named = state.items() if isinstance(state, dict) else ()
        self.numbers = {str(name): float(value) for name, value in named if type(value) in (int, float)}


SETTINGS: list[Any] = [(Settings, "models.utils.config.BaseConfig")]  # of pytorch_GAN_zoo
"""Objects that lie beside the weights in known files: a stand-in and the name that files have for it."""


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors in a state dict saved by torch.save, zipped or in the legacy format, on the CPU.

    A wrapper like {"state_dict": ...} and the prefix "module." of DataParallel are taken off. Several
    state dicts in one file, {"netG": ..., "netD": ..., "optim": ...}, become "netG.<name>", "netD.<name>";
    the numbers among known settings beside them, {"config": ...}, become "config.<name>". `wrapped_alone`
    gives the one of several that a wrapper held. Raises UserError for anything else: other files, other
    objects, damage.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected a checkpoint ({', '.join(SUFFIXES)})")
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(
            f"{path}: not a model's name; expected a run folder, a file ending in .safetensors, or an "
            f"original checkpoint ending in {', '.join(SUFFIXES)}"
        )
    if is_network_pickle(path):
        state = read_network_pickle(path)
        _refuse_inflated(state, path)
        return state
    _refuse_compression(path)
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # a file that fails says so in one line below
            torch.serialization.safe_globals(SETTINGS),
        ):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # hostile files find every way to fail
        raise UserError(
            f"{path}: not a file of weights that can be read safely ({_first_line(error)}); "
            "expected the state dict of a network as torch.save(network.state_dict()) writes it"
        ) from None
    state = _unwrapped(found, path)
    _refuse_inflated(state, path)
    return state


def _refuse_compression(path: Path) -> None:
    """torch.save never compresses; a compressed record could unfold to any size."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            compressed = [i.filename for i in archive.infolist() if i.compress_type != zipfile.ZIP_STORED]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UserError(f"{path}: damaged ({_first_line(error)}); download or copy it again") from None
    if compressed:
        raise UserError(f"{path}: holds compressed records, which torch.save never writes; it is not loaded")


def _refuse_inflated(state: Mapping[str, Tensor], path: Path) -> None:
    """A tensor may be a view that repeats a few bytes many times: small in the file, huge when copied."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    if size > 4 * path.stat().st_size:  # tied weights appear twice
        raise UserError(
            f"{path}: its tensors would unfold to {size:,} bytes, far more than the file; not loaded"
        )


def _unwrapped(found: Any, path: Path) -> dict[str, Tensor]:
    """The names and tensors in what torch.load gave."""
    if _is_state(found):
        return _without_parallel_prefix(found)
    if isinstance(found, Mapping):
        networks = {
            str(name): _without_parallel_prefix(part) for name, part in found.items() if _is_state(part)
        }
        if len(networks) == 1 and networks.keys() <= set(WRAPPERS):
            return next(iter(networks.values()))
        if networks:
            for name, part in found.items():
                if isinstance(part, Settings):
                    networks[str(name)] = {key: torch.tensor(value) for key, value in part.numbers.items()}
            return {f"{name}.{key}": value for name, part in networks.items() for key, value in part.items()}
    kind = (
        f"keys {', '.join(map(str, list(found)[:4]))}" if isinstance(found, Mapping) else type(found).__name__
    )
    raise UserError(f"{path}: holds no state dict but {kind}; expected names and tensors of one network")


def wrapped_alone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of several state dicts in one file the one that a wrapper held; empty if there is none.

    What lies beside it, such as an average or a discriminator, may be nothing that a system asks for.
    """
    for name in WRAPPERS:
        start = f"{name}."
        part = {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}
        if part:
            return part
    return {}


def _is_state(found: Any) -> bool:
    if not isinstance(found, Mapping) or not found:
        return False
    return all(isinstance(name, str) and _is_plain(value) for name, value in found.items())


def _is_plain(value: Any) -> bool:
    """An ordinary tensor with its values in memory: neither sparse, quantised nor without storage."""
    if not isinstance(value, Tensor):
        return False
    return value.layout is torch.strided and value.device.type == "cpu" and not value.is_quantized


def _without_parallel_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    parallel = all(name.startswith("module.") for name in state)
    return {name.removeprefix("module.") if parallel else name: value for name, value in state.items()}


def _first_line(error: Exception) -> str:
    if "Weights only load failed" in str(error):
        return "it holds more than tensors, which could run code"
    lines = str(error).strip().splitlines()
    return lines[0][:120].rstrip(" .:") if lines else type(error).__name__
