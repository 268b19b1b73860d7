"""What is written into an exported graph about itself."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import torch

from i2icli import __version__, registry
from i2icli.config import Config
from i2icli.export.axes import Shape, text_of
from i2icli.export.parts import Part
from i2icli.graphs.metadata import FORMAT, GraphMetadata, GraphTask, Pixels, TensorType
from i2icli.metadata import cleaned
from i2icli.system import System
from i2icli.task import Task

FP32, HALF, INT8 = "fp32", "fp16 weights", "int8"
"""What the metadata say of the weights."""


def name_of(system: System[Any]) -> str:
    """What the registry calls a system."""
    own = type(system).__name__
    return next(name for name, entry in registry.SYSTEMS.items() if entry.system.endswith(f":{own}"))


def describe(
    part: Part, system: System[Any], *, precision: str, pixels: Pixels, notes: Sequence[str], fingerprint: str
) -> GraphMetadata:
    """The metadata of a part that nothing is proven of yet."""

    def types(shapes: Mapping[str, Shape]) -> dict[str, TensorType]:
        return {
            name: TensorType.model_validate({
                "dtype": str(part.dtypes[name]).removeprefix("torch."),
                "shape": text_of(shape),
            })
            for name, shape in shapes.items()
        }  # fmt: skip

    return GraphMetadata(
        format=FORMAT,
        version=__version__,
        system=name_of(system),
        stage=system.clock.stage.name,
        stage_step=system.clock.step,
        step=system.clock.total,
        config=settings_of(system.config),
        facts=system.facts,
        tasks=tuple(_task(task) for task in part.examples.tasks),
        part=part.name,
        precision=precision,
        pixels=pixels,
        inputs=types(part.inputs),
        outputs=types(part.outputs),
        fingerprint=fingerprint,
        notes=tuple(notes),
    )


def _task(task: Task) -> GraphTask:
    return GraphTask(name=task.name, source=task.source if task.sources else None)


def settings_of(config: Config) -> dict[str, Any]:
    """The settings as JSON values; for paths of this machine, which only training reads, the defaults."""
    found: dict[str, Any] = cleaned(config).model_dump(mode="json")
    for name, field in type(config).model_fields.items():
        if isinstance(found[name], str) and _is_path(found[name]):
            found[name] = field.get_default(call_default_factory=True, validated_data={})
    return found


def _is_path(text: str) -> bool:
    return PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()


def fingerprint_of(system: System[Any]) -> str:
    """SHA-256 of the names and values of all weights that translate."""
    digest = hashlib.sha256()
    for module in system.inference_modules:
        for name, value in sorted(system.get_submodule(module).state_dict().items()):
            digest.update(f"{module}.{name} {value.dtype} {tuple(value.shape)}\n".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
