"""What became of one input of `translate`. No torch here."""

from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True)
class Result:
    """One input and what became of it."""

    source: str
    target: Path | None  # the file that was written or was there; None where it failed
    status: Literal["done", "there", "failed"]
    error: str | None = None  # one line, for "failed"
    again: bool = False  # whether it was made again, as the input had changed
    left_out: str | None = None  # metadata of the input that could not be read: "EXIF, text"
    psnr: float | None = None  # dB to the ground truth, if that is known
    ssim: float | None = None


class Results(Protocol):
    """Work on files: iterating does it, and how many results to expect."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know before any result, in lines."""

    @property
    def problems(self) -> Sequence[str]:
        """What went wrong beside results, such as contact sheets, in lines; known when all are there."""

    @property
    def written(self) -> int:
        """How many results there are, if these are more than were iterated."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Result]: ...


def described(results: Sized) -> str:
    """Results that were not iterated, as Python shows them: "<Translation of 2 results: iterate to ...>"."""
    count = len(results)
    what = f"{count:,} result{'s' * (count != 1)}"
    return f"<{type(results).__name__} of {what}: iterate to make {'them' if count != 1 else 'it'}>"
