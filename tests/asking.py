"""Asking a system for an output, and for what it says of a validation batch, as the engine does."""

from typing import Any

import torch
from torch import Tensor

from i2icli.inference.latents import draw_codes, draw_noise
from i2icli.request import Array, Arrays, Request
from i2icli.system import Batch, Inputs, Pairs, System
from i2icli.task import Task


def tasks(system: System[Any], *, generating: bool = False) -> list[Task]:
    """What it can be asked for with an image, or without one; the default first."""
    found = system.config.tasks(system.clock.stage)
    return [task for task in found if task.generates is generating]


def resolve(system: System[Any], to: str | None = None, source: str | None = None, **kind: bool) -> Task:
    """The task that `--to` and `--from` mean. Raises UserError."""
    return system.config.resolve(tasks(system, **kind), to, source)


def ask(
    system: System[Any],
    image: Tensor | Inputs | None = None,
    to: str | None = None,
    source: str | None = None,
    *,
    latent: Tensor | None = None,
    reference: Tensor | None = None,
    truncate: float | None = None,
    seed: int = 0,
) -> Tensor:
    """The output (B, C, H, W) for an image or inputs by name, or for codes alone.

    Codes that are not given are drawn.
    """
    task = resolve(system, to, source, generating=image is None)
    inputs = image if isinstance(image, dict) else {} if image is None else {next(iter(task.inputs)): image}
    first = next(iter(inputs.values()), None)
    drawn = latent is None and task.latent_size and reference is None
    codes = draw_codes(1, task.latent_size, seed) if drawn else None if latent is None else _array(latent)
    noise = {} if first is None else draw_noise(task, first.shape[-2:], seed)
    given = arrays(inputs) if task.condition_per_input else {}
    style = None if reference is None else _array(reference)
    request = Request(given, style, codes, truncate, facts=system.facts)
    everything = inputs | tensors(noise) | encoded(system, task, request, latent)
    if first is not None:
        everything = {
            name: each.expand(len(first), *each.shape[1:]) if len(each) == 1 else each
            for name, each in everything.items()
        }
    output, memory = system(task, everything)
    assert isinstance(output, Tensor)
    assert memory.keys() == task.memory.keys()
    return output


def encoded(system: System[Any], task: Task, request: Request, latent: Tensor | None = None) -> Inputs:
    """What `System.forward` reads beside inputs and noise. latent: the code, where it needs its gradient."""
    conditions = tensors(system.config.conditions(task, request))
    if latent is not None and "latent" in conditions:
        conditions["latent"] = latent[:, : conditions["latent"].shape[1]]
    found: Inputs = system.encode(task, conditions, tensors(request.inputs))
    return found


def tensors(arrays: Arrays) -> Inputs:
    """Arrays as tensors."""
    return {name: torch.from_numpy(each) for name, each in arrays.items()}


def arrays(tensors: Inputs) -> Arrays:
    """Tensors as arrays."""
    return {name: _array(each) for name, each in tensors.items()}


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().numpy()
    return array


def compare(system: System[Any], batch: Batch) -> Pairs:
    """Outputs beside the ground truth."""
    return system.evaluate(batch).compared


def measure(system: System[Any], batch: Batch) -> dict[str, Tensor]:
    """The system's own numbers."""
    return system.evaluate(batch).measured


def samples(system: System[Any], batch: Batch) -> Pairs:
    """What it generates beside real images."""
    return system.evaluate(batch).generated
