"""What a model file is, read from its own description or, for files of others, from its keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from i2icli import registry
from i2icli.config import Config
from i2icli.errors import UserError, print_number, readable
from i2icli.graphs.graph_file import is_graph, refuse_traced
from i2icli.graphs.metadata import GraphMetadata
from i2icli.graphs.models import main_graphs, part_of
from i2icli.graphs.offer import by_key, left_out, offered
from i2icli.metadata import describes_itself, read_metadata, stage_named
from i2icli.report.log import read_log
from i2icli.runs import BEST
from i2icli.task import Task, names_of

_ITEM_BYTES = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
}


@dataclass
class Network:
    """One network inside a model file."""

    name: str
    parameters: int = 0
    bytes: int = 0


@dataclass(repr=False)
class Description:
    """A model file in words and numbers."""

    file: str
    system: str
    paper: str
    url: str
    changed: dict[str, Any]  # settings that differ from the defaults
    settings: dict[str, Any]  # all of them
    tasks: list[Task]  # what it can be asked for, the default first
    targets: list[str]  # their names
    networks: list[Network]
    written_by: str | None = None  # i2icli's version; None for files of others
    recognised_by: str | None = None  # the keys and shapes by which a file of others was recognised
    stage: str | None = None
    step: int | None = None
    steps: int | None = None
    scores: dict[str, float] = field(default_factory=dict)  # the last measured on validation images
    scores_step: int | None = None
    best: str | None = None  # the best model beside the last
    parts: dict[str, list[str]] = field(default_factory=dict)  # of its networks, as `--freeze` takes them
    notes: list[str] = field(default_factory=list)
    graph: dict[str, str] = field(default_factory=dict)  # of an export: what it is, and how far it was proven

    def __repr__(self) -> str:
        """What it is, how far it was trained, what it can be asked for and where it lies."""
        trained = "" if self.step is None else f", {self.step:,} steps"
        scores = "".join(f", {name} {print_number(value)}" for name, value in self.scores.items())
        to = f", to {', '.join(self.targets[:8])}{', ...' * (len(self.targets) > 8)}" if self.targets else ""
        return f"<Description {self.system}{trained}{scores}{to}: {self.file}>"


def describe(path: Path) -> Description:
    """What a model file is. Raises UserError in one line for a damaged or unknown file."""
    if path.is_dir() or is_graph(path):
        return _graphs(path)
    refuse_traced(path)
    return _ours(path) if describes_itself(path) else _foreign(path)


def _ours(path: Path) -> Description:
    metadata = read_metadata(path)
    config = metadata.settings(path)
    entry = registry.entry(metadata.system)
    shapes = list(_safetensors_shapes(path))
    tasks = config.tasks(stage_named(config, metadata.stage, path))
    found = Description(
        file=str(path),
        system=metadata.system,
        paper=entry.paper,
        url=entry.url,
        changed=changed_settings(config),
        settings=_settings(config),
        tasks=list(tasks),
        targets=list(names_of(tasks)),
        networks=_networks(shapes),
        parts=_parts(shapes),
        written_by=metadata.version,
        stage=metadata.stage,
        step=metadata.step,
        steps=config.steps,
    )
    for row in read_log(path.parent / "log.jsonl"):
        if "validation" in row and row["step"] <= metadata.step:  # a killed run has logged more than it saved
            found.scores, found.scores_step = row["validation"], row["step"]
    if path.name != BEST and (path.parent / BEST).is_file():
        found.best = str(path.parent / BEST)
    return found


def _graphs(path: Path) -> Description:
    mains = main_graphs(path)
    first = mains[0].metadata
    config = first.settings(path)
    entry = registry.entry(first.system)
    every = config.tasks(stage_named(config, first.stage, path))
    tasks = offered(every, by_key(mains, every))
    found = Description(
        file=str(path),
        system=first.system,
        paper=entry.paper,
        url=entry.url,
        changed=changed_settings(config),
        settings=_settings(config),
        tasks=list(tasks),
        targets=list(names_of(tasks)),
        networks=[],
        written_by=first.version,
        stage=first.stage,
        step=first.step,
        steps=config.steps,
        notes=[*first.notes, *left_out(every, tasks)],
        graph=graph_lines(first),
    )
    for graph in mains:
        parts = [part_of(graph, name) for name in graph.metadata.parts]
        files = [graph, *(part for part in parts if part is not None)]
        found.networks += [Network(each.path.name, each.parameters, each.size) for each in files]
    return found


def graph_lines(metadata: GraphMetadata) -> dict[str, str]:
    """An export in words: weights, pixels, inputs, outputs, and what was proven of it."""
    pixels = {"float": "values in [-1, 1]", "uint8": "0 to 255"}[metadata.pixels]
    proven = metadata.proven
    numbers = (
        [f"largest difference {proven['difference']:.1g}"] if _is_number(proven.get("difference")) else []
    )
    numbers += [f"{proven['psnr']:.1f} dB"] if _is_number(proven.get("psnr")) else []
    return {
        "weights": metadata.precision,
        "pixels": pixels,
        "inputs": ", ".join(f"{name} ({type_})" for name, type_ in metadata.inputs.items()),
        "outputs": ", ".join(f"{name} ({type_})" for name, type_ in metadata.outputs.items()),
        "proven": f"{', '.join(numbers)} to the model" if numbers else "not stated",
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _foreign(path: Path) -> Description:
    from i2icli.originals import load_original  # imports torch

    original = load_original(path)
    entry = registry.entry(original.system)
    shapes = [
        (name, tensor.numel(), tensor.numel() * tensor.element_size())
        for name, tensor in original.tensors.items()
    ]
    stages = {stage.name: stage for stage in original.config.stages()}
    tasks = original.config.tasks(stages[original.stage] if original.stage else original.config.stages()[0])
    return Description(
        file=str(path),
        system=original.system,
        paper=entry.paper,
        url=entry.url,
        changed=changed_settings(original.config),
        settings=_settings(original.config),
        tasks=list(tasks),
        targets=list(names_of(tasks)),
        networks=_networks(shapes),
        parts=_parts(shapes),
        recognised_by=readable(original.reason),
        notes=list(original.notes),
    )


def changed_settings(config: Config) -> dict[str, Any]:
    """The options that differ from their defaults."""
    defaults = type(config)().model_dump(mode="json")
    return {name: value for name, value in _settings(config).items() if value != defaults[name]}


def _settings(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude=set(config.found_only))


def _safetensors_shapes(path: Path) -> Iterable[tuple[str, int, int]]:
    """Name, number of values and bytes of every tensor, without reading the values."""
    try:
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 - the file is no mapping
                part = file.get_slice(name)
                count = prod(part.get_shape())
                yield name, count, count * _ITEM_BYTES.get(part.get_dtype(), 1)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: damaged ({readable(str(error)[:120])}); copy the file again") from None


def _networks(tensors: Iterable[tuple[str, int, int]]) -> list[Network]:
    """Tensors "G.layer.weight" summed up by their first part."""
    found: dict[str, Network] = {}
    for name, count, size in tensors:
        network = found.setdefault(name.split(".")[0], Network(name.split(".")[0]))
        network.parameters += count
        network.bytes += size
    return list(found.values())


def _parts(tensors: Iterable[tuple[str, int, int]]) -> dict[str, list[str]]:
    """By network the first level of its layers: {"G": ["G.stem", "G.down"]}."""
    found: dict[str, list[str]] = {}
    for part in dict.fromkeys(".".join(name.split(".")[:2]) for name, _, _ in tensors):
        found.setdefault(part.partition(".")[0], []).append(part)
    return found
