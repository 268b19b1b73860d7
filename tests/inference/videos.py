"""Models for tests of videos: a small translator, and one that remembers the frame before."""

from dataclasses import replace
from pathlib import Path

import torch

from i2icli.inference.translator import Translator
from i2icli.registry import system_type
from i2icli.runtime.checkpoint import write_model
from i2icli.task import Port
from tests.tiny import tiny_config


def write_tiny(path: Path, name: str = "cyclegan", seed: int = 0, **changes) -> Path:
    """A model file of a tiny system with random weights."""
    torch.manual_seed(seed)
    system = system_type(name)(tiny_config(name, **changes))
    networks = {module: system.get_submodule(module) for module in system.inference_modules}
    write_model(path, system, name, networks)
    return path


def remembering(model: Path) -> Translator:
    """A model whose output is the mean of the input and a half of the output before, brighter each frame."""
    translator = Translator.load(model, runtime="torch")
    translator.tasks = tuple(replace(task, memory={"before": Port()}) for task in translator.tasks[:1])
    system = translator.backend.system

    def forward(_task, inputs, memory=None):
        image = inputs["image"]
        output = image if memory is None else 0.5 * image + 0.5 * memory["before"] + 0.01
        return output, {"before": output}

    def begin(_task, _inputs, output):
        return {"before": output}

    system.forward, system.begin = forward, begin
    return translator


def greying(model: Path) -> Translator:
    """A model whose output has one channel: the red of the input."""
    translator = Translator.load(model, runtime="torch")
    task = translator.tasks[0]
    translator.tasks = (replace(task, output=replace(task.output, channels=1)),)
    translator.backend.system.forward = lambda _task, inputs, _memory=None: (inputs["image"][:, :1], {})
    return translator


def failing(translator: Translator, after: int, error: BaseException) -> Translator:
    """The model, which raises an error in place of the output of frame number `after`."""
    forward, frames = translator.backend.system.forward, []

    def limited(task, inputs, memory=None):
        if len(frames) == after:
            raise error
        frames.append(1)
        return forward(task, inputs, memory)

    translator.backend.system.forward = limited
    return translator
