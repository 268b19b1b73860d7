"""A process that opens hundreds of files and reports what went wrong, one JSON line each.

`python -m tests.hostile.opening FOLDER NUMBER SEED KIND...`: of each kind, NUMBER changed files and all
attacks.
"""

import json
import os
import random
import re
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from i2icli.errors import UserError
from tests.hostile.attacks import CANARY, attacks
from tests.hostile.changes import changed
from tests.hostile.kinds import KINDS

LONGEST, SLOWEST = 500, 10  # characters of a message, seconds of processor time for a file
MOST_MEMORY = 600  # MB that a process may grow by, however many files it opened
SLOW, ALL_FROM = re.compile(r"\b(deep|many|marks|unfolding)\b"), 100
"""Attacks that take a second or so to write or to refuse, and for how many changes on they are among them."""
FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.mkdir", "subprocess.Popen",
    "socket.connect", "pickle.find_class", "ctypes.dlopen", "shutil.", "os.remove", "os.chmod",
)  # fmt: skip
"""What Python reports of itself that no opener has a reason to do."""


class Watch:
    """Sees what Python does while a file is opened."""

    def __init__(self) -> None:
        self.on, self.seen = False, ""
        sys.addaudithook(self._event)

    def _event(self, event: str, _: Any) -> None:
        if self.on and event.startswith(FORBIDDEN):
            self.seen = event


class SlowError(BaseException):
    """A file took too long."""


def _too_slow(*_: Any) -> None:
    raise SlowError


def trouble(opener: Callable[[Path], Any], path: Path, watch: Watch) -> str | None:
    """Open one file; what is wrong with how that went."""
    watch.on, watch.seen = True, ""
    signal.setitimer(signal.ITIMER_PROF, SLOWEST)
    try:
        opener(path)
    except UserError as error:
        text = str(error).replace(str(path.parent), "")
        if len(text) > LONGEST or not text.isprintable():
            return f"a message of {len(text)} characters: {text[:200]!a}"
    except SlowError:
        return f"more than {SLOWEST} s"
    except BaseException:
        return traceback.format_exc()[-1500:]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        watch.on = False
    if watch.seen:
        return f"it did {watch.seen}"
    return "something of it was executed" if Path(CANARY).exists() else None


def main(folder: Path, number: int, seed: int, kinds: list[str]) -> None:
    """Open everything; a last line says how many files there were, and the memory and time they took."""
    os.chdir(folder)
    signal.signal(signal.SIGPROF, _too_slow)
    watch, opened, worst = Watch(), 0, 0.0
    base: int | None = None
    for name in kinds:
        kind = KINDS[name]
        path = folder / f"file{kind.suffix}"
        kind.seed(path)
        good = path.read_bytes()
        kind.open(path)  # it is good, and what it needs is loaded from now on
        base = base or _memory()
        chance = random.Random(f"{seed} {name}")
        every = number >= ALL_FROM
        chosen = [(what, attack) for what, attack in attacks(name) if every or not SLOW.search(what)]
        work = [*((f"change {n}", None) for n in range(number)), *chosen]
        for what, attack in work:
            if attack is None:
                path.write_bytes(changed(good, kind.parts, chance))
            else:
                attack(path)
            before = time.process_time()
            found = trouble(kind.open, path, watch)
            worst, opened = max(worst, time.process_time() - before), opened + 1
            if found is not None:
                print(json.dumps({"kind": name, "file": what, "trouble": found}))
    print(json.dumps({"opened": opened, "grown": _memory() - (base or 0), "slowest": worst}))


def _memory() -> int:
    """MB, the most that the process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
