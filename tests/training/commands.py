"""The real command in a process of its own, on tiny networks."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
TINY = ["--crop-size", "32", "--width", "4", "--discriminator-width", "4", "--num-layers", "2"]
TINY += ["--num-blocks", "1", "--precision", "fp32"]

Done = subprocess.CompletedProcess[str]


def i2i(*arguments: object, cwd: Path, launcher: Sequence[str] = (sys.executable,)) -> Done:
    """Run `i2i` to its end."""
    command = [*launcher, "-m", "i2icli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)


def start(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """Start `i2i` in a group of processes of its own, as a terminal would."""
    command = [sys.executable, "-m", "i2icli", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=cwd, env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )
