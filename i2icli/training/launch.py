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
    """Call a function in that many processes that train together; rank 0's answer.

    The function gets the arguments and a callbacks that speaks to the given one across the processes.
    Ctrl-C and SIGTERM are passed on; the processes decide what to do about them. Raises the
    UserError that a process raised. Other machines join through `torchrun -m i2icli train ...`.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    for talkative in ("torch.distributed.elastic", "torch.multiprocessing.spawn"):
        logging.getLogger(talkative).setLevel(logging.CRITICAL)  # our one line says it better
    outcome = Outcome()
    readers, senders = pipes(processes)
    listening = Thread(target=receive, args=(readers, callbacks, outcome), name="relay")
    listening.start()
    with _signals_passed_on() as passed_on:
        try:
            elastic_launch(_elastic_config(processes), _worker)(senders, function, arguments)
        except ChildFailedError:
            pass  # the outcome says more
        finally:
            for sender in senders:
                sender.close()  # the listener ends once the workers' copies are closed as well
            listening.join()
    if outcome.error is not None:
        raise outcome.error
    if not outcome.done:
        if passed_on:
            raise KeyboardInterrupt
        raise UserError(f"one of {processes} processes died; see what it printed above", exit_code=1)
    return outcome.answer


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
        signals_to_handle="SIGQUIT",  # torchrun would kill after 30 s, whether or not a save is under way
    )


@contextmanager
def _signals_passed_on() -> Iterator[list[int]]:
    """Inside the block the first Ctrl-C or SIGTERM goes to the workers, the second ends them.

    Yields the list of signals received so far.
    """
    received: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt
        for child in active_children():
            if child.pid is not None:
                os.kill(child.pid, signal.SIGTERM)

    numbers = (signal.SIGINT, signal.SIGTERM) if current_thread() is main_thread() else ()
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _worker(senders: Sequence[Sender], function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """One of the processes; runs `function` and reports its answer or its error to the launcher."""
    own = int(os.environ["RANK"])
    for number, sender in enumerate(senders):
        if number != own:
            sender.close()
    send = senders[own].send
    try:
        answer = function(*arguments, ForwardingCallbacks(send))
    except UserError as error:
        send((UserError.__name__, (error,)))
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(1) from None
    if own == 0:
        send((DONE, (answer,)))
