"""Judging many files: one finding each, whatever goes wrong with some."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from i2icli.detector.detector import Detector, Judgement, Verdict
from i2icli.detector.sources import is_film
from i2icli.errors import UserError
from i2icli.video import sample_frames

FRAMES = 12  # of a film
_LEAST_BITS = 0.5  # per pixel of a film: with less, H.264 was seen to hide lattices altogether
_FAKE_SHARE = 0.5  # of the frames that are no longer uncertain, from which a film is fake


@dataclass(frozen=True)
class Finding:
    """What there is to say about one file."""

    file: Path
    verdict: Literal["fake", "real", "uncertain", "failed"]
    probability: float | None
    reason: str
    doubts: tuple[str, ...] = ()
    frames: dict[str, int] | None = None  # of a film: how many had which verdict

    def as_row(self) -> dict[str, Any]:
        """For JSON and CSV."""
        row = asdict(self) | {"file": str(self.file), "doubts": list(self.doubts)}
        if self.probability is not None:
            row["probability"] = round(self.probability, 4)
        return row

    @property
    def text(self) -> str:
        """Reason and doubts on one line."""
        return "; ".join([*self.doubts, self.reason])


def judge_files(detector: Detector, files: Sequence[Path]) -> Iterator[Finding]:
    """Findings in the order of the files; a file that cannot be read is a finding too."""
    for file in files:
        try:
            judgement, frames = _film(detector, file) if is_film(file) else (detector.judge_file(file), None)
        except UserError as error:
            yield Finding(file, "failed", None, str(error).removeprefix(f"cannot read {file}: "))
            continue
        yield Finding(
            file, judgement.verdict, judgement.probability, judgement.reason, judgement.doubts, frames
        )


def _film(detector: Detector, file: Path) -> tuple[Judgement, dict[str, int]]:
    """The frames vote; the probability is their mean, the reason that of the frame nearest to it."""
    sample = sample_frames(file, FRAMES)
    judged = [detector.judge(frame) for frame in sample.frames]
    counts = Counter(each.verdict for each in judged)
    votes = {verdict: counts[verdict] for verdict in ("fake", "real", "uncertain")}
    known = [(each.probability, each.reason) for each in judged if each.probability is not None]
    if not known:
        return judged[0], votes
    mean = float(np.mean([probability for probability, _ in known]))
    _, typical = min(known, key=lambda each: abs(each[0] - mean))
    why = f"{votes['fake']} of {len(judged)} frames fake, {votes['real']} real; {typical}"
    told = votes["fake"] + votes["real"]
    if told * 2 < len(judged):
        alike = _most_alike([doubt for each in judged for doubt in each.doubts])
        common = len(alike) * 2 >= votes["uncertain"]
        said = alike[0] if common else "compression may have taken traces away"
        doubt = f"most frames are uncertain: {said}"
        return Judgement("uncertain", mean, why, (doubt,)), votes
    verdict: Verdict = "fake" if votes["fake"] >= _FAKE_SHARE * told else "real"
    if verdict == "real" and sample.bits < _LEAST_BITS:
        doubt = f"strongly compressed ({sample.bits:.2f} bits per pixel): traces may be lost"
        return Judgement("uncertain", mean, why, (doubt,)), votes
    return Judgement(verdict, mean, why), votes


def _most_alike(doubts: Sequence[str]) -> list[str]:
    """Those of the most frequent kind; numbers may differ from frame to frame, as in a zoom."""
    kinds: dict[str, list[str]] = {}
    for doubt in doubts:
        kinds.setdefault(re.split(r" \(|:", doubt)[0], []).append(doubt)
    return max(kinds.values(), key=len, default=[])
