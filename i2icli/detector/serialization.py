"""Detector files: safetensors that hold numbers and a description, read as what may be hostile."""

import json
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as as_bytes

from i2icli.detector.inputs import Features
from i2icli.errors import UserError
from i2icli.files import atomic_write

FORMAT = 1
MOST_BYTES = 200_000_000  # of a detector file: support vectors of a large set come nowhere near
_KEY = "i2icli-detector"

Kind = Literal["cascade", "linear", "rbf", "poly", "clusters", "trees"]


class Description(BaseModel):
    """What a detector says about itself: the JSON in the head of its file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: int = FORMAT
    version: str
    features: Features
    length: int = Field(ge=1, le=100_000)
    kind: Kind
    name: str = Field(max_length=80)  # of the classifier, as the user asked for it
    real_below: float = Field(ge=0, le=1)  # probability up to which the verdict is "real"
    fake_above: float = Field(ge=0, le=1)  # and from which it is "fake"
    slope: float
    offset: float
    limit: float | None = Field(default=None, gt=0)  # of scaled features
    reals: int = Field(ge=0)
    fakes: int = Field(ge=0)
    smallest: int = Field(ge=1)  # shorter side of the smallest training picture
    largest: int = Field(ge=1)  # longer side of the largest
    size: tuple[int, int] | None = None  # height, width, where all were of one size
    equal_side: int | None = Field(default=None, ge=16)  # pictures are cut and compressed alike before
    equal_channels: Literal[1, 3] = 3  # and have so many then
    formats: list[str] = Field(max_length=20)
    scores: dict[str, float] = Field(max_length=20)  # as measured when it was fitted
    fitted_on: str = Field(default="", max_length=2000)  # in words

    @model_validator(mode="after")
    def _verdicts_are_apart(self) -> Self:
        if self.real_below > self.fake_above:
            raise ValueError("real up to more than what is fake")
        return self


def save(path: Path, description: Description, arrays: dict[str, NDArray[Any]]) -> None:
    """Write a detector file. Raises OSError."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic_write(path) as beside:
        # Not safetensors' own writing to a file, which nobody but the user may read then.
        beside.write_bytes(as_bytes(contiguous, metadata={_KEY: description.model_dump_json()}))


def load(path: Path) -> tuple[Description, dict[str, NDArray[Any]]]:
    """Read a detector file. Raises UserError for anything else: other files, damage, what is too new."""
    if not path.is_file():
        raise UserError(f"{path}: no such detector file; i2i detector fit REAL FAKE writes one")
    if path.stat().st_size > MOST_BYTES:
        raise UserError(f"{path}: {path.stat().st_size:,} bytes are too many for a detector")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(_KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()} if text else {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path}: not a readable detector file ({_first_line(error)}); pickles are never read; "
            "expected a .safetensors file of i2i detector fit"
        ) from None
    if text is None:
        raise UserError(
            f"{path}: a .safetensors file, but not of a detector; expected one that i2i detector fit wrote"
        )
    return _described(path, text), arrays


def _described(path: Path, text: str) -> Description:
    try:
        found = json.loads(text)
        newer = isinstance(found, dict) and isinstance(found.get("format"), int) and found["format"] > FORMAT
        if newer:
            raise UserError(f"{path}: written by a newer i2icli; update it with pip")
        return Description.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "verdicts"
        raise UserError(f"{path}: its description is damaged ({where}: {first['msg'].lower()})") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path}: its description of itself is damaged; copy the file again") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
