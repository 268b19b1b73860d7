"""model.safetensors: the published weights with everything needed to use them."""

import json
from collections.abc import Mapping
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from i2icli import __version__, registry
from i2icli.config import Config
from i2icli.errors import UserError, readable
from i2icli.files import atomic_write
from i2icli.metadata import FORMAT, Metadata, cleaned, read_metadata, stage_named
from i2icli.system import System


def write_model(path: Path, system: System[Any], name: str, networks: Mapping[str, nn.Module]) -> None:
    """Write the inference modules of a system, with its settings as metadata."""
    tensors = {
        f"{module}.{key}": value.detach().cpu().contiguous()
        for module, network in networks.items()
        for key, value in network.state_dict().items()
    }
    metadata = Metadata(
        format=FORMAT,
        version=__version__,
        system=name,
        stage=system.clock.stage.name,
        stage_step=system.clock.step,
        step=system.clock.total,
        config=cleaned(system.config).model_dump(mode="json"),
    )
    with atomic_write(path) as beside:
        # save_file would create a file that only its owner can read; models are meant to be shared.
        beside.write_bytes(save(tensors, metadata={"i2icli": json.dumps(metadata.model_dump())}))


def load_model(path: Path) -> System[Any]:
    """The system in a model.safetensors, in eval mode on the CPU; only its inference modules have weights.

    Raises UserError for a damaged file, an unknown system or unknown settings.
    """
    metadata = read_metadata(path)
    config = metadata.settings(path)
    system = with_weights(metadata.system, config, _tensors(path), path)
    system.clock.stage, system.clock.step = stage_named(config, metadata.stage, path), metadata.stage_step
    system.clock.total = metadata.step
    return system


def with_weights(name: str, config: Config, tensors: Mapping[str, Tensor], path: Path) -> System[Any]:
    """A system for inference with given tensors, keyed "<module>.<key>".

    The networks are built on the meta device and adopt the tensors, so neither random initialisation nor
    a maliciously large width costs memory. Tensors of another type of numbers, such as half precision, are
    converted. Raises UserError for those of other shapes, and for weights that are not finite.
    """
    with torch.device("meta"):
        system = registry.system_type(name)(config)
    for module in system.inference_modules:
        network, prefix = system.get_submodule(module), f"{module}."
        wanted = network.state_dict()
        own = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        _check_names(own, wanted, path)
        network.load_state_dict(
            {key: _sound(value, wanted[key].dtype, f"{prefix}{key}", path) for key, value in own.items()},
            assign=True,
        )
    return system.eval().requires_grad_(False)


def _check_names(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> None:
    """Raise UserError for the first tensor that is missing, of another shape, or not known."""
    differ = (
        f"{name} is missing" if name not in found else f"{name} is of another shape"
        for name, like in wanted.items()
        if name not in found or found[name].shape != like.shape
    )
    unknown = (f"{readable(name[:60])} is not expected" for name in found if name not in wanted)
    detail = next(chain(differ, unknown), None)
    if detail is not None:
        raise UserError(
            f"{path}: the weights do not match the settings in the file ({detail}); the file is damaged"
        )


def check_finite(tensor: Tensor, name: str, path: Path) -> None:
    """Raise UserError if not all of a tensor is finite, real numbers."""
    if tensor.is_complex():
        raise UserError(f"{path}: its tensor {name} holds complex numbers; no network here has any")
    if (
        tensor.is_floating_point()
        and tensor.numel()
        and not all(map(isfinite, torch.aminmax(tensor.float())))
    ):
        raise UserError(
            f"{path}: {name} holds values that are no finite numbers; the training went wrong, or the file "
            "is damaged: use an earlier checkpoint"
        )


def _sound(tensor: Tensor, dtype: torch.dtype, name: str, path: Path) -> Tensor:
    """A tensor in the type that its network computes in. Raises UserError if not all of it is finite."""
    check_finite(tensor, name, path)
    tensor = tensor.to(dtype)
    check_finite(tensor, name, path)  # double precision reaches further
    return tensor


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except Exception as error:
        reason = readable(str(error)[:120])
        raise UserError(
            f"{path}: cannot read the weights ({reason}); the file is damaged, copy it again"
        ) from None
