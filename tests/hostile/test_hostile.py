"""No file executes anything, takes memory or time, or ends in a traceback, however it was damaged or made."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.kinds import KINDS
from tests.hostile.opening import MOST_MEMORY

ROOT = Path(__file__).parents[2]


def opened(folder: Path, number: int, kinds: list[str], seed: int = 1) -> dict[str, Any]:
    """Let another process open files of some kinds; what it says at the end."""
    command = [sys.executable, "-m", "tests.hostile.opening", str(folder), str(number), str(seed), *kinds]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    *troubles, end = map(json.loads, done.stdout.splitlines())
    assert troubles == [], json.dumps(troubles[:10], indent=2)
    assert end["grown"] < MOST_MEMORY
    return end


def test_some_damaged_files_of_every_kind_and_every_attack(tmp_path: Path) -> None:
    assert opened(tmp_path, 6, list(KINDS))["opened"] > 6 * len(KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_damaged_files(kind: str, tmp_path: Path) -> None:
    assert opened(tmp_path, 1000, [kind], seed=2)["opened"] >= 1000


@pytest.mark.slow
@pytest.mark.parametrize("attack", ["makes a folder", "runs a command", "evaluates", "loads a pickle"])
def test_an_opener_that_does_what_a_file_says_is_caught(attack: str, tmp_path: Path) -> None:
    program = (
        "import pickle, sys; from pathlib import Path; from tests.hostile import attacks, opening\n"
        f"path = Path('file.pkl'); path.write_bytes(attacks._PICKLES[{attack!r}])\n"
        "print(opening.trouble(lambda path: pickle.loads(path.read_bytes()), path, opening.Watch()))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
    assert done.stdout.startswith("it did ")
