"""An exported model as what computes: its graphs, run by onnxruntime or OpenVINO."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np

from i2icli import registry
from i2icli.config import Config
from i2icli.errors import UserError, readable
from i2icli.graphs.arrays import chosen, to_values
from i2icli.graphs.graph_file import GraphFile
from i2icli.graphs.metadata import BEGIN, FIRST, MEMORY, NEXT, OUTPUT, encode_part
from i2icli.graphs.models import main_graphs, part_of
from i2icli.graphs.offer import by_key, left_out, offered
from i2icli.graphs.sessions import Computing, Runtime, Session, choose_runtime, open_session
from i2icli.metadata import stage_named
from i2icli.request import Array, Arrays
from i2icli.stage import Stage
from i2icli.task import Task


def load_graph(
    path: Path, runtime: Runtime | None = None, precision: Computing = "auto", threads: int | None = None
) -> "GraphBackend":
    """An exported model, ready to compute: its main file, or a folder of main files.

    runtime: None: the first one installed that takes the file; threads: that it uses; None: as it likes.
    Raises UserError for what is no model of ours, is not safe to run, or needs what is not installed.
    """
    return GraphBackend(main_graphs(path, runtime), runtime, precision, threads)


class GraphBackend:
    """See `i2icli.backend.Backend`. A graph is loaded when it is first needed."""

    device = "cpu"

    def __init__(
        self,
        graphs: Sequence[GraphFile],
        runtime: Runtime | None = None,
        precision: Computing = "auto",
        threads: int | None = None,
    ) -> None:
        """graphs: the main ones of one model. Raises UserError for settings that cannot be."""
        first = graphs[0]
        self.runtime = choose_runtime(first.path, runtime)
        self.metadata = first.metadata
        self.config: Config = first.metadata.settings(first.path)
        self.stage: Stage = stage_named(self.config, first.metadata.stage, first.path)
        self.facts = first.metadata.facts
        self.name = registry.SYSTEMS[first.metadata.system].system.rpartition(":")[2]
        self._how = precision, threads
        every = self.config.tasks(self.stage)
        self._graphs = by_key(graphs, every)
        self.tasks = offered(every, self._graphs)
        self._opening = Lock()  # a server may ask from several threads
        self._sessions: dict[Path, Session] = {}
        self._parts: dict[tuple[Path, str], GraphFile] = {}
        self.rows = next((rows for rows in map(_fixed_rows, graphs) if rows), 1)
        self.notes = (*first.metadata.notes, *left_out(every, self.tasks), *self._rounded(first))

    def expect(self, task: Task, outputs: int) -> None:
        """See `Backend.expect`: there is nothing to prepare."""

    def prepare(self, task: Task) -> None:
        """Load the graph of a task. Raises UserError if its runtime cannot run it, MemoryError."""
        self._session(self._main(task))

    def encode(self, task: Task, conditions: Arrays, inputs: Arrays) -> Arrays:
        """See `Backend.encode`. Raises UserError where the part that does it was not exported."""
        main = self._main(task)
        read, name = main.metadata.inputs.keys(), encode_part(conditions)
        left = {key: value for key, value in conditions.items() if key in read}
        if name in main.metadata.parts or read - conditions.keys() - _given(task):
            part = self._part(main, name)
            found = self._session(part).run(chosen(part.metadata.inputs, inputs | conditions, str(part.path)))
            left |= {key: to_values(array) for key, array in found.items()}
        return left

    def forward(self, task: Task, inputs: Arrays, memory: Arrays | None) -> tuple[Array, Arrays]:
        """See `Backend.forward`. Raises UserError for what the graph cannot do, such as another size."""
        main = self._main(task)
        graph = self._part(main, FIRST) if task.memory and not memory else main
        kept = {f"{MEMORY}{name}": value for name, value in (memory or {}).items()}
        found = self._run(graph, inputs | kept)
        output = to_values(found[OUTPUT])
        if output.ndim != 4 or output.shape[1] != task.output.channels:
            shape = " x ".join(map(str, output.shape))
            raise UserError(
                f"{graph.path}: gives {shape} numbers; expected images of {task.output.channels} channels"
            )
        return output, _memory(found)

    def memory(self, task: Task, inputs: Arrays) -> int | None:
        """See `Backend.memory`: graphs do not tell."""

    def begin(self, task: Task, inputs: Arrays, output: Array) -> Arrays:
        """See `Backend.begin`."""
        return _memory(self._run(self._part(self._main(task), BEGIN), inputs | {OUTPUT: output}))

    def is_out_of_memory(self, error: Exception) -> bool:
        """See `Backend.is_out_of_memory`."""
        return isinstance(error, MemoryError)

    def _run(self, graph: GraphFile, arrays: Arrays) -> Arrays:
        """The outputs of a graph; of one that takes a fixed number of rows, run as often as that takes."""
        session, types = self._session(graph), graph.metadata.inputs
        rows = _fixed_rows(graph)
        count = max((len(each) for each in arrays.values() if each.ndim), default=1)
        if rows is None or count == rows:
            return session.run(chosen(types, arrays, str(graph.path)))
        found: list[Arrays] = []
        for start in range(0, count, rows):
            # The last rows are filled up with the last image.
            places = np.minimum(np.arange(start, start + rows), count - 1)
            some = {
                name: each[places] if each.ndim and len(each) == count else each
                for name, each in arrays.items()
            }
            found.append(session.run(chosen(types, some, str(graph.path))))
        return {name: np.concatenate([each[name] for each in found])[:count] for name in found[0]}

    def _main(self, task: Task) -> GraphFile:
        """The main graph of a task. Raises UserError if that of another file is needed."""
        graph, source = task.graph_key
        found = self._graphs.get((graph, source))
        same = [each for (name, _), each in self._graphs.items() if name == graph]
        if found is None and source is None and len(same) == 1:  # only from one domain
            found = same[0]
        if found is None:
            asked = f"to {readable(task.name)}" if task.name else "so"
            asked += f" from {readable(task.source)}" if task.source else ""
            files = ", ".join(sorted({each.path.name for each in self._graphs.values()})[:4])
            raise UserError(
                f"{files} cannot translate {asked}; another file of this model does, export it, too"
            )
        return found

    def _part(self, main: GraphFile, part: str) -> GraphFile:
        key = main.path, part
        if key not in self._parts:
            found = part_of(main, part)
            if found is None:
                raise UserError(f"{main.path}: lacks its part {part}; export the model again")
            self._parts[key] = found
        return self._parts[key]

    def _session(self, graph: GraphFile) -> Session:
        with self._opening:
            if graph.path not in self._sessions:
                self._sessions[graph.path] = open_session(graph, self.runtime, *self._how)
            return self._sessions[graph.path]

    def _rounded(self, graph: GraphFile) -> tuple[str, ...]:
        """That it does not compute in full precision, in a line, where nobody asked for that."""
        if self.runtime != "openvino" or self._how[0] != "auto":
            return ()
        from i2icli.graphs.openvino_session import choose_precision

        chosen = choose_precision(graph, "auto")
        return () if chosen == "fp32" else (f"computed in {chosen}; --precision fp32 computes exact values",)


def _given(task: Task) -> set[str]:
    """What a graph reads of a task that is no condition."""
    return {*task.inputs, *task.noise, *(f"{MEMORY}{name}" for name in task.memory)}


def _fixed_rows(graph: GraphFile) -> int | None:
    """The only number of rows that a graph takes; None: any."""
    shape = graph.metadata.outputs[OUTPUT].shape if OUTPUT in graph.metadata.outputs else ()
    return shape[0] if shape and isinstance(shape[0], int) else None


def _memory(found: Arrays) -> Arrays:
    return {name.removeprefix(NEXT): value for name, value in found.items() if name.startswith(NEXT)}
