"""How long a run still takes, measured over its own steps, and the memory it needs against what there is."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from i2icli.config import Config
from i2icli.errors import print_number
from i2icli.recipe import is_small
from i2icli.runtime.device import device_memory, fast_dtype
from i2icli.runtime.precision import DTYPES
from i2icli.stage import Clock, Stage
from i2icli.written import counted, print_bytes, print_duration

MEASURED = 3  # steps before the time that is left is known; the first one, which warms up, does not count
BRIEF_S = 10.0  # what takes less is not worth a line
LONG_S = 3600.0  # from here on a processor is better used with other settings


@dataclass(frozen=True)
class Machine:
    """What a run computes on."""

    device: str = "cpu"
    memory: int | None = None  # bytes for each process; None: not known
    small: bool = True  # whether the settings are those sized to a processor
    shared: bool = False  # whether several processes share its memory
    low_precision: bool = False  # whether it computes in 16 bits, for which memory is not estimated

    @property
    def where(self) -> str:
        """What has the memory."""
        if self.device != "cpu":
            return self.device
        return "this machine for each process" if self.shared else "this machine"


def machine_of(system: str, config: Config, device: torch.device, processes: int = 1) -> Machine:
    """What a run of some processes computes on, and whether its settings are sized to a processor."""
    memory, shared = device_memory(device), device.type == "cpu" and processes > 1
    if memory is not None and shared:
        memory //= processes
    fast = fast_dtype(device) if config.precision == "auto" else DTYPES[config.precision]
    return Machine(str(device), memory, is_small(system, config), shared, fast is not None)


class Outlook:
    """The time that is left of a run, in this session."""

    def __init__(
        self,
        stages: Sequence[Stage],
        machine: Machine = Machine(),
        costs: Sequence[float] | None = None,
        limit_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """costs: of a step of each stage, in any unit, if known; limit_s: of --time-limit."""
        self.even = len(set(costs or stages)) == 1
        self.stages, self.machine, self.limit_s, self._clock = stages, machine, limit_s, clock
        self.costs = {
            stage.name: cost for stage, cost in zip(stages, costs or [1.0] * len(stages), strict=True)
        }
        self.started_at = clock()
        self.steps = 0  # of this session
        self._measured_at: float | None = None
        self._cost = 0.0  # of the steps since then
        self._said = False

    def first_lines(self, steps: int, left_s: float | None, peak: int) -> list[str]:
        """What there is to say, once the time that is left for some steps is known; peak: bytes so far."""
        if self._said or left_s is None:
            return []
        self._said = True
        if left_s < BRIEF_S:
            return []
        line = time_line(steps, left_s, self.limit_left_s(), even=self.even)
        if peak:
            line += f"; memory so far {memory_line(peak, self.machine).removeprefix('about ')}"
        hint = hint_line(left_s, self.machine)
        return [line, *([hint] if hint else [])]

    def step(self, stage: Stage) -> None:
        """A step was done."""
        self.steps += 1
        if self._measured_at is not None:
            self._cost += self.costs[stage.name]

    def settle(self) -> None:
        """After the first step and all that comes with it: from here on time is measured."""
        if self._measured_at is None and self.steps:
            self._measured_at = self._clock()

    def left_s(self, clock: Clock) -> float | None:
        """Seconds to the end of the last stage; None while they are not known."""
        if self.steps < MEASURED or self._measured_at is None or not self._cost:
            return None
        later = [stage.name for stage in self.stages].index(clock.stage.name) + 1
        left = (clock.stage.steps - clock.step) * self.costs[clock.stage.name]
        left += sum(stage.steps * self.costs[stage.name] for stage in self.stages[later:])
        return left * (self._clock() - self._measured_at) / self._cost

    def limit_left_s(self) -> float | None:
        """Seconds until the run stops at its time limit; None: it has none."""
        return None if self.limit_s is None else max(0.0, self.limit_s - (self._clock() - self.started_at))


def time_line(steps: int, left_s: float, limit_s: float | None, *, even: bool = True) -> str:
    """How long a run takes to the end, and how far it comes where a time limit ends it earlier.

    even: whether all steps take as long.
    """
    each = f"{print_number(left_s / max(1, steps), 2)} s{'' if even else ' on average'}"
    line = f"about {print_duration(left_s)} to the end: {counted(steps, 'step')} of {each}"
    if limit_s is not None and limit_s < left_s:
        there = f"{round(steps * limit_s / left_s):,} of them" if even else print_duration(limit_s)
        line += f"; --time-limit stops it after {there}"
    return line


def memory_line(needed: int, machine: Machine) -> str:
    """How much memory a run needs of what there is."""
    there = f" of the {print_bytes(machine.memory)} of {machine.where}" if machine.memory else ""
    return f"about {print_bytes(needed)}{there}"


def too_large_line(needed: int, machine: Machine, smaller: str) -> str | None:
    """What to do where a run needs more memory than there is; smaller: options that halve its batch."""
    if machine.memory is None or needed <= machine.memory:
        return None
    less = [*([] if machine.small else ["--recipe small"]), *([smaller] if smaller else [])]
    in_fp32, then = (" in fp32", "it may fail") if machine.low_precision else ("", "expect it to fail")
    return (
        f"this needs about {print_bytes(needed)} of memory{in_fp32}, more than the "
        f"{print_bytes(machine.memory)} of {machine.where}: {then}; "
        f"try {', '.join([*less, 'a smaller --crop-size'])}"
    )


def hint_line(left_s: float | None, machine: Machine) -> str | None:
    """On a processor, where it takes long: which recipe is sized to one."""
    if machine.device != "cpu" or left_s is None or left_s < LONG_S or machine.small:
        return None
    return "on a processor --recipe small, with a new --out, learns in minutes to hours"
