"""Deferred signal handling: stop after the current step on Ctrl-C, SIGTERM or SIGHUP."""

import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
REPEATED = 0.3  # seconds in which a second Ctrl-C is the same one, passed on by a program around this one
STOPPING = "finishing this step and saving"
AGAIN = f"{STOPPING}; Ctrl-C again quits without saving"

Tell = Callable[[str], None]


class Interrupt:
    """Inside the block the first signal sets `requested`; a second Ctrl-C interrupts immediately.

    `tell` is given a line at once, from another thread, as a step may take long. What `nohup` ignores stays
    ignored.
    """

    def __init__(self, *, patient: bool = False, tell: Tell | None = None) -> None:
        self.requested = False
        self.patient = patient  # a launcher repeats the signal; workers must still save
        self.tell = tell
        self.pressed_at: float | None = None  # when Ctrl-C was pressed first

    def __enter__(self) -> "Interrupt":
        self.previous = {}
        self.teller: _Teller | None = None
        if threading.current_thread() is threading.main_thread():
            for number in NUMBERS:
                if not ignored(number):
                    self.previous[number] = signal.signal(number, self._handle)
            self.teller = None if self.tell is None else _Teller(self.tell)
        return self

    def __exit__(self, *_: object) -> None:
        if self.teller is not None:
            self.teller.close()
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.requested = True
        if number != signal.SIGINT:
            return  # a closed terminal and schedulers repeat theirs
        now = time.monotonic()
        if self.pressed_at is None:
            self.pressed_at = now
        elif now - self.pressed_at > REPEATED and not self.patient:
            raise KeyboardInterrupt


def ignored(number: int) -> bool:
    """Whether the program was started so that the end of its terminal shall not end it."""
    return number != signal.SIGINT and signal.getsignal(number) == signal.SIG_IGN


def stopping_line(number: int) -> str:
    """What to say to the first signal."""
    return AGAIN if number == signal.SIGINT else f"{signal.Signals(number).name}: {STOPPING}"


class _Teller:
    """A thread that says what the first signal does; Python runs handlers only between two computations."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.reader, self.writer = socket.socketpair()
        self.writer.setblocking(False)
        self.before = signal.set_wakeup_fd(self.writer.fileno(), warn_on_full_buffer=False)
        self.thread = threading.Thread(target=self._run, name="signals", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Leave signals to whom they belonged."""
        signal.set_wakeup_fd(self.before)
        self.writer.close()
        self.thread.join()
        self.reader.close()

    def _run(self) -> None:
        told = False
        while numbers := self.reader.recv(64):
            for number in numbers:
                if number in NUMBERS and not told:
                    told = True
                    with suppress(OSError):  # the terminal has gone
                        self.tell(stopping_line(number))
