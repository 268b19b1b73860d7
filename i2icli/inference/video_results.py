"""What became of a video, and who is told while it is translated. No torch here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True)
class VideoResult:
    """One result of one video and what became of it."""

    source: str
    target: Path | None  # the file or folder that was written or was there; of what stopped the part so far
    status: Literal["done", "there", "damaged", "stopped", "failed"]
    error: str | None = None  # one line, for all but "done" and "there"
    frames: int = 0  # of the result
    seconds: float = 0.0  # that this took
    notes: tuple[str, ...] = ()  # what could not be kept as it was


@dataclass(frozen=True)
class VideoProgress:
    """How far the translation of a video is."""

    source: str
    done: int  # frames
    total: int | None  # an estimate; None where the length is not known
    frames_per_s: float  # 0 at first
    seconds_left: float | None


class Watch(Protocol):
    """Follows the translation of videos."""

    def note(self, source: str, text: str) -> None:
        """Something a user should know about a video, before its frames."""

    def progress(self, progress: VideoProgress) -> None:
        """Called after every frame."""

    def stopped(self) -> bool:
        """Whether to stop after the frame at hand, with a playable result so far."""


class NoWatch:
    """Follows nothing and never stops."""

    def note(self, source: str, text: str) -> None:
        """Ignored."""

    def progress(self, progress: VideoProgress) -> None:
        """Ignored."""

    def stopped(self) -> bool:
        """Never."""
        return False
