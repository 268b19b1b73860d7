"""Where i2icli keeps what is no run of a user's: below I2I_HOME, else where XDG and Windows have it."""

import os
import sys
from pathlib import Path


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
