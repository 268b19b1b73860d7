"""What must not be published: paths of this machine, its name, the user's name."""

import getpass
import json
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from i2icli.config import Config
from i2icli.errors import UserError, readable
from i2icli.fields import choices, flag
from i2icli.metadata import Metadata
from i2icli.metadata import cleaned as cleaned

LARGEST_HEADER = 100_000_000  # bytes, as the format has it
_PATH = re.compile(r"/|~|\\\\|[A-Za-z]:[\\/]|file:")


def check_private(config: Config, *, keep_names: bool = False) -> None:
    """Raise UserError naming a setting that says who trained, where, or what files are called there.

    keep_names: the names of domains and classes may be those of the user and of the machine.
    """
    names = {} if keep_names else _own_names()
    home = str(Path.home())
    for setting, text in _texts(config):
        shown = f"{flag(setting)} holds {readable(text)[:80]!r}"
        if _PATH.match(text.strip()) or (len(home) > 1 and home in text):
            raise UserError(f"{shown}, a path of this machine; a model with it is not published")
        for name, whose in names.items():
            if re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text, re.IGNORECASE):
                raise UserError(f"{shown}, {whose} name; if it may be published, add --keep-names")


def write_cleaned(source: Path, target: Path, metadata: Metadata) -> None:
    """Copy a model file with other metadata, and none but i2icli's. The weights are not decoded."""
    with source.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LARGEST_HEADER:
            raise UserError(f"{source}: not a readable .safetensors file (its header is too large)")
        header = json.loads(file.read(length))
        header["__metadata__"] = {"i2icli": json.dumps(metadata.model_dump())}
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)  # weights are aligned to 8 bytes
        with target.open("wb") as copy:
            copy.write(len(text).to_bytes(8, "little") + text)
            shutil.copyfileobj(file, copy, 2**20)


def _texts(config: Config) -> Iterator[tuple[str, str]]:
    """Every text that a user may have chosen, with the setting's name; in lists and mappings too."""

    def within(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for key, each in value.items():
                yield from within(key)
                yield from within(each)
        elif isinstance(value, list | tuple):
            for each in value:
                yield from within(each)

    for name, value in config.model_dump(mode="json").items():
        if not choices(type(config).model_fields[name]):
            yield from ((name, text) for text in within(value))


def _own_names() -> dict[str, str]:
    """Names that say who and where: the user's, the home folder's, the machine's; whose each is."""
    found: dict[str, str] = {}
    with suppress(OSError, KeyError, ImportError):  # a container may have no entry for the user
        found[getpass.getuser()] = "your user"
    found[Path.home().name] = "your user"
    host = socket.gethostname()
    found |= {host: "this machine's", host.split(".")[0]: "this machine's"}
    return {name: whose for name, whose in found.items() if len(name) > 1}
