"""--devices N: several processes on this machine, started and supervised by torchrun's elastic launcher."""

import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import active_children
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import Any

from i2icli.errors import UserError
from i2icli.training.callbacks import Callbacks
from i2icli.training.event_forwarding import DONE, ForwardingCallbacks, Outcome, Sender, pipes, receive


def launch(processes: int, callbacks: Callbacks, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in several processes that train together, and return rank 0's result.

    The function receives the arguments and callbacks that forward to the given ones. Ctrl-C and SIGTERM are
    forwarded to the processes, which decide how to react. Raises the UserError that a process raised.
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
    with _forwarded_signals() as forwarded:
        try:
            elastic_launch(_elastic_config(processes), _worker)(senders, function, arguments)
        except ChildFailedError:
            pass  # the outcome has the details
        finally:
            for sender in senders:
                sender.close()  # the receiver ends once the workers' copies are closed as well
            receiver.join()
    if outcome.error is not None:
        raise outcome.error
    if not outcome.done:
        if forwarded:
            raise KeyboardInterrupt
        raise UserError(f"one of {processes} processes died; see its output above", exit_code=1)
    return outcome.result


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
def _forwarded_signals() -> Iterator[list[int]]:
    """Inside the block the first Ctrl-C or SIGTERM is forwarded to the workers, the second ends them.

    Yields the list of signals received so far.
    """
    received: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt
        for child in active_children():
            if child.pid is not None:
                os.kill(child.pid, signal.SIGTERM)

    numbers = (signal.SIGINT, signal.SIGTERM) if current_thread() is main_thread() else ()
    previous = {number: signal.signal(number, forward) for number in numbers}
    try:
        yield received
    finally:
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
    if own == 0:
        send((DONE, (result,)))
