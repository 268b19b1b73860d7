"""Where i2icli keeps what is no run of a user's: below I2I_HOME, else where XDG and Windows have it."""

import os
import sys
from pathlib import Path

VARIABLES = {
    "I2I_HOME": "folder of pulled models and of caches",
    "I2I_RUNS": "folder in which new runs are made and runs are found by name; default: runs",
    "I2I_DEVICE": "--device where it is not given",
    "I2I_THREADS": "--threads where it is not given",
    "I2I_WORKERS": "--workers where it is not given",
    "I2I_CACHE": "--cache where it is not given",
    "I2I_RUNTIME": "--runtime where it is not given",
}
"""What can be set once for all commands."""


def variable(option: str) -> str | None:
    """The variable that stands for an option by its field's name, if there is one."""
    name = f"I2I_{option.upper()}"
    return name if name in VARIABLES else None


def runs_home() -> Path:
    """The folder of the runs."""
    return Path(os.environ.get("I2I_RUNS") or "runs").expanduser()


def data_home() -> Path:
    """The folder of what is meant to stay, such as models that were pulled."""
    return _home("XDG_DATA_HOME", Path(".local", "share"), Path())


def cache_home() -> Path:
    """The folder of what can be made again."""
    return _home("XDG_CACHE_HOME", Path(".cache"), Path("cache"))


def _home(variable: str, usual: Path, on_windows: Path) -> Path:
    if given := os.environ.get("I2I_HOME"):
        return Path(given).expanduser()
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "i2icli" / on_windows
    named = Path(os.environ.get(variable, ""))  # a relative one is to be ignored, says XDG
    return (named if named.is_absolute() else Path.home() / usual) / "i2icli"
