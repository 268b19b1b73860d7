"""The manifest of an output folder: which model and settings its results come from."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.inference.options import TranslateOptions
from i2icli.marks import MANIFEST

_FILES = frozenset({"reference", "instances"})  # settings that are files or folders
_WITH_CONTENT = re.compile(r"(.+?)((?: [0-9a-f]{16})+)", re.DOTALL)  # a path as `content` has it
HEAD = 2**20  # bytes of a model file that tell it from others: its description and first weights


def fingerprint(model: Path) -> str:
    """Short text that changes when the model does: a file, or a folder of exported graphs."""
    if model.is_dir():
        return content(model)
    with model.open("rb") as file:
        return f"{hashlib.blake2b(file.read(HEAD), digest_size=8).hexdigest()}-{model.stat().st_size}"


def content(given: object) -> str:
    """Text for a file, folder, array, bytes or plain value that changes when what it holds does."""
    if isinstance(given, bytes):
        return hashlib.blake2b(given, digest_size=8).hexdigest()
    if isinstance(given, np.ndarray):
        return hashlib.blake2b(np.ascontiguousarray(given).tobytes(), digest_size=8).hexdigest()
    text = str(given)
    path = Path(text)
    try:
        files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        parts = [hashlib.blake2b(each.read_bytes(), digest_size=8).hexdigest() for each in files]
    except (OSError, ValueError):
        return text  # no file: the value itself, such as numbers
    return " ".join([text, *parts])


def write_manifest(out: Path, settings: dict[str, object], *, overwrite: bool) -> int:
    """Mark a folder as holding results made with these settings, which are named like options.

    Returns when these results were started (ns): older files in the folder are something else.
    Raises UserError if it holds results of other settings, unless they may be overwritten.
    """
    path = out / MANIFEST
    before = _read(path)
    settings = without_folders({name: value for name, value in settings.items() if value is not None})
    if before is not None and before != settings and not overwrite and _holds_more(out):
        names = dict.fromkeys([*settings, *before])
        changed = ", ".join(f"--{name}" for name in names if settings.get(name) != before.get(name))
        raise UserError(
            f"{out} holds results made with another {changed}; choose another --out, or add --overwrite"
        )
    try:
        if before != settings:
            with atomic_write(path) as beside:
                beside.write_text(json.dumps(settings), encoding="utf-8")
        return path.stat().st_mtime_ns
    except OSError as error:
        raise UserError(f"cannot write to --out {out}: {(error.strerror or str(error)).lower()}") from error


def settings_of(model: Path, options: TranslateOptions) -> dict[str, object]:
    """What decides the results: the model and the options about outputs, by the names of their options."""
    # Earlier versions had no such settings.
    position: dict[str, object] = {"keep-gps": True} if options.keep_gps else {}
    position |= {"detail": True} if options.detail else {}
    read = {
        "pages": options.pages,
        "background": options.background,
        "channels-first": options.channels_first,
    }
    return position | {
        "model": fingerprint(model),
        "to": options.to,
        "from": options.source,
        "reference": [content(each) for each in options.reference] or None,
        "instances": None if options.instances is None else str(options.instances),
        "style": dict(options.style) or None,
        "samples": options.samples,
        "latent": None if options.latent is None else content(options.latent),
        "interpolate": options.interpolate,
        "truncate": options.truncate,
        "size": list(options.size) if isinstance(options.size, tuple) else options.size,
        "seed": options.seed,
        "no-pairs": None if options.pairs else True,
        **{name: value for name, value in read.items() if value is not None},
    }


def _holds_more(out: Path) -> bool:
    """Whether there is anything but hidden files: nothing else is left where every input failed."""
    return any(not entry.name.startswith(".") for entry in out.iterdir())


def _read(path: Path) -> dict[str, object] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(value, dict):
        return None
    return without_folders({name: each for name, each in value.items() if each is not None})


def without_folders(settings: Mapping[str, object]) -> dict[str, object]:
    """Settings by which results are known, with names of files alone: who gets results need not know where.

    Files are still told apart by what they hold.
    """
    return {name: _without_folders(value, named=name in _FILES) for name, value in settings.items()}


def _without_folders(value: object, *, named: bool) -> object:
    if isinstance(value, list):
        return [_without_folders(each, named=named) for each in value]
    if not isinstance(value, str):
        return value
    found = _WITH_CONTENT.fullmatch(value)
    if found is not None:
        return Path(found[1]).name + found[2]
    return Path(value).name if named else value
