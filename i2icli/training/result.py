"""The outcome of a training run. No torch here."""

from dataclasses import dataclass, field
from pathlib import Path

from i2icli.errors import print_number
from i2icli.written import counted


@dataclass(frozen=True, repr=False)
class TrainResult:
    """The outcome of a training run."""

    folder: Path
    step: int
    steps: int
    finished: bool
    reason: str  # "finished", "time limit" or "interrupted"
    scores: dict[str, float] = field(default_factory=dict)  # of the last validation
    reads_images: bool = True  # whether it translates images; otherwise it only generates
    reads_videos: bool = False  # whether it remembers the frames before

    def __repr__(self) -> str:
        """How far it came, how good it is and where it lies."""
        how = "finished" if self.finished else self.reason
        scores = "".join(f", {name} {print_number(value)}" for name, value in self.scores.items())
        return f"<TrainResult {how}, {self.step:,} of {counted(self.steps, 'step')}{scores}: {self.folder}>"
