"""Any model that can be loaded as our model.safetensors, which describes itself."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from i2icli.errors import UserError
from i2icli.export.content import Scenes
from i2icli.export.describing import name_of
from i2icli.export.parts import parts_of
from i2icli.export.proof import trials_of
from i2icli.files import atomic_write
from i2icli.runtime.checkpoint import load_model, write_model
from i2icli.system import System


def convert(system: System[Any], path: Path) -> str:
    """Write a system's weights, read them again and compare; -> what was found, in a line.

    Raises UserError if what was read is not what was written; then nothing is written.
    """
    networks = {each: system.get_submodule(each) for each in system.inference_modules}
    with atomic_write(path) as beside:
        write_model(beside, system, name_of(system), networks)
        again = load_model(beside)
        _check_weights(system, again)
        return _check_outputs(system, again)


def _check_weights(system: System[Any], again: System[Any]) -> None:
    for module in system.inference_modules:
        other = again.get_submodule(module).state_dict()
        for name, value in system.get_submodule(module).state_dict().items():
            if not torch.equal(value, other[name]):
                raise UserError(
                    f"{module}.{name} came back changed; this is a fault of i2icli, please report it",
                    exit_code=1,
                )


def _check_outputs(system: System[Any], again: System[Any]) -> str:
    """The same images from both, for the first task; what that says, in a line."""
    tasks = system.config.tasks(system.clock.stage)
    task = tasks[0]
    if task.untraceable or "source" in task.requires:
        return "proven: all weights are equal"
    part = parts_of(system.eval(), [task])[-1]
    trial = next(iter(trials_of(part, Scenes())))
    with torch.no_grad():
        given = part.draw(system, trial.sizes, trial.content, trial.seed)
        first, second = (part.compute(each, given) for each in (system, again.eval()))
    for name, value in first.items():
        if not np.array_equal(value.numpy(), second[name].numpy(), equal_nan=True):
            raise UserError(
                f"{name} of the file differs; this is a fault of i2icli, please report it", exit_code=1
            )
    return "proven: all weights and the outputs are equal"
