"""Detector files: safetensors with arrays and metadata, read defensively."""

import json
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as as_bytes

from i2icli.detector.features import Features
from i2icli.errors import UserError
from i2icli.files import atomic_write

FORMAT = 1
MAX_BYTES = 200_000_000  # of a detector file: far more than support vectors of a large set take
_KEY = "i2icli-detector"

Kind = Literal["cascade", "linear", "rbf", "poly", "clusters", "trees"]


class DetectorInfo(BaseModel):
    """Metadata of a detector: the JSON in the header of its file. Field names are the file format."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: int = FORMAT
    version: str
    features: Features
    length: int = Field(ge=1, le=100_000)
    kind: Kind
    name: str = Field(max_length=80)  # of the classifier, as on the command line
    real_below: float = Field(ge=0, le=1)  # probability up to which the verdict is "real"
    fake_above: float = Field(ge=0, le=1)  # probability from which it is "fake"
    slope: float
    offset: float
    limit: float | None = Field(default=None, gt=0)  # scaled features are clipped to
    reals: int = Field(ge=0)
    fakes: int = Field(ge=0)
    smallest: int = Field(ge=1)  # shorter side of the smallest training image
    largest: int = Field(ge=1)  # longer side of the largest
    size: tuple[int, int] | None = None  # height, width, if all images had one size
    equal_side: int | None = Field(default=None, ge=16)  # pixels, if images are equalised first
    equal_channels: Literal[1, 3] = 3  # of equalised images
    formats: list[str] = Field(max_length=20)
    scores: dict[str, float] = Field(max_length=20)  # held-out, from the fit
    fitted_on: str = Field(default="", max_length=2000)  # the training data, in words

    @model_validator(mode="after")
    def _thresholds_are_ordered(self) -> Self:
        if self.real_below > self.fake_above:
            raise ValueError("real_below exceeds fake_above")
        return self


def save(path: Path, info: DetectorInfo, arrays: dict[str, NDArray[Any]]) -> None:
    """Write a detector file. Raises OSError."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic_write(path) as temporary:
        # safetensors' own save_file makes files that only their owner can read.
        temporary.write_bytes(as_bytes(contiguous, metadata={_KEY: info.model_dump_json()}))


def is_detector(path: Path) -> bool:
    """Whether a file says that it is a detector, even if it is damaged or too new to be read."""
    try:
        with safe_open(path, framework="numpy") as file:
            return _KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def load(path: Path) -> tuple[DetectorInfo, dict[str, NDArray[Any]]]:
    """Read a detector file. Raises UserError for other files, damaged ones and newer formats."""
    if not path.is_file():
        raise UserError(f"{path}: no such detector file; i2i detector fit REAL FAKE writes one")
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"{path}: {path.stat().st_size:,} bytes is too large for a detector")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(_KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()} if text else {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:  # types NumPy lacks
        raise UserError(
            f"{path}: not a readable detector file ({_first_line(error)}); pickles are never read; "
            "expected a .safetensors file from i2i detector fit"
        ) from None
    if text is None:
        raise UserError(
            f"{path}: a .safetensors file, but not a detector; expected one written by i2i detector fit"
        )
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise UserError(f"{path}: damaged detector file ({name[:40]}: {array.dtype}); copy it again")
    return _parse_info(path, text), arrays


def _parse_info(path: Path, text: str) -> DetectorInfo:
    try:
        found = json.loads(text)
        newer = isinstance(found, dict) and isinstance(found.get("format"), int) and found["format"] > FORMAT
        if newer:
            raise UserError(f"{path}: written by a newer i2icli; update it with pip")
        return DetectorInfo.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "thresholds"
        raise UserError(f"{path}: damaged metadata ({where}: {first['msg'].lower()})") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path}: damaged metadata; copy the file again") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
