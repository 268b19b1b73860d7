"""Networks of others' files, one by one, for a training to start from: whichever there are."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from i2icli.checkpoint_files import NetworkFile, checkpoints_in, network_file, newest
from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.originals.checkpoint import Original, Part, State, Weights, plain_name
from i2icli.originals.detect import load_original
from i2icli.originals.forms import inner_networks
from i2icli.originals.reader import read_state, short
from i2icli.registry import entry

Parts = Mapping[str, Part]


@dataclass(frozen=True)
class Taken:
    """A network that a training starts from."""

    name: str  # what the authors call it: "G_A"
    module: str  # what we call it
    about: str = ""  # "horse to zebra"
    alone: bool = False  # whether it was read from a file, or part of one, that holds nothing else
    path: Path | None = None  # of that file

    def __str__(self) -> str:
        return f"{self.name} ({self.about})" if self.about else self.name


@dataclass
class Start:
    """What some files of others hold for a system."""

    tensors: State = field(default_factory=dict)  # as in System.state_dict()
    settings: dict[str, Any] = field(default_factory=dict)  # that their keys and shapes tell
    made_for: str = ""  # the system, where it was recognised as a whole
    taken: list[Taken] = field(default_factory=list)
    beside: list[Path] = field(default_factory=list)  # files of the same epoch that were not asked for
    partial: bool = False  # it holds no whole generator


def parts_of(system: str, config: Config) -> Parts:
    """The networks that files of the authors hold for a system, by the authors' names; often none."""
    original = entry(system).original
    parts = getattr(import_module(original), "parts", None) if original else None
    return parts(config) if parts else {}


def read_start(system: str, config: Config, source: Path) -> Start:
    """Everything in a file, or in the newest files of a folder, that networks of a system may start from.

    Raises UserError for files that cannot be read safely, and where nothing is recognised.
    """
    parts, start = parts_of(system, config), Start()
    files = _files(source, start)
    named = {plain(name) for name in files}
    for name, path in files.items():
        if not _read_file(start, parts, name, path, exact=named <= parts.keys()):
            _read_whole(start, path, needed=len(files) == 1)
    if not start.tensors:
        raise UserError(f"{source}: no network here that {system} could start from")
    return start


def plain(name: str) -> str:
    """netG_A -> G_A."""
    return re.sub(r"^net_?", "", name)


def _files(source: Path, start: Start) -> dict[str, Path]:
    """The files to read by the networks that they hold; generators first, whose encoders come with them."""
    if source.is_dir():
        files = newest(checkpoints_in(source))
    else:
        named = network_file(source)
        fellows = newest(path for path in checkpoints_in(source.parent) if _same_epoch(path, named))
        files = {name: each for name, each in fellows.items() if _belongs(name, named)}
        if named is None or named.network not in files:
            return {"": source}
        start.beside = [each.path for name, each in fellows.items() if name not in files]
    ordered = sorted(files, key=lambda name: (not files[name].generates, len(name), name))
    return {name: files[name].path for name in ordered}


def _same_epoch(path: Path, named: NetworkFile | None) -> bool:
    found = network_file(path)
    return found is not None and named is not None and found.epoch == named.epoch


def _belongs(name: str, named: NetworkFile | None) -> bool:
    """Whether a network goes with the one that was named: itself, or its fellow by number."""
    return named is not None and (
        name == named.network
        or re.sub(r"\d+$", "#", name) == re.sub(r"\d+$", "#", named.network) != named.network
    )


def _read_file(start: Start, parts: Parts, name: str, path: Path, *, exact: bool) -> bool:
    """Take the networks in a file, each by its name; whether a generator is among them, or is the file."""
    state = read_state(path)
    part = _part(parts, name, exact=exact)
    candidates = [part] if part else list(parts)
    if _take_first(start, parts, candidates, state, path):
        return True
    inner = [(each.rpartition(".")[2], found) for each, found in inner_networks(state)]
    exact = {plain(each) for each, _ in inner if _part(parts, each, exact=False)} <= parts.keys()
    told = [(_part(parts, each, exact=exact), found) for each, found in inner]
    done: set[str] = set()
    for each, found in told:
        if each and each not in done and _take_first(start, parts, [each], found, path):
            done.add(each)
    if not done:
        fitting = [(each, found) for each, found in inner if any(_readings(parts, candidates, found))]
        about = f"{fitting[0][0]}, the first of {len(fitting)} in the file" if len(fitting) > 1 else ""
        return any(_take_first(start, parts, candidates, found, path, about) for _, found in fitting[:1])
    return any(plain_name(each).startswith("g") for each in done)


def _part(parts: Parts, name: str, *, exact: bool) -> str | None:
    """The part that a name means: the authors' own, or in the spelling of others."""
    own = plain(name)
    if exact and own in parts:
        return own
    return next((each for each, part in parts.items() if plain_name(name) in part.names), None) or (
        own if own in parts else None
    )


def _take_first(
    start: Start, parts: Parts, names: list[str], state: State, path: Path, about: str = ""
) -> bool:
    """Take a network as the first of some parts that it can be.

    about: which it is, where that is no matter of course. Raises UserError if another file was taken for that
    part.
    """
    for name, found in _readings(parts, names, state):
        part = parts[name]
        before = next((each.path for each in start.taken if each.module == part.module), None)
        if before is not None:
            files = f"{before.name}, {path.name}"
            raise UserError(
                f"{path.parent} holds several {name} ({files}); name one of them, such as {before}"
            )
        start.tensors |= {f"{part.module}.{key}": tensor for key, tensor in found.tensors.items()}
        start.settings |= found.settings
        start.taken.append(Taken(name, part.module, about or part.about, alone=True, path=path))
        return True
    return False


def _readings(parts: Parts, names: list[str], state: State) -> Iterator[tuple[str, Weights]]:
    for name in names:
        try:
            found = parts[name].read(state)
        except (KeyError, IndexError, ValueError):
            continue  # layers are missing
        if found is not None:
            yield name, found


def _read_whole(start: Start, path: Path, *, needed: bool) -> None:
    """Take what is recognised as a model, with the files that belong to it; once is enough."""
    if start.made_for:
        return
    try:
        original: Original = load_original(path)
    except UserError:
        if start.taken or not needed:
            return  # a network beside others that nothing starts from
        raise
    start.made_for, start.partial = original.system, not original.translates
    fields = original.config.model_fields_set
    start.settings |= {
        key: each for key, each in original.config.model_dump(mode="json").items() if key in fields
    }
    start.tensors = dict(original.tensors) | start.tensors
    modules = dict.fromkeys(short(name.partition(".")[0]) for name in original.tensors)
    start.taken += [
        Taken(module, module) for module in modules if module not in {each.module for each in start.taken}
    ]
