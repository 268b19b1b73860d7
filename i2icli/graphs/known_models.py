"""What is known about models by the hashes of their files, so that graphs of them run without loading them.

A model.safetensors says what it is, but not all that inference needs; the files of others say nothing.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue, ValidationError

from i2icli import __version__, registry
from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.graphs.weight_hashes import model_hash
from i2icli.metadata import FORMAT, Metadata
from i2icli.stage import Stage

SUFFIX = ".model.json"
MOST = 200  # models that are known


class KnownModel(Metadata):
    """What a model is, as it was once loaded."""

    facts: dict[str, JsonValue] = Field(default_factory=dict)  # see `System.facts`
    notes: tuple[str, ...] = ()  # what a user should know about it


def known_model(
    system: str,
    config: Config,
    stage: Stage,
    steps: tuple[int, int],
    facts: dict[str, Any],
    notes: tuple[str, ...],
) -> KnownModel:
    """What is to be remembered. system: its name in the registry; steps: of the stage, and in all."""
    return KnownModel(
        format=FORMAT,
        version=__version__,
        system=system,
        stage=stage.name,
        stage_step=steps[0],
        step=steps[1],
        config=config.model_dump(mode="json"),
        facts=facts,
        notes=notes,
    )


def recall(model: Path, home: Path) -> KnownModel | None:
    """What is known about a model; None: nothing. Raises UserError if it cannot be read."""
    try:
        known = KnownModel.model_validate_json(_place(model, home).read_bytes())
        known.settings(model)
    except (OSError, ValidationError, UserError):
        return None
    return known if known.version == __version__ and known.system in registry.SYSTEMS else None


def remember(model: Path, home: Path, known: KnownModel) -> None:
    """Keep what is known about a model. Raises OSError where the cache cannot be written."""
    place = _place(model, home)
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(place) as path:
        path.write_text(known.model_dump_json(), encoding="utf-8")
    every = [(_time(each), each) for each in home.glob(f"*{SUFFIX}")]
    for _, each in sorted(every, reverse=True)[MOST:]:
        each.unlink(missing_ok=True)


def _place(model: Path, home: Path) -> Path:
    return home / f"{model_hash(model, home)[:32]}{SUFFIX}"


def _time(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
