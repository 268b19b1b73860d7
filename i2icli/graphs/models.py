"""The files of an exported model: its main graphs, one or a folder of them, and the parts beside each."""

from collections.abc import Sequence
from pathlib import Path

from i2icli.errors import UserError
from i2icli.graphs.graph_file import GRAPHS, GraphFile, is_graph, open_graph
from i2icli.graphs.metadata import MAIN
from i2icli.graphs.sessions import RUNTIMES, Runtime, installed


def main_graphs(path: Path, runtime: Runtime | None = None) -> list[GraphFile]:
    """The main graphs of a model: that file, or all in a folder, of one format.

    runtime: what is to run them, which decides between formats. Raises UserError for what `open_graph`
    refuses, for a part that is not the main one, and for a folder of several models.
    """
    if path.is_dir():
        found = [each for each in map(open_graph, _files(path, runtime)) if each.metadata.part == MAIN]
        if not found:
            raise UserError(f"{path}: holds no main graph; expected files written by i2i export")
        _check_one_model(path, found)
        return found
    graph = open_graph(path)
    if graph.metadata.part != MAIN:
        raise UserError(
            f"{path}: only a part of a model ({graph.metadata.part}); name the main file beside it"
        )
    return [graph]


def part_of(graph: GraphFile, part: str) -> GraphFile | None:
    """A further part of a model, the file that was exported with the main one; None if there is none.

    Raises UserError if the file is missing or another one.
    """
    said = graph.metadata.parts.get(part)
    if said is None:
        return None
    path = graph.path.with_name(said.file)
    if not path.is_file():
        raise UserError(f"{path}: missing; {graph.path.name} needs it, copy it beside that file")
    found = open_graph(path)
    if found.metadata.part != part or found.sha256() != said.sha256:
        raise UserError(
            f"{path}: not the file that was exported with {graph.path.name}; export the model again"
        )
    return found


def holds_graphs(folder: Path) -> bool:
    """Whether a folder holds graphs, by their names."""
    return any(is_graph(each) for each in folder.iterdir())


def _files(folder: Path, runtime: Runtime | None) -> list[Path]:
    """The graphs in a folder, of the one format that can best be run."""
    found: dict[str, list[Path]] = {suffix: [] for suffix in GRAPHS}
    for each in sorted(folder.iterdir()):
        if is_graph(each):
            found[each.suffix.lower()].append(each)
    able = (runtime,) if runtime is not None else installed()
    suffixes = [suffix for name in able for suffix in RUNTIMES[name] if found[suffix]]
    return found[suffixes[0]] if suffixes else next((each for each in found.values() if each), [])


def _check_one_model(folder: Path, graphs: Sequence[GraphFile]) -> None:
    first = graphs[0]
    for other in graphs[1:]:
        if _model(other) != _model(first):
            raise UserError(
                f"{folder}: holds graphs of several models ({first.path.name}, {other.path.name}); "
                "name one of them"
            )


def _model(graph: GraphFile) -> tuple[object, ...]:
    found = graph.metadata
    return found.system, found.fingerprint, found.stage, found.config, found.precision, found.pixels
