"""What became of one input of `translate`. No torch here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Result:
    """One input and what became of it."""

    source: str
    target: Path | None  # the file that was written or was there; None where it failed
    status: Literal["done", "there", "failed"]
    error: str | None = None  # one line, for "failed"
