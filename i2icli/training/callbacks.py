"""The callback interface of a training run. No torch here: displays import this before the work begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from i2icli.errors import for_python, warn

if TYPE_CHECKING:
    from i2icli.training.plan import StagePlan


@dataclass(frozen=True)
class Progress:
    """Progress of a training run, sent after every step."""

    step: int  # steps done in all stages
    steps: int  # total steps
    stage: str
    images_per_s: float
    data_wait: float  # fraction of time spent waiting for data, in [0, 1]
    eta_s: float | None  # remaining seconds; None while unknown
    memory_bytes: int  # peak memory of this process, or of the GPU
    losses: dict[str, float] = field(default_factory=dict)  # means since the last log line; "G/gan_AB": ...
    limit_s: float | None = None  # seconds until --time-limit stops the run; None: there is none
    alpha: float | None = None  # fade-in of a new level of the networks; None while nothing is fading


class Callbacks(Protocol):
    """Receives the events of a run. Called from the training loop, on rank 0 only."""

    def note(self, text: str) -> None:
        """One line of information: what was detected, resumed, skipped."""

    def warn(self, text: str) -> None:
        """One line about a possible problem."""

    def planned(self, stages: "Sequence[StagePlan]") -> None:
        """Before the first step, if the caller of `train` asked for the plan."""

    def progress(self, progress: Progress) -> None:
        """After every step."""

    def scores(self, step: int, scores: dict[str, float], best: bool) -> None:
        """After each validation, e.g. {"psnr": 18.2, "ssim": 0.61}."""

    def saved(self, path: Path) -> None:
        """After each checkpoint."""


class NoCallbacks:
    """Callbacks that do nothing."""

    def note(self, text: str) -> None: ...
    def warn(self, text: str) -> None: ...
    def planned(self, stages: "Sequence[StagePlan]") -> None: ...
    def progress(self, progress: Progress) -> None: ...
    def scores(self, step: int, scores: dict[str, float], best: bool) -> None: ...
    def saved(self, path: Path) -> None: ...


class WarningCallbacks:
    """Callbacks whose warnings are Python's, and options spelled so: of runs that are started from Python."""

    def __init__(self, callbacks: Callbacks | None = None) -> None:
        """Other events go to `callbacks`, if there are any."""
        callbacks = callbacks or NoCallbacks()
        self.note: Callable[[str], None] = lambda text: callbacks.note(for_python(text))
        self.planned = callbacks.planned
        self.progress, self.scores, self.saved = callbacks.progress, callbacks.scores, callbacks.saved

    def warn(self, text: str) -> None:
        """Warn, as far as the filters of Python's warnings let it through."""
        warn(text)
