"""model.safetensors: the published weights with everything needed to use them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from i2icli import __version__, registry
from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.metadata import FORMAT, Metadata, read_metadata, stage_named
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
        config=system.config.model_dump(mode="json"),
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
    a maliciously large width costs memory.
    """
    with torch.device("meta"):
        system = registry.system_type(name)(config)
    for module in system.inference_modules:
        prefix = f"{module}."
        own = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        try:
            system.get_submodule(module).load_state_dict(own, assign=True)
        except RuntimeError as error:
            detail = str(error).splitlines()[-1].strip()
            raise UserError(
                f"{path}: the weights do not match the settings in the file ({detail}); the file is damaged"
            ) from None
    return system.eval().requires_grad_(False)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except Exception as error:
        raise UserError(
            f"{path}: cannot read the weights ({error}); the file is damaged, copy it again"
        ) from None
