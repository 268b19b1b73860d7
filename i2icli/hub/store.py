"""The models that were pulled: where they lie, and what is known of each."""

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from i2icli import registry
from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.home import data_home

RECORD = "pulled.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Pulled(BaseModel):
    """A model that was pulled, as pulled.json beside it has it."""

    model_config = ConfigDict(frozen=True)

    name: str  # what --model calls it
    file: str
    source: str  # what was pulled: a name of the catalogue, hf://..., https://...
    url: str
    sha256: str
    checked: str | None = None  # who had said what its SHA-256 is; None: nobody, it was only recorded
    size: int  # bytes
    system: str
    translates: bool = True  # False: a part that a training can start from
    licence: str | None = None
    version: str  # of i2icli

    @property
    def path(self) -> Path:
        """The model file."""
        return folder_of(self.name) / Path(self.file).name


def folder_of(name: str) -> Path:
    """The folder of a pulled model. Raises UserError for what cannot be a name."""
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise UserError(f"{name!r} cannot be a model's name; expected letters, digits, '.', '-' and '_'")
    return data_home() / "models" / name


def check_name(name: str) -> None:
    """Raise UserError for a name that a model cannot be pulled to."""
    folder_of(name)
    if name in registry.SYSTEMS:
        raise UserError(f"{name!r} means the newest run of that system; choose another --name")


def safe_name(text: str) -> str:
    """A name made of a file's or a repository's. Raises UserError if nothing is left of it."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-_")[:100].rstrip(".-_")
    if not name:
        raise UserError(f"no name can be made of {text!r}; choose one with --name")
    return f"{name}-model" if name in registry.SYSTEMS else name


def pulled() -> list[Pulled]:
    """The models that are here, by name. Those with a damaged record, or without their file, are left out."""
    folders = sorted((data_home() / "models").glob("*/"))
    found = [read_record(folder.name) for folder in folders if _NAME.fullmatch(folder.name)]
    return [each for each in found if each is not None]


def read_record(name: str) -> Pulled | None:
    """What is known of a pulled model; None if it is not here as a whole."""
    try:
        record = Pulled.model_validate_json((folder_of(name) / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None
    return record if record.name == name and record.path.is_file() else None


def write_record(record: Pulled) -> None:
    """Make a model known; from now on `--model` finds it."""
    with atomic_write(folder_of(record.name) / RECORD) as beside:
        beside.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def find_pulled(text: str) -> Path | None:
    """The file of the model that was pulled under a name, or from an address; None if there is none."""
    if _NAME.fullmatch(text):
        record = read_record(text)
        return record.path if record else None
    if "://" in text:
        return next((each.path for each in pulled() if each.source == text), None)
    return None
