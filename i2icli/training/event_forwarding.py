"""A run's words from the processes that train to the one that shows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeAlias

from i2icli.errors import UserError
from i2icli.training.callbacks import Callbacks, Progress
from i2icli.training.plan import StagePlan

Message: TypeAlias = tuple[str, tuple[Any, ...]]
"""An event and its arguments: a method of Callbacks, DONE with the result, "UserError" with the error."""
Sender: TypeAlias = "Connection[Message, Any]"
Reader: TypeAlias = "Connection[Any, Message]"

DONE = "done"


@dataclass
class Outcome:
    """How the processes ended, as far as they said."""

    done: bool = False
    answer: Any = None
    error: UserError | None = None  # every process meets the same one; any of them may tell


class ForwardingCallbacks:
    """A callbacks that sends everything it is told."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self.send = send

    def note(self, text: str) -> None:
        """Send a note."""
        self.send(("note", (text,)))

    def warn(self, text: str) -> None:
        """Send a warning."""
        self.send(("warn", (text,)))

    def planned(self, stages: Sequence[StagePlan]) -> None:
        """Send the planned stages."""
        self.send(("planned", (stages,)))

    def progress(self, progress: Progress) -> None:
        """Send where the run stands."""
        self.send(("progress", (progress,)))

    def scores(self, step: int, scores: dict[str, float], best: bool) -> None:
        """Send a measurement."""
        self.send(("scores", (step, scores, best)))

    def saved(self, path: Path) -> None:
        """Send a save."""
        self.send(("saved", (path,)))


def pipes(count: int) -> tuple[list[Reader], list[Sender]]:
    """One pipe per process: the ends to read from, the ends to give away."""
    pairs = [get_context("spawn").Pipe(duplex=False) for _ in range(count)]
    return [reader for reader, _ in pairs], [sender for _, sender in pairs]


def receive(readers: Sequence[Reader], callbacks: Callbacks, outcome: Outcome) -> None:
    """Pass on what comes through the pipes until all are closed at the other end."""
    opened = list(readers)
    while opened:
        for ready in wait(opened):
            assert isinstance(ready, Connection)
            try:
                kind, values = ready.recv()
            except (EOFError, OSError):  # closed, or cut off by a kill
                opened.remove(ready)
                ready.close()
                continue
            if kind == DONE:
                outcome.done, outcome.answer = True, values[0]
            elif kind == UserError.__name__:
                outcome.error = outcome.error or values[0]
            else:
                getattr(callbacks, kind)(*values)
