"""The real command on tiny networks, in a process of its own or in this one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from i2icli.__main__ import main

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
TINY = ["--crop-size", "32", "--width", "4", "--discriminator-width", "4", "--num-layers", "2"]
TINY += ["--num-blocks", "1", "--precision", "fp32"]

Done = subprocess.CompletedProcess[str]


def i2i(*arguments: object, cwd: Path, launcher: Sequence[str] = (sys.executable,)) -> Done:
    """Run `i2i` to its end."""
    command = [*launcher, "-m", "i2icli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)


def here(*arguments: object, cwd: Path) -> Done:
    """Run `i2i` to its end in this process: seconds less than `i2i`, which loads torch each time."""
    words = [str(each) for each in arguments]
    with chdir(cwd), redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = main(words)
    return Done(words, code, out.getvalue(), err.getvalue())


def start(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """Start `i2i` in a group of processes of its own, as a terminal would."""
    command = [sys.executable, "-m", "i2icli", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=cwd, env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )
