"""Running a detector on many files: one finding each, errors included."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from i2icli.detector.detector import Detector, Prediction, Verdict
from i2icli.detector.inputs import is_video
from i2icli.errors import UserError
from i2icli.reading import AS_FOUND, Reading
from i2icli.video import sample_frames

FRAMES = 12  # sampled from a video
_MIN_BITS = 0.5  # per pixel of a video: below, H.264 was found to remove lattices entirely
_FAKE_FRACTION = 0.5  # of the decided frames, from which a video is fake


@dataclass(frozen=True)
class Finding:
    """The result for one file."""

    file: Path
    verdict: Literal["fake", "real", "uncertain", "failed"]
    probability: float | None
    explanation: str
    abstentions: tuple[str, ...] = ()
    frames: dict[str, int] | None = None  # of a video: frames by verdict

    def as_row(self) -> dict[str, Any]:
        """For JSON and CSV."""
        return {
            "file": str(self.file),
            "verdict": self.verdict,
            "probability": None if self.probability is None else round(self.probability, 4),
            "reason": self.explanation,
            "doubts": list(self.abstentions),
            "frames": self.frames,
        }

    @property
    def text(self) -> str:
        """Abstentions and explanation on one line."""
        return "; ".join([*self.abstentions, self.explanation])


def predict_files(
    detector: Detector, files: Sequence[Path], reading: Reading = AS_FOUND
) -> Iterator[Finding]:
    """Findings in the order of the files; an unreadable file gives a finding too."""
    for file in files:
        try:
            video = is_video(file)
            found, frames = _video(detector, file) if video else (detector.predict_file(file, reading), None)
        except UserError as error:
            yield Finding(file, "failed", None, str(error).removeprefix(f"cannot read {file}: "))
            continue
        yield Finding(file, found.verdict, found.probability, found.explanation, found.abstentions, frames)


def _video(detector: Detector, file: Path) -> tuple[Prediction, dict[str, int]]:
    """Majority vote of the frames, with their mean probability and the explanation of the nearest frame."""
    sample = sample_frames(file, FRAMES)
    predictions = [detector.predict(frame) for frame in sample.frames]
    counts = Counter(each.verdict for each in predictions)
    votes = {verdict: counts[verdict] for verdict in ("fake", "real", "uncertain")}
    known = [(each.probability, each.explanation) for each in predictions if each.probability is not None]
    if not known:
        return predictions[0], votes
    mean = float(np.mean([probability for probability, _ in known]))
    _, nearest = min(known, key=lambda each: abs(each[0] - mean))
    explanation = f"{votes['fake']} of {len(predictions)} frames fake, {votes['real']} real; {nearest}"
    decided = votes["fake"] + votes["real"]
    if decided * 2 < len(predictions):
        reasons = [reason for each in predictions for reason in each.abstentions]
        similar = _most_frequent([reason for reason in reasons if reason != detector.between])
        common = len(similar) * 2 >= votes["uncertain"]
        cause = similar[0] if common else "compression may have removed traces"
        reason = f"most frames are uncertain: {cause}"
        return Prediction("uncertain", mean, explanation, (reason,)), votes
    verdict: Verdict = "fake" if votes["fake"] >= _FAKE_FRACTION * decided else "real"
    if verdict == "real" and sample.bits_per_pixel < _MIN_BITS:
        reason = f"heavily compressed ({sample.bits_per_pixel:.2f} bits per pixel): traces may be lost"
        return Prediction("uncertain", mean, explanation, (reason,)), votes
    return Prediction(verdict, mean, explanation), votes


def _most_frequent(reasons: Sequence[str]) -> list[str]:
    """The reasons of the most frequent kind; their numbers may differ between frames, as in a zoom."""
    kinds: dict[str, list[str]] = {}
    for reason in reasons:
        kinds.setdefault(re.split(r" \(|:", reason)[0], []).append(reason)
    return max(kinds.values(), key=len, default=[])
