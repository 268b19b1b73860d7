"""What the graphs of a model can be asked for: its tasks as far as they compute them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from i2icli.errors import UserError, readable
from i2icli.graphs.graph_file import GraphFile
from i2icli.task import Task

GraphKey = tuple[str, str | None]
"""As of `Task.graph_key`."""


def by_key(graphs: Iterable[GraphFile], every: Sequence[Task]) -> dict[GraphKey, GraphFile]:
    """The main graphs by what they compute.

    every: the tasks of the settings. Raises UserError for a graph of tasks that the settings have not.
    """
    return {key: graph for graph in graphs for key in _keys(graph, every)}


def offered(every: Sequence[Task], keys: Iterable[GraphKey]) -> tuple[Task, ...]:
    """The tasks of the settings as far as graphs compute them: not at all, or from some sources."""
    sources: dict[str, list[str | None]] = {}
    for graph, source in keys:
        sources.setdefault(graph, []).append(source)
    return tuple(_from(task, sources[task.graph]) for task in every if task.graph in sources)


def left_out(every: Sequence[Task], there: Sequence[Task]) -> tuple[str, ...]:
    """What a model can do and its graphs cannot, in a line; nothing if that is all the same."""
    names = {task.name for task in there}
    missing = [readable(task.name) for task in every if task.name not in names and task.name]
    if not missing:
        return ()
    more = ", ..." if len(missing) > 8 else ""
    return (f"this export leaves out: {', '.join(missing[:8])}{more}",)


def _from(task: Task, sources: Sequence[str | None]) -> Task:
    if not task.sources or None in sources:
        return task
    requires = task.requires if len(sources) > 1 else task.requires - {"source"}
    return replace(task, sources=tuple(map(str, sources)), requires=requires)


def _keys(graph: GraphFile, every: Sequence[Task]) -> list[GraphKey]:
    """The keys of the tasks that a graph computes."""
    found: dict[GraphKey, None] = {}
    by_name: dict[str | None, list[Task]] = {}
    for task in every:
        by_name.setdefault(task.name, []).append(task)
    for said in graph.metadata.tasks:
        # Of two tasks of one name, one of which translates and one generates, that which reads what it reads.
        same = sorted(by_name.get(said.name, []), key=lambda task: -len(task.inputs))
        fitting = [each for each in same if each.inputs.keys() <= graph.metadata.inputs.keys()]
        if not fitting:
            raise UserError(
                f"{graph.path}: computes {readable(str(said.name))[:60]}, which its settings do not know; "
                "damaged, export it again"
            )
        found[replace(fitting[0], source=said.source).graph_key] = None
    return list(found)
