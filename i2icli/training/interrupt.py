"""Deferred signal handling: stop after the current step on Ctrl-C or SIGTERM."""

import signal
import threading
from types import FrameType


class Interrupt:
    """Inside the block the first signal sets `requested`; a second one interrupts immediately."""

    def __init__(self, *, patient: bool = False) -> None:
        self.requested = False
        self.patient = patient  # a launcher repeats the signal; workers must still save

    def __enter__(self) -> "Interrupt":
        self.previous = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested and not self.patient:
            raise KeyboardInterrupt
        self.requested = True
