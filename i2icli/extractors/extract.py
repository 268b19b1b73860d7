"""What computes a condition, and which one suits a video."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.conditions import Condition, ConditionKind
from i2icli.errors import UserError
from i2icli.extractors.edges import Image, canny, thresholds

Extractor: TypeAlias = Callable[[Image], NDArray[np.uint8]]
"""(H, W, 3) -> (H, W, C), C as `conditions.planes` says."""


def extractor(condition: Condition, *, device: str = "cpu") -> Extractor:
    """What computes the planes of a condition; thread-safe. Raises UserError if a package is missing."""
    thresholds_of = (condition.blur, condition.low, condition.high)
    if condition.kind == "edges":
        return partial(_canny, thresholds_of)
    if condition.kind == "hed":
        from i2icli.extractors.learned import LearnedEdges

        return LearnedEdges(device)
    from i2icli.extractors.face_lines import FaceLines

    return FaceLines(*thresholds_of, background=condition.background)


def chosen(
    kind: ConditionKind,
    frames: Sequence[Image],
    *,
    blur: float | None = None,
    low: float | None = None,
    high: float | None = None,
    background: bool = True,
) -> Condition:
    """The condition that suits some frames (H, W, 3) of a video; see `edges.thresholds` for the rule.

    blur, low, high, background: as given, None: chosen. Raises UserError if none of the frames shows a face
    where that is needed, and for thresholds in the wrong order.
    """
    if kind == "hed":
        return Condition(kind)
    if kind == "face":
        from i2icli.face import find_face

        if not any(find_face(frame) is not None for frame in frames):
            raise UserError(
                f"--condition face: no face in any of {len(frames)} frames; choose --condition edges"
            )
        if not background:
            return Condition(kind, background=False)
    found = thresholds(frames, blur)
    upper = high if high is not None else found[2] if low is None else max(found[2], low)
    lower = low if low is not None else min(found[1], upper)
    if lower > upper:
        raise UserError(f"thresholds of edges of {lower:g} and {upper:g}; the lower comes first")
    return Condition(kind, found[0], lower, upper, background)


def settings_of(condition: Condition) -> dict[str, Any]:
    """What was chosen, as settings: condition_blur, condition_low, condition_high; {} if nothing was."""
    if condition.kind == "hed" or not condition.high:
        return {}
    return {f"condition_{name}": asdict(condition)[name] for name in ("blur", "low", "high")}


def chooser(
    kind: ConditionKind,
    *,
    blur: float | None = None,
    low: float | None = None,
    high: float | None = None,
    background: bool = True,
    device: str = "cpu",
) -> Callable[[Sequence[Image]], tuple[dict[str, Any], Extractor]]:
    """What `data.kinds.clips.Clips` chooses a condition with: sample frames -> settings and extractor."""

    def choose(frames: Sequence[Image]) -> tuple[dict[str, Any], Extractor]:
        condition = chosen(kind, frames, blur=blur, low=low, high=high, background=background)
        return settings_of(condition), extractor(condition, device=device)

    return choose


def _canny(values: tuple[float, float, float], image: Image) -> NDArray[np.uint8]:
    return canny(image, *values)
