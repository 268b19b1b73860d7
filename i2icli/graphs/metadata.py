"""What an exported graph says about itself: the JSON under the key "i2icli-graph". No torch here."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from i2icli.errors import UserError, readable
from i2icli.metadata import Metadata

KEY = "i2icli-graph"
"""Where the JSON is: a key of metadata_props in ONNX, of rt_info in OpenVINO, a file's name in a .pt2."""
FORMAT = 1
MOST_CHARACTERS = 4 * 2**20  # of the JSON: the names of thousands of classes
MAIN, FIRST, BEGIN, ENCODE = "forward", "first", "begin", "encode"
"""Parts of an exported model. forward: the main one; first: `forward` without a memory; begin: the memory
after a given first frame; encode-<names>: what networks make of the conditions of those names."""
MEMORY, NEXT = "memory.", "next."
"""What the names of a memory begin with among inputs, and those of the next one among outputs: a tensor has
one name in ONNX, so an output that is called like an input would be that input."""
OUTPUT = "output"

Dtype = Literal["float32", "float16", "uint8", "int32", "int64", "bool"]
Pixels = Literal["float", "uint8"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Dim = Annotated[int, Field(ge=1, le=2**31 - 1)] | Name
"""A side that is fixed, or the name of one that is not."""
Part = Annotated[str, Field(pattern=r"^(forward|first|begin|encode(-[a-z0-9_]{1,40}){1,8})$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Many = Field(max_length=1000)


class TensorType(BaseModel):
    """Type and shape of an input or output."""

    model_config = ConfigDict(frozen=True)

    dtype: Dtype
    shape: tuple[Dim, ...] = Field(max_length=8)

    def __str__(self) -> str:
        sides = " x ".join(readable(str(side))[:40] for side in self.shape)
        return f"{self.dtype} {sides}".rstrip()


class GraphTask(BaseModel):
    """A task that a graph computes."""

    model_config = ConfigDict(frozen=True)

    name: str | None = Field(max_length=500)
    source: str | None = Field(None, max_length=500)


class PartFile(BaseModel):
    """A further part of a model: a file beside the main one."""

    model_config = ConfigDict(frozen=True)

    file: str = Field(max_length=255, pattern=r"^[^/\\:\x00-\x1f]+$")  # a base name
    sha256: Digest


class GraphMetadata(Metadata):
    """What a graph is: the model that it was made from, and how far it was proven to compute the same.

    The settings are those of the model; `format` counts the formats of graphs, not of models.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    version: str = Field(max_length=100)
    system: str = Field(max_length=100)
    stage: str = Field(max_length=200)
    facts: dict[str, JsonValue] = Field(default_factory=dict)  # what inference needs beside the settings
    tasks: tuple[GraphTask, ...] = Field(min_length=1, max_length=20_000)  # that this graph computes
    part: Part = MAIN
    parts: dict[Part, PartFile] = Field(default_factory=dict, max_length=16)  # of the main part: the others
    precision: str = Field(max_length=40)  # of the weights: fp32, fp16 weights, int8
    pixels: Pixels = "float"  # of images: values in [-1, 1], or whole numbers that the graph scales
    inputs: dict[Name, TensorType] = Many
    outputs: dict[Name, TensorType] = Many
    fingerprint: Digest  # SHA-256 of the weights it was made from
    proven: dict[str, JsonValue] = Field(default_factory=dict)  # how far it computes what the model computes
    notes: tuple[Annotated[str, Field(max_length=1000)], ...] = Field((), max_length=100)

    @model_validator(mode="after")
    def _gives_an_output(self) -> Self:
        if self.part in (MAIN, FIRST) and OUTPUT not in self.outputs:
            raise ValueError(f"there is no {OUTPUT} among its outputs")
        return self

    def to_text(self) -> str:
        """As it is written: JSON in ASCII. Raises ValueError for numbers that are not finite."""
        return json.dumps(self.model_dump(mode="json"), allow_nan=False)


def encode_part(names: Iterable[str]) -> str:
    """The part that `encode` of conditions of these names is: "encode-chosen-reference"."""
    return "-".join([ENCODE, *sorted(names)])


class _Format(BaseModel):
    """What every format says."""

    format: int
    version: str = Field(max_length=100)


def parse_metadata(text: str | None, path: Path, found: Iterable[str] = ()) -> GraphMetadata:
    """The metadata in the text that a file holds under `KEY`.

    found: what there is of a file without one, for the message. Raises UserError for a graph of another
    tool, of a newer i2icli, or damage.
    """
    if text is None:
        has = f", with inputs {', '.join(found)}" if found else ""
        raise UserError(f"{path}: a graph of another tool{has}; expected a file written by i2i export")
    damaged = f"{path}: its description of itself is damaged"
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"{damaged}: {len(text):,} characters, expected at most {MOST_CHARACTERS:,}")
    try:
        head = _Format.model_validate_json(text)
        if head.format > FORMAT:
            raise UserError(
                f"{path}: format {head.format} of graphs was written by i2icli {readable(head.version)}; "
                "upgrade i2icli, or export the model again"
            )
        return GraphMetadata.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = readable(".".join(str(part) for part in first["loc"]))[:100]
        why = f"{where}: {first['msg'].lower()}" if where else first["msg"].lower()
        if first["type"] in ("json_invalid", "model_type"):
            why = "no JSON"
        raise UserError(f"{damaged} ({readable(why)[:200]}); copy the file again") from None


def names(tasks: Iterable[GraphTask]) -> str:
    """Tasks for a message: "winter, summer"."""
    found = [readable(task.name) for task in tasks if task.name is not None]
    return ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")


def to_dict(metadata: GraphMetadata) -> dict[str, Any]:
    """The metadata as JSON values, for `i2i info --json`."""
    return metadata.model_dump(mode="json")
