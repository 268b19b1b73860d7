"""Workers that end when the program that started them has gone."""

import os
import signal
import time
from threading import Thread

PAUSE = 0.5  # seconds between two looks
PATIENCE = 60.0  # seconds in which a worker may finish its step and save


def end_with_parent() -> None:
    """From now on, this process saves and ends once its parent has ended, however that was."""
    Thread(target=_watch, args=(os.getppid(),), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:  # on Windows it never changes, and workers end with their pipes
        time.sleep(PAUSE)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os._exit(1)
