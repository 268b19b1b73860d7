"""--devices N: several processes on this machine, started and supervised by torchrun's elastic launcher."""

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import active_children
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import Any

from i2icli.errors import UserError, readable
from i2icli.training.callbacks import Callbacks
from i2icli.training.event_forwarding import (
    DONE,
    TRACEBACK,
    ForwardingCallbacks,
    Outcome,
    Sender,
    pipes,
    receive,
)
from i2icli.training.interrupt import NUMBERS, REPEATED, ignored, stopping_line


def launch(processes: int, callbacks: Callbacks, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in several processes that train together, and return rank 0's result.

    The function receives the arguments and callbacks that forward to the given ones. Ctrl-C, SIGTERM and
    SIGHUP are forwarded to the processes, which decide how to react. Raises the UserError that a process
    raised; of another error the traceback is on stderr.
    For several machines use `torchrun -m i2icli train ...`.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    for verbose in ("torch.distributed.elastic", "torch.multiprocessing.spawn"):
        logging.getLogger(verbose).setLevel(logging.CRITICAL)  # our own error is one line
    outcome = Outcome()
    readers, senders = pipes(processes)
    receiver = Thread(target=receive, args=(readers, callbacks, outcome), name="event forwarding")
    receiver.start()
    failed: ChildFailedError | None = None
    with _forwarded_signals(callbacks.note) as forwarded:
        try:
            elastic_launch(_elastic_config(processes), _worker)(senders, function, arguments)
        except ChildFailedError as error:
            failed = error  # the outcome has the details
        finally:
            for sender in senders:
                sender.close()  # the receiver ends once the workers' copies are closed as well
            receiver.join()
    if outcome.error is not None:
        raise outcome.error
    if not outcome.done:
        if forwarded:
            raise KeyboardInterrupt
        raise _died(processes, failed, outcome)
    return outcome.result


def _died(processes: int, failed: Any, outcome: Outcome) -> UserError:
    """What is known of a process that ended without a word; the traceback of one with an error is printed."""
    first = next(iter(failed.failures.items()), None) if failed is not None else None
    if first is not None and first[1].exitcode < 0:
        rank, name = first[0], _signal_name(-first[1].exitcode)
        hint = ", as systems do where memory runs out" if name == "SIGKILL" else ""
        return UserError(f"one of {processes} processes (rank {rank}) was ended by {name}{hint}", exit_code=1)
    if outcome.tracebacks:  # the first one is the cause: the others lost their partner
        sys.stderr.write("".join(f"{readable(line)}\n" for line in outcome.tracebacks[0].splitlines()))
        sys.stderr.flush()
    which = f" (rank {first[0]}, exit status {first[1].exitcode})" if first is not None else ""
    return UserError(f"one of {processes} processes died{which}; see its output above", exit_code=1)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _elastic_config(processes: int) -> Any:
    from torch.distributed.launcher.api import LaunchConfig

    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id="i2i",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
        start_method="spawn",
        signals_to_handle="SIGQUIT",  # torchrun would kill after 30 s, even during a save
    )


@contextmanager
def _forwarded_signals(tell: Callable[[str], None]) -> Iterator[list[int]]:
    """Inside the block signals are forwarded to the workers; a second Ctrl-C ends them at once.

    Yields the list of signals received so far. The workers inherit that Ctrl-C, which a terminal sends to
    all processes, is blocked: it might end them while they load.
    """
    received: list[int] = []
    pressed: list[float] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if not received:
            tell(stopping_line(number))
        received.append(number)
        if number == signal.SIGINT:
            pressed.append(time.monotonic())
        again = len(pressed) > 1 and pressed[-1] - pressed[0] > REPEATED
        for child in active_children():
            child.kill() if again else child.terminate()
        if again:
            raise KeyboardInterrupt

    own = current_thread() is main_thread()
    previous = {number: signal.signal(number, forward) for number in NUMBERS if own and not ignored(number)}
    masks = previous and hasattr(signal, "pthread_sigmask")  # not on Windows
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else set()
    try:
        yield received
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in previous.items():
            signal.signal(number, handler)


def _worker(senders: Sequence[Sender], function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """One of the processes: runs `function` and sends its result or error to the launcher."""
    own = int(os.environ["RANK"])
    for number, sender in enumerate(senders):
        if number != own:
            sender.close()
    send = senders[own].send
    try:
        result = function(*arguments, ForwardingCallbacks(send))
    except UserError as error:
        send((UserError.__name__, (error,)))
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(1) from None
    except Exception:
        send((TRACEBACK, (traceback.format_exc(),)))
        raise SystemExit(1) from None
    if own == 0:
        send((DONE, (result,)))
