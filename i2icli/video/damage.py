"""What was found damaged while a video was read, by frame number."""

from collections.abc import Sequence
from dataclasses import dataclass, field

_SHOWN = 8  # numbers in a text
_KEPT = 100_000  # numbers in memory


@dataclass
class Damage:
    """Damage found while a video was read; complete when its frames have been read to the end."""

    frames: list[int] = field(default_factory=list)  # delivered, but decoded from damaged data
    lost: list[int] = field(default_factory=list)  # not delivered
    behind: int = -1  # the last frame decoded before the first message: what it means lies behind
    messages: list[str] = field(default_factory=list)  # the first few of ffmpeg's

    def __bool__(self) -> bool:
        return bool(self.frames or self.lost or self.messages)

    def add(self, index: int, *, lost: bool) -> None:
        """Note a frame."""
        numbers = self.lost if lost else self.frames
        if len(numbers) < _KEPT:
            numbers.append(index)

    def take(self, other: "Damage") -> None:
        """Add what another reading found."""
        self.frames += other.frames
        self.lost += other.lost
        self.messages += other.messages
        self.behind = max(self.behind, other.behind)

    def text(self) -> str:
        """On one line: "frames 12 to 15 are damaged, frame 16 is lost (error while decoding MB 3 4)"."""
        parts = []
        if self.frames:
            parts.append(f"{_numbers(self.frames)} {'are' if len(self.frames) > 1 else 'is'} damaged")
        if self.lost:
            parts.append(f"{_numbers(self.lost)} {'are' if len(self.lost) > 1 else 'is'} lost")
        reason = f" ({self.messages[0]})" if self.messages else ""
        place = f" behind frame {self.behind}" if self.behind >= 0 else ""
        return (", ".join(parts) or f"a part{place} cannot be read") + reason


def _numbers(numbers: Sequence[int]) -> str:
    """frames 3, 7 to 9 and 5 more."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    shown = [f"{low} to {high}" if high > low else str(low) for low, high in spans[:_SHOWN]]
    more = sum(high - low + 1 for low, high in spans[_SHOWN:])
    return f"frame{'s' * (len(numbers) > 1)} {', '.join(shown)}" + (f" and {more} more" if more else "")
