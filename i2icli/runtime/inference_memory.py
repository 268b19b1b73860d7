"""How much memory translating an image takes, known from the networks alone: nothing is computed."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from i2icli.config import Config
from i2icli.request import Arrays
from i2icli.stage import Stage
from i2icli.system import System
from i2icli.task import Task


def meta_system(kind: type[System[Any]], config: Config, stage: Stage) -> System[Any]:
    """A system whose tensors take no memory."""
    with torch.device("meta"):
        system = kind(config)
    system.clock.stage, system.clock.step = stage, stage.steps
    return system.eval().requires_grad_(False)


def inference_bytes(system: System[Any], task: Task, inputs: Arrays) -> int:
    """The peak of the tensors that `forward` holds at a time, with its inputs; system: see `meta_system`.

    inputs: of which only shapes and types are read.
    """
    types = {name: torch.from_numpy(np.zeros(1, each.dtype)).dtype for name, each in inputs.items()}
    tensors = {
        name: torch.empty(each.shape, dtype=types[name], device="meta") for name, each in inputs.items()
    }
    with torch.no_grad(), _Held() as held:
        system(task, tensors, None)
    most: int = held.most
    return most + sum(each.nbytes for each in inputs.values())


class _Held(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that are made inside and still held."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most = 0
        self._held: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for each in out if isinstance(out, tuple | list) else (out,):
            if isinstance(each, Tensor):
                storage = each.untyped_storage()
                self._held[storage._cdata] = StorageWeakRef(storage), storage.nbytes()  # type: ignore[no-untyped-call]
        self._held = {key: known for key, known in self._held.items() if not known[0].expired()}  # type: ignore[no-untyped-call]
        self.most = max(self.most, sum(size for _, size in self._held.values()))
        return out
