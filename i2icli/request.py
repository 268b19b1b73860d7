"""What a user gives beside the name of a task, as arrays. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = dict[str, Array]
"""By name: images float32, ids int64, (B, C, H, W) each; conditions of any shape."""


@dataclass(frozen=True)
class Request:
    """What `Config.conditions` makes arrays of."""

    inputs: Arrays = field(default_factory=dict)  # (B, C, H, W) each, padded; of tasks that condition on them
    reference: Array | None = None  # (1, C, h, w) in [-1, 1], of any size: image whose style is to be taken
    latent: Array | None = None  # (B, Z) style or noise code, float32
    truncate: float | None = None  # `--truncate`, where a task reads it
    style: Mapping[str, str] = field(default_factory=dict)  # `--style`: of a class or object, by its name
    facts: Mapping[str, Any] = field(default_factory=dict)  # what the model knows beside its settings
