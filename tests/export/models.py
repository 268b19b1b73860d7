"""Tiny systems whose outputs vary, as those of trained ones do; equal outputs all alike prove nothing."""

from pathlib import Path
from typing import Any

import torch

from i2icli.export.describing import describe
from i2icli.export.onnx_file import to_onnx, write_onnx
from i2icli.export.parts import Part, parts_of
from i2icli.export.proof import Run
from i2icli.export.selecting import groups
from i2icli.export.trace import trace
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.sessions import open_session
from i2icli.nn.spectral_norm import fold_spectral_norms
from i2icli.system import System
from i2icli.training.run import build_system
from tests.tiny import tiny_config

SMALLER: dict[str, dict[str, Any]] = {
    "pix2pix": {"depth": 2},
    "pix2pixhd": {"grown": 0, "depth": 1, "encoder_depth": 1},
    "spade": {"num_levels": 1, "instances": False},
    "vid2vid": {"grown": 0, "depth": 1, "num_blocks": 1},
    "combogan": {"num_blocks": 1, "domains": ("summer", "winter")},
}
"""By the system's name: fewer layers of the same kinds, as tracing takes its time for each."""


def lively(name: str, **changes: Any) -> System[Any]:
    """A system in its last stage, with weights that keep the size of what goes through them."""
    system = build_system(name, tiny_config(name, **changes))
    system.clock.stage = system.config.stages()[-1]
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in system.parameters():
            drawn = torch.randn(weight.shape, generator=generator)
            weight.copy_(drawn / weight[0].numel() ** 0.5 if weight.ndim > 1 else 0.5 + drawn.abs() / 4)
    return system.eval().requires_grad_(False)


def graph(name: str, folder: Path) -> tuple[System[Any], Part, Run]:
    """A small system, the main part of its first graph, and what runs that as an .onnx in onnxruntime."""
    system = lively(name, **SMALLER.get(name, {}))
    for module in system.inference_modules:
        fold_spectral_norms(system.get_submodule(module))
    tasks = groups(system.config, system.config.tasks(system.clock.stage), target="all")[0]
    traced = trace(parts_of(system, tasks)[-1], system)
    metadata = describe(traced.part, system, precision="fp32", pixels="float", notes=(), fingerprint="0" * 64)
    path = folder / "graph.onnx"
    write_onnx(path, to_onnx(traced), metadata)
    return system, traced.part, open_session(open_graph(path), "onnxruntime").run
