"""Which graphs an export consists of, and where their files belong. No torch here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.export.files import check_suffix, graph_names, safe_name
from i2icli.export.options import SUFFIXES, Format
from i2icli.runs import LAST
from i2icli.task import Task, is_all

MOST_GRAPHS = 12  # that are written unless every one is asked for


@dataclass(frozen=True)
class Wanted:
    """A graph to be written."""

    tasks: tuple[Task, ...]  # that it computes, of one `graph_key`
    path: Path

    @property
    def title(self) -> str:
        """What it is called in messages: its file without the suffix."""
        return self.path.stem


def groups(
    config: Config, tasks: Sequence[Task], target: str | None = None, source: str | None = None
) -> list[tuple[Task, ...]]:
    """The tasks that are asked for, those of the same networks together.

    target, source: as --to and --from have them; None: all. A target that shares its networks with others
    brings them with it. Raises UserError for what there is not, and for more graphs than anyone wants.
    """
    every = _with_sources(config, tasks, source)
    if target is not None and not is_all(target):
        keys = {replace(_asked(config, tasks, target), source=each.source).graph_key for each in every}
        every = [each for each in every if each.graph_key in keys]
    found: dict[tuple[str, str | None], list[Task]] = {}
    for task in every:
        found.setdefault(task.graph_key, []).append(task)
    if len(found) > MOST_GRAPHS and target is None and source is None:
        raise UserError(
            f"this model has {len(found)} graphs, one for every target and source; choose some by --target "
            "and --source, or ask for all: --target all"
        )
    if not found:
        raise UserError(f"nothing translates from {source} to {target}; choose another --source or --target")
    return [tuple(each) for each in found.values()]


def _asked(config: Config, tasks: Sequence[Task], target: str) -> Task:
    """The task of a target: one that translates, if there is one."""
    translating = [task for task in tasks if not task.generates]
    return config.resolve(translating or tasks, target)


def _with_sources(config: Config, tasks: Sequence[Task], source: str | None) -> list[Task]:
    """Every task, of those whose networks depend on the source one for each."""
    found: list[Task] = []
    for task in tasks:
        if not task.sources:
            found.append(task)
            continue
        wanted = [config.resolve(tasks, task.name, source).source] if source is not None else task.sources
        found += [replace(task, source=each) for each in wanted if each != task.name]
    if source is not None and not any(task.sources for task in tasks):
        raise UserError(f"--source {source}: the networks of this model do not depend on the source")
    return found


def places(
    model: Path, groups: Sequence[tuple[Task, ...]], to: Format, out: Path | None = None
) -> list[Wanted]:
    """Where the graphs belong.

    out: a file, or a folder for several; None: beside the model, called like its run. Raises UserError for
    a file that cannot hold them.
    """
    own, suffix = _own_name(model), SUFFIXES[to]
    if out is not None and out.suffix and not out.is_dir():
        check_suffix(out, to)
        if len(groups) > 1:
            raise UserError(
                f"--out {out}: the model has {len(groups)} graphs; choose a folder, or one --target"
            )
        return [Wanted(groups[0], out)]
    names = graph_names(groups)
    if len(groups) == 1:
        folder = model.parent if out is None else out
        name = own if groups[0][0].name is None or _covers(groups[0]) else names[0]
        return [Wanted(groups[0], folder / f"{name}{suffix}")]
    folder = model.parent / f"{own}-{to}" if out is None else out
    return [Wanted(tasks, folder / f"{name}{suffix}") for tasks, name in zip(groups, names, strict=True)]


def weights_place(model: Path, out: Path | None = None) -> Path:
    """Where the weights of a model belong, as `places` has it for graphs.

    Raises UserError for a name of another format, and for the file of the model itself.
    """
    if out is not None and out.suffix and not out.is_dir():
        check_suffix(out, "safetensors")
        path = out
    else:
        path = (model.parent if out is None else out) / f"{_own_name(model)}{SUFFIXES['safetensors']}"
    if path.exists() and path.samefile(model):
        raise UserError(f"{path}: the model itself, which is a .safetensors already; choose another --out")
    return path


def _own_name(model: Path) -> str:
    """What a model is called: like its run, or its file."""
    return safe_name(model.parent.resolve().name if model.name == LAST else model.stem)


def _covers(tasks: Sequence[Task]) -> bool:
    """Whether one graph has several targets, so that the name of one would mislead."""
    return len(tasks) > 1
