"""When plain lines that say how far a command is are due."""

from collections.abc import Callable

FIRST_LINES_S, LATER_LINES_S = 10.0, 60.0  # seconds between plain lines, in the first five minutes and after


class Pace:
    """When another plain line is due, so that logs stay short."""

    def __init__(self, clock: Callable[[], float], *, at_once: bool) -> None:
        """at_once: whether the first line need not wait."""
        self._clock = clock
        self._start = clock()
        self._last = None if at_once else self._start

    def due(self) -> bool:
        """Whether enough time has passed since it last was."""
        now = self._clock()
        pause = FIRST_LINES_S if now - self._start < 300 else LATER_LINES_S
        if self._last is not None and now - self._last < pause:
            return False
        self._last = now
        return True
