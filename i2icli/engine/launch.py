"""--devices N: several processes on this machine, started and supervised by torchrun's elastic launcher."""

import logging
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from i2icli.errors import UserError


def launch(processes: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in that many processes that train together; rank 0's answer.

    Raises the UserError that a process raised. Other machines join through `torchrun -m i2icli train ...`.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # our one line says it better
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id="i2i",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        start_method="spawn",
    )
    with tempfile.TemporaryDirectory(prefix="i2i-") as temporary:
        answer = Path(temporary) / "answer.pickle"
        try:
            elastic_launch(config, _worker)(answer, function, arguments)
        except (ChildFailedError, SignalException):
            if not answer.exists():
                raise UserError("a process ended without a word; see what it printed above", exit_code=1) from None
        # Our own process wrote this file a moment ago, in a folder only this user can enter.
        outcome = pickle.loads(answer.read_bytes())
    if isinstance(outcome, UserError):
        raise outcome
    return outcome


def _worker(answer: Path, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    import os

    main = int(os.environ["RANK"]) == 0
    try:
        result = function(*arguments)
    except UserError as error:
        answer.write_bytes(pickle.dumps(error))  # every process meets the same error; any of them may tell
        raise SystemExit(1) from None
    if main:
        answer.write_bytes(pickle.dumps(result))
