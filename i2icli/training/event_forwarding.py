"""Forwards callbacks from the worker processes to the process that displays them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeAlias

from i2icli.errors import UserError
from i2icli.training.callbacks import Callbacks, Progress
from i2icli.training.plan import StagePlan

Message: TypeAlias = tuple[str, tuple[Any, ...]]
"""An event and its arguments: a method of Callbacks, DONE with the result, "UserError" with the error,
TRACEBACK with the text of one."""
Sender: TypeAlias = "Connection[Message, Any]"
Reader: TypeAlias = "Connection[Any, Message]"

DONE, TRACEBACK = "done", "traceback"


@dataclass
class Outcome:
    """How the worker processes ended, as far as they reported it."""

    done: bool = False
    result: Any = None
    error: UserError | None = None  # rank 0's, which knows what is saved; else the first
    tracebacks: list[str] = field(default_factory=list)  # of other errors, in order of arrival


class ForwardingCallbacks:
    """Callbacks that send every event to another process."""

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
        """Send progress."""
        self.send(("progress", (progress,)))

    def scores(self, step: int, scores: dict[str, float], best: bool) -> None:
        """Send validation scores."""
        self.send(("scores", (step, scores, best)))

    def saved(self, path: Path) -> None:
        """Send that a checkpoint was saved."""
        self.send(("saved", (path,)))


def pipes(count: int) -> tuple[list[Reader], list[Sender]]:
    """One pipe per process: the receiving ends and the sending ends."""
    pairs = [get_context("spawn").Pipe(duplex=False) for _ in range(count)]
    return [reader for reader, _ in pairs], [sender for _, sender in pairs]


def receive(readers: Sequence[Reader], callbacks: Callbacks, outcome: Outcome) -> None:
    """Dispatch events from the pipes until all are closed at the other end."""
    opened = list(readers)
    while opened:
        for ready in wait(opened):
            assert isinstance(ready, Connection)
            try:
                kind, values = ready.recv()
            except (EOFError, OSError):  # closed, or the process was killed
                opened.remove(ready)
                ready.close()
                continue
            if kind == DONE:
                outcome.done, outcome.result = True, values[0]
            elif kind == UserError.__name__:
                outcome.error = values[0] if ready is readers[0] else outcome.error or values[0]
            elif kind == TRACEBACK:
                outcome.tracebacks.append(values[0])
            else:
                getattr(callbacks, kind)(*values)
