"""What a network sees of a video frame in place of the frame: edges, or landmarks drawn as lines.

No torch here: settings hold a `Condition`, so that a model file tells how its input is made of a plain video.
The room `extractors` computes it.
"""

from dataclasses import dataclass
from typing import Literal

ConditionKind = Literal["edges", "hed", "face"]
"""edges: Canny; hed: a learned edge network (Xie and Tu, ICCV 2015); face: landmarks drawn as lines."""


_PLANES: dict[ConditionKind, int] = {"edges": 1, "hed": 1, "face": 3}


def planes(kind: ConditionKind) -> int:
    """The number of planes of a condition: lines of a face are coloured by its parts."""
    return _PLANES[kind]


@dataclass(frozen=True)
class Condition:
    """How planes are computed from an image, with everything that this depends on."""

    kind: ConditionKind
    blur: float = 0.0  # of Canny: standard deviation of the Gaussian before it, in pixels
    low: float = 0.0  # of Canny: thresholds of the gradient, of 8-bit values
    high: float = 0.0
    background: bool = True  # of face: Canny edges outside the face as well
