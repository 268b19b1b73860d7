"""Workers that end when the program that started them has gone."""

import os
import signal
import time
from multiprocessing import parent_process
from threading import Thread

PAUSE = 0.5  # seconds between two looks
PATIENCE = 30.0  # seconds in which a worker may finish its step and save


def end_with_parent() -> None:
    """From now on, this process saves and ends once its parent has ended, however that was."""
    started_by = parent_process()  # None for one that torchrun started
    number = os.getppid() if started_by is None or started_by.pid is None else started_by.pid
    Thread(target=_watch, args=(number,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:  # on Windows it never changes, and workers end with their pipes
        time.sleep(PAUSE)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os._exit(1)
