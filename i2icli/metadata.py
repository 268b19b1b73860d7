"""What a published model says about itself. No torch here: `i2i info` must be quick."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open

from i2icli import registry
from i2icli.config import Config
from i2icli.errors import UserError, readable
from i2icli.stage import Stage

FORMAT = 1
LARGEST_HEADER = 16 * 2**20  # bytes in which a .safetensors file names its tensors; ours take 0.2 MB
LARGEST_NUMBER = 2**53


class Metadata(BaseModel):
    """The JSON under the key "i2icli" in the header of a model.safetensors."""

    model_config = ConfigDict(frozen=True)

    format: int = Field(ge=0, lt=LARGEST_NUMBER)
    version: str = Field(max_length=100)
    system: str = Field(max_length=100)
    stage: str = Field(max_length=100)
    stage_step: int = Field(ge=0, lt=LARGEST_NUMBER)
    step: int = Field(ge=0, lt=LARGEST_NUMBER)
    config: dict[str, Any]

    def settings(self, path: Path) -> Config:
        """The system's settings; a missing one takes today's default, an unknown one is refused by name."""
        if isinstance(self.config.get("classes"), str):  # a path to be read, which files of ours never hold
            raise UserError(f"{path}: its classes are no list; the file is damaged")
        try:
            return registry.config_type(self.system).model_validate(self.config)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            setting = f"setting {_cut(name, 80)} = {_shown(first['input'])}: " if name else ""
            raise UserError(
                f"{path}: {setting}{_cut(first['msg'].lower(), 200)}; "
                f"written by i2icli {_cut(self.version)}, a newer i2icli may read it"
            ) from None
        except (ValueError, OverflowError, RecursionError):  # numbers and lists beyond all reason
            raise UserError(f"{path}: settings that no model has; the file is damaged") from None


def cleaned(config: Config) -> Config:
    """The settings as models, exports and reports hold them: none names a file of this machine."""
    return config.with_found(dict.fromkeys(config.local_files)) if config.local_files else config


def stage_named(config: Config, name: str, path: Path) -> Stage:
    """The stage of that name. Raises UserError if the settings have none: then the file is damaged."""
    stages = {stage.name: stage for stage in config.stages()}
    if name not in stages:
        raise UserError(f"{path}: stage {name!r} is not one of {', '.join(stages)}; the file is damaged")
    return stages[name]


def check_header(path: Path) -> None:
    """Raise UserError for a .safetensors file whose header is larger than any of ours: it is read whole."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UserError(f"{path}: not a readable .safetensors file ({error.strerror})") from None
    size = int.from_bytes(start, "little")
    if len(start) == 8 and LARGEST_HEADER < size < path.stat().st_size:
        raise UserError(f"{path}: its header has {size:,} bytes, more than any model's; it is not read")


def describes_itself(path: Path) -> bool:
    """Whether a file is one of ours, or damaged so that nobody can tell; False for weights of others."""
    if path.suffix.lower() != ".safetensors":
        return False
    check_header(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return "i2icli" in (file.metadata() or {}) or not file.keys()
    except (SafetensorError, OSError):
        return True


def read_metadata(path: Path) -> Metadata:
    """The metadata of a model file. Raises UserError if it is not one of ours, damaged or too new."""
    check_header(path)
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("i2icli")
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a readable .safetensors file ({_cut(error)})") from None
    if text is None:
        raise UserError(
            f"{path}: holds weights but not what they are; only files of i2i train describe themselves"
        )
    try:
        metadata = Metadata.model_validate(json.loads(text))
    except (ValueError, RecursionError):
        raise UserError(f"{path}: its description of itself is damaged; copy the file again") from None
    if metadata.format > FORMAT:
        raise UserError(
            f"{path}: format {metadata.format} was written by i2icli {_cut(metadata.version)}; upgrade i2icli"
        )
    entry = registry.SYSTEMS.get(metadata.system)
    lacking = registry.config_type(metadata.system).told_by(metadata.config, shapes) if entry else {}
    return metadata.model_copy(update={"config": metadata.config | lacking})


def system_of_graph(path: Path) -> str:
    """The system that an exported graph is of. Raises UserError for one that is not ours or not safe."""
    from i2icli.graphs.graph_file import read_graph_metadata  # few files are graphs

    metadata = read_graph_metadata(path)
    metadata.settings(path)
    return metadata.system


def _shown(value: object) -> str:
    """A setting, as it may stand in a message."""
    if isinstance(value, list | dict):
        return f"{len(value):,} entries"
    if isinstance(value, int) and abs(value) >= LARGEST_NUMBER:  # Python does not even print very large ones
        return "a huge number"
    return _cut(value, 80)


def _cut(text: object, most: int = 120) -> str:
    """A text from a file, as it may stand in a message."""
    return readable(str(text)[:most])
