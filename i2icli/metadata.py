"""What a published model says about itself. No torch here: `i2i info` must be quick."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open

from i2icli import registry
from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.stage import Stage

FORMAT = 1


class Metadata(BaseModel):
    """The JSON under the key "i2icli" in the header of a model.safetensors."""

    model_config = ConfigDict(frozen=True)

    format: int
    version: str
    system: str
    stage: str
    stage_step: int = Field(ge=0)
    step: int = Field(ge=0)
    config: dict[str, Any]

    def settings(self, path: Path) -> Config:
        """The system's settings; a missing one takes today's default, an unknown one is refused by name."""
        try:
            return registry.config_type(self.system).model_validate(self.config)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            setting = f"setting {name} = {str(first['input'])[:80]}: " if name else ""
            raise UserError(
                f"{path}: {setting}{first['msg'].lower()}; "
                f"written by i2icli {self.version}, a newer i2icli may read it"
            ) from None


def stage_named(config: Config, name: str, path: Path) -> Stage:
    """The stage of that name. Raises UserError if the settings have none: then the file is damaged."""
    stages = {stage.name: stage for stage in config.stages()}
    if name not in stages:
        raise UserError(f"{path}: stage {name!r} is not one of {', '.join(stages)}; the file is damaged")
    return stages[name]


def read_metadata(path: Path) -> Metadata:
    """The metadata of a model file. Raises UserError if it is not one of ours, damaged or too new."""
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("i2icli")
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a readable .safetensors file ({error})") from None
    if text is None:
        raise UserError(
            f"{path}: holds weights but not what they are; only files of i2i train describe themselves"
        )
    try:
        metadata = Metadata.model_validate(json.loads(text))
    except ValueError:
        raise UserError(f"{path}: its description of itself is damaged; copy the file again") from None
    if metadata.format > FORMAT:
        raise UserError(
            f"{path}: format {metadata.format} was written by i2icli {metadata.version}; upgrade i2icli"
        )
    return metadata
