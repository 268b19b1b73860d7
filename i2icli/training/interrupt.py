"""Ctrl-C and SIGTERM as a wish, granted after the current step."""

import signal
import threading
from types import FrameType


class Interrupt:
    """Inside the block the first signal sets `wished`; a second one interrupts at once."""

    def __init__(self, *, patient: bool = False) -> None:
        self.wished = False
        self.patient = patient  # a launcher repeats the signal; its workers must still save

    def __enter__(self) -> "Interrupt":
        self.before = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.wished and not self.patient:
            raise KeyboardInterrupt
        self.wished = True
