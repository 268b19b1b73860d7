"""Callbacks whose failures do not end a run: its terminal, or the reader of its pipe, may go first."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from i2icli.training.callbacks import Callbacks, Progress
from i2icli.training.plan import StagePlan


class RobustCallbacks:
    """Passes events on until that fails for a reason of the system; then it drops them."""

    def __init__(self, callbacks: Callbacks) -> None:
        self.callbacks = callbacks
        self.gone = False

    def note(self, text: str) -> None:
        """One line of information."""
        self._pass(self.callbacks.note, text)

    def warn(self, text: str) -> None:
        """One line about a possible problem."""
        self._pass(self.callbacks.warn, text)

    def planned(self, stages: Sequence[StagePlan]) -> None:
        """The planned stages."""
        self._pass(self.callbacks.planned, stages)

    def progress(self, progress: Progress) -> None:
        """After every step."""
        self._pass(self.callbacks.progress, progress)

    def scores(self, step: int, scores: dict[str, float], best: bool) -> None:
        """After each validation."""
        self._pass(self.callbacks.scores, step, scores, best)

    def saved(self, path: Path) -> None:
        """After each checkpoint."""
        self._pass(self.callbacks.saved, path)

    def _pass(self, event: Callable[..., None], *values: Any) -> None:
        if self.gone:
            return
        try:
            event(*values)
        except OSError:  # a closed terminal, a pipe without a reader, a full disk behind one
            self.gone = True
