"""Ctrl-C is quiet while libraries load, whatever is loading."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from i2icli.cli.console import _pressed as pressed

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from i2icli.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("typer", ["systems"]),
        ("i2icli.cli.help", ["translate", "--help"]),
        ("pydantic", ["train", "cyclegan", "--help"]),
        ("numpy", ["translate", "photos", "--model", "none", "--threads", "1"]),
        ("safetensors", ["info", "none"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_ctrl_c_while_a_library_loads(module: str, command: list[str], tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, module, *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode in (130, -2)  # shells show both as 130


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is none")
@pytest.mark.parametrize("repeated", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_what_a_scheduler_repeats_does_not_disturb_the_end(repeated: str) -> None:
    ended: list[bool] = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), getattr(signal, repeated))
            ended.append(True)

    with pressed() as numbers:
        with pytest.raises(KeyboardInterrupt):
            work()
        assert len(numbers) == 2
    assert bool(ended) == (repeated != "SIGINT")


def test_the_package_itself_loads_next_to_nothing() -> None:
    """What loads before the command's own modules could only be interrupted with a traceback."""
    text = "import i2icli, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", text],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"pathlib", "typing", "re", "numpy", "pydantic"} & set(loaded)
