"""Translating on a device: against the CPU's results, and against the time of eager fp32."""

from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.gpu.cases import Case
from benchmarks.gpu.outcomes import Check, Figures
from benchmarks.gpu.stepping import CPU, synchronise
from benchmarks.lib.timing import speed_up, time_in_turns
from i2icli.image import kinds
from i2icli.image.items import ArrayItem
from i2icli.inference.inference import Inference
from i2icli.inference.latents import draw_codes
from i2icli.inference.outputs import OutputSpec, with_codes
from i2icli.runtime.precision import choose_placement
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.scores import psnr
from i2icli.training.run import build_system

IMAGES = 4  # per forward pass
LEAST = {"fp32": 60.0, "bf16": 25.0, "fp16": 40.0}
"""PSNR in dB to the CPU's fp32 output, of random weights."""


class Translating:
    """Checks of the default task of all systems on one device."""

    def __init__(self, device: torch.device, *, rounds: int, passes: int) -> None:
        """rounds: how often the alternatives are timed in turns, so many forward passes each time."""
        self.device, self.rounds, self.passes = device, rounds, passes
        self.reference = cache(self._reference)

    def precision(self, case: Case, precision: str) -> Check:
        """The output in a precision, and its speed."""
        return Check(f"translate, {case.name}, {precision}", partial(self._precision, case, precision))

    def _reference(self, case: Case) -> Tensor:
        return self._output(self._inference(case, CPU, "fp32"), case)

    def _precision(self, case: Case, precision: str) -> Figures:
        inference, expected = self._inference(case, self.device, precision), self.reference(case)
        found = self._output(inference, case)
        decibels = float(psnr(found, expected).min()) if bool(found.isfinite().all()) else float("-inf")
        difference = f"{float((found - expected).abs().max()):.1e} to CPU fp32, {min(decibels, 199.0):.0f} dB"
        figures = Figures(
            decibels >= LEAST[precision], difference=f"{difference}, limit {LEAST[precision]:g} dB"
        )
        eager = self._inference(case, self.device, "fp32")
        times = time_in_turns(
            {"fp32": partial(self._several, eager, case), precision: partial(self._several, inference, case)},
            self.rounds,
        )
        if precision == "fp32":
            per_pass = 1000 * min(times["fp32"]) / self.passes
            return replace(figures, remark=f"{per_pass:.1f} ms for {IMAGES} images")
        return replace(figures, ratio=speed_up(times["fp32"], times[precision]).strip())

    def _inference(self, case: Case, device: torch.device, precision: str) -> Inference:
        """A model of the initial weights, at the end of all stages."""
        system = build_system(case.name, case.config).eval().requires_grad_(False)
        system.clock.stage = case.config.stages()[-1]
        system.clock.step = system.clock.stage.steps
        networks = [system.get_submodule(name) for name in system.inference_modules]
        return Inference(TorchBackend(system, choose_placement(device, precision, networks)), Path("model"))

    def _several(self, inference: Inference, case: Case) -> None:
        for _ in range(self.passes):
            self._output(inference, case)
        synchronise(self.device)

    @staticmethod
    def _output(inference: Inference, case: Case) -> Tensor:
        """What the default task makes of images of noise, or of codes."""
        task = inference.tasks[0]
        codes = draw_codes(IMAGES, max(1, task.latent_size), seed=0)  # (B, Z)
        source = task.sources[-1] if "source" in task.requires else None
        specs = with_codes(OutputSpec(replace(task, source=source)), codes if task.latent_size else [None])
        if task.generates:
            return torch.from_numpy(inference.compute({}, *specs))
        spec = specs[0]
        generator = torch.Generator().manual_seed(0)
        side = case.config.crop_size
        inputs = {
            name: torch.randint(port.channels, (IMAGES, 1, *side), generator=generator).numpy()
            if kinds.holds_ids(port.kind)
            else torch.rand(IMAGES, port.channels, *side, generator=generator).numpy() * 2 - 1
            for name, port in task.inputs.items()
        }
        if task.reference is not None and "reference" in task.requires:
            style = torch.rand(1, task.reference.channels, *side, generator=generator) * 2 - 1
            spec = replace(spec, reference=style_item(style))
        return torch.from_numpy(inference.compute(inputs, spec))


def style_item(image: Tensor) -> ArrayItem:
    """An image (1, C, H, W) as something to read."""
    return ArrayItem(image[0].permute(1, 2, 0).numpy(), "style")
