"""Training steps on a device: against the CPU's losses, and against the time of eager fp32."""

from dataclasses import replace
from functools import cache, partial

import torch

from benchmarks.gpu.cases import Case
from benchmarks.gpu.outcomes import Check, Figures, SkippedError
from benchmarks.lib.draws import DrawnOnCPU
from benchmarks.lib.steps import new_trainer
from benchmarks.lib.timing import speed_up, time_in_turns
from i2icli.runtime.device import Placement
from i2icli.runtime.precision import DTYPES, choose_placement
from i2icli.system import Batch
from i2icli.training.compiling import compile_networks
from i2icli.training.trainer import Trainer

Losses = dict[str, float]
CPU = torch.device("cpu")
STEPS = 3  # whose losses are compared
LIMITS = {"fp32": 0.01, "bf16": 0.15, "fp16": 0.05}
"""Of the difference of a loss, relative to it where it is above 1. Low precision rounds to 8 and 11 bits,
and in bf16 three steps add to that; in fp32 a weight whose gradient is nothing but rounding still moves by a
full step of Adam."""


class Stepping:
    """Checks of training steps of all systems on one device."""

    def __init__(self, device: torch.device, *, rounds: int, steps: int) -> None:
        """rounds: how often the alternatives are timed in turns, so many steps each time."""
        self.device, self.rounds, self.steps = device, rounds, steps
        self.reference = cache(self._reference)

    def precision(self, case: Case, precision: str) -> Check:
        """Losses in a precision, and its speed."""
        return Check(f"training step, {case.name}, {precision}", partial(self._precision, case, precision))

    def layout(self, case: Case) -> Check:
        """Channels-last against contiguous."""
        return Check(f"channels-last / contiguous, {case.name}, bf16", partial(self._layout, case))

    def compiled(self, case: Case) -> Check:
        """With compiled networks."""
        return Check(f"compiled training step, {case.name}, fp32", partial(self._compiled, case))

    # -- how -----------------------------------------------------------------------------

    def trainer(self, case: Case, placement: Placement) -> Trainer:
        """A trainer in the last stage, always with the same initial weights."""
        return new_trainer(case.name, case.config, placement, last_stage=True)

    def _reference(self, case: Case) -> list[Losses]:
        """The losses of the CPU in fp32."""
        return losses_of(self.trainer(case, choose_placement(CPU, "fp32", ())), case.batches(STEPS))

    def _precision(self, case: Case, precision: str) -> Figures:
        placement = choose_placement(self.device, precision, ())
        trainer = self.trainer(case, placement)
        found = losses_of(trainer, case.batches(STEPS, pin=self.device.type == "cuda"))
        # In fp16 the scaler skips steps until its scale fits: later losses are those of other weights.
        compared = 1 if precision == "fp16" else STEPS
        figures = judged(found[:compared], self.reference(case)[:compared], LIMITS[precision])
        if precision == "fp32":
            (times,) = self._times(case, {"fp32": trainer}).values()
            return replace(figures, remark=f"{1000 * min(times):.1f} ms/step")
        eager = self.trainer(case, choose_placement(self.device, "fp32", ()))
        baseline, times = self._times(case, {"fp32": eager, precision: trainer}).values()
        return replace(figures, ratio=speed_up(baseline, times).strip())

    def _layout(self, case: Case) -> Figures:
        places = [
            Placement(self.device, DTYPES["bf16"], channels_last=channels_last)
            for channels_last in (False, True)
        ]
        contiguous, last = (self.trainer(case, each) for each in places)
        found, expected = (losses_of(each, case.batches(STEPS)) for each in (last, contiguous))
        baseline, times = self._times(case, {"contiguous": contiguous, "last": last}).values()
        figures = judged(found, expected, LIMITS["bf16"], "contiguous")
        return replace(figures, remark=f"{speed_up(baseline, times).strip()} of contiguous")

    def _compiled(self, case: Case) -> Figures:
        probe_compiler(self.device)
        fp32 = choose_placement(self.device, "fp32", ())
        eager, compiled = (self.trainer(case, fp32) for _ in range(2))
        compile_networks(compiled.system)
        # The compiler cannot see through the mode that draws on the CPU.
        found, expected = (losses_of(each, case.batches(STEPS), aligned=False) for each in (compiled, eager))
        baseline, times = self._times(case, {"eager": eager, "compiled": compiled}).values()
        figures = judged(found, expected, LIMITS["fp32"], "eager")
        return replace(figures, ratio=speed_up(baseline, times).strip())

    def _times(self, case: Case, trainers: dict[str, Trainer]) -> dict[str, list[float]]:
        """Seconds per step of each in every round."""
        batch = case.batches(1)[0]
        contenders = {name: partial(self._several, each, batch) for name, each in trainers.items()}
        times = time_in_turns(contenders, self.rounds)
        return {name: [each / self.steps for each in values] for name, values in times.items()}

    def _several(self, trainer: Trainer, batch: Batch) -> None:
        placed = trainer.placement.batch(batch)
        for _ in range(self.steps):
            first_step(trainer, placed)
        synchronise(self.device)


def losses_of(trainer: Trainer, batches: list[Batch], *, aligned: bool = True) -> list[Losses]:
    """The losses of a step for each batch; aligned: with the random draws of the CPU."""
    found = []
    for batch in batches:
        trainer.metrics.restart()
        placed = trainer.placement.batch(batch)
        if aligned:
            with DrawnOnCPU():
                first_step(trainer, placed)
        else:
            first_step(trainer, placed)
        found.append(trainer.metrics.losses())
    return found


def first_step(trainer: Trainer, batch: Batch) -> None:
    """A step with the learning rate of the first one, however many were made: a stage may be shorter."""
    trainer.system.clock.step = trainer.system.clock.total = 0
    trainer.step([batch])


def judged(found: list[Losses], expected: list[Losses], limit: float, of: str = "CPU fp32") -> Figures:
    """The largest difference of a loss, relative where the loss is above 1; failed if none is finite."""
    worst, where = 0.0, ""
    for number, (mine, theirs) in enumerate(zip(found, expected, strict=True), 1):
        assert mine.keys() == theirs.keys(), f"losses {sorted(mine)} instead of {sorted(theirs)}"
        for name, value in theirs.items():
            difference = abs(mine[name] - value) / max(1.0, abs(value))
            if not difference <= worst:  # also if it is not a number
                worst, where = difference, f"{name} of step {number}"
    said = f"{worst:.1e} to {of}" + (f" ({where})" if where else "")
    return Figures(worst <= limit, difference=f"{said}, limit {limit:g}")


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done what was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@cache
def probe_compiler(device: torch.device) -> None:
    """Raise SkippedError where torch.compile does not work at all."""
    try:
        torch.compile(lambda x: x + 1)(torch.ones(4, device=device))
    except Exception as error:  # no C++ compiler, no Triton, no Python headers
        raise SkippedError(f"no compiler here ({str(error).strip().splitlines()[0][:80]})") from None
