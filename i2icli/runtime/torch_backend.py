"""A system's own networks as what computes, on the device and in the precision of their placement."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from i2icli.config import Config
from i2icli.request import Array, Arrays
from i2icli.runtime.device import Placement
from i2icli.runtime.inference_memory import inference_bytes, meta_system
from i2icli.runtime.memory import is_out_of_memory
from i2icli.stage import Stage
from i2icli.system import Inputs, System
from i2icli.task import Task

ROWS = 8  # images of a forward pass on a GPU


class TorchBackend:
    """See `i2icli.backend.Backend`."""

    def __init__(self, system: System[Any], placement: Placement, notes: tuple[str, ...] = ()) -> None:
        """Place the networks that translate; those of training stay where they are."""
        self.system, self.placement, self.notes = system, placement, notes
        self.name = type(system).__name__
        self.config: Config = system.config
        self.stage: Stage = system.clock.stage
        self.tasks: tuple[Task, ...] = system.config.tasks(system.clock.stage)
        self.facts = system.facts
        self.device = str(placement.device)
        self.rows = ROWS if placement.device.type == "cuda" else 1
        for name in system.inference_modules:
            placement.prepare_for_inference(system.get_submodule(name))

    def expect(self, task: Task, outputs: int) -> None:
        """See `Backend.expect`: there is nothing to prepare."""

    def encode(self, task: Task, conditions: Arrays, inputs: Arrays) -> Arrays:
        """See `Backend.encode`."""
        with torch.inference_mode(), self.placement.autocast():
            return _arrays(self.system.encode(task, self.tensors(conditions), self.tensors(inputs)))

    def forward(self, task: Task, inputs: Arrays, memory: Arrays | None) -> tuple[Array, Arrays]:
        """See `Backend.forward`."""
        given = None if memory is None else self.tensors(memory)
        with torch.inference_mode(), self.placement.autocast():
            output, kept = self.system(task, self.tensors(inputs), given)
        return _array(output), _arrays(kept)

    def memory(self, task: Task, inputs: Arrays) -> int | None:
        """See `Backend.memory`; in low precision it takes less."""
        try:
            meta = meta_system(type(self.system), self.config, self.stage)
            return inference_bytes(meta, task, inputs)
        except Exception:  # of what has no sizes without values: an estimate shall not keep it from computing
            return None

    def begin(self, task: Task, inputs: Arrays, output: Array) -> Arrays:
        """See `Backend.begin`."""
        with torch.inference_mode(), self.placement.autocast():
            given = self.placement.tensor(torch.from_numpy(output))
            return _arrays(self.system.begin(task, self.tensors(inputs), given))

    def is_out_of_memory(self, error: Exception) -> bool:
        """See `Backend.is_out_of_memory`."""
        return is_out_of_memory(error)

    def tensors(self, arrays: Arrays) -> Inputs:
        """On the device of the networks."""
        return {
            name: self.placement.tensor(torch.from_numpy(np.asarray(each))) for name, each in arrays.items()
        }


def _arrays(tensors: Inputs) -> Arrays:
    return {name: _array(each) for name, each in tensors.items()}


def _array(tensor: Tensor) -> Array:
    """Numbers as float32, whatever the precision; ids as they are."""
    value = tensor.float() if tensor.is_floating_point() else tensor
    array: Array = value.cpu().numpy()
    return array
