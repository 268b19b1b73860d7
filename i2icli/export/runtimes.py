"""An ordinary model run by the fastest runtime: by proven graphs of it from a cache, else by torch."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i2icli import registry
from i2icli.backend import Backend
from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.graphs.backend import load_graph
from i2icli.graphs.cache import Found, Wanted, drop, find, store
from i2icli.graphs.sessions import Computing, Runtime
from i2icli.metadata import describes_itself, read_metadata, stage_named
from i2icli.request import Array, Arrays
from i2icli.stage import Stage
from i2icli.task import Task

if TYPE_CHECKING:  # only where it has to export
    from i2icli.system import System

WORTHWHILE = 50  # outputs from which an export, some twenty seconds, is made up for
Tell = Callable[[str], None]
"""Is told in a line what computes a model, and why."""


class RuntimeBackend:
    """See `i2icli.backend.Backend`. What computes a task is chosen when it is first needed."""

    device = "cpu"

    def __init__(
        self,
        model: Path,
        runtime: Runtime,
        precision: Computing,
        *,
        asked: bool,
        by_torch: Callable[[], Backend],
        load_system: "Callable[[], System[Any]]",
        tell: Tell,
    ) -> None:
        """asked: whether the user named the runtime, so that nothing else will do.

        by_torch: the model as torch computes it; load_system: the model as it is in its file, for an export.
        """
        self.model, self.runtime, self.precision, self.asked, self.tell = (
            model,
            runtime,
            precision,
            asked,
            tell,
        )
        self._by_torch, self._load_system = by_torch, load_system
        self._torch: Backend | None = None
        self._chosen: dict[tuple[str, str | None], Backend] = {}
        self._expected = 0
        self.notes: tuple[str, ...] = ()
        self.name, self.config, self.stage = self._described()
        self.tasks: tuple[Task, ...] = self.config.tasks(self.stage)
        self.rows = 1

    def _described(self) -> tuple[str, Config, Stage]:
        """What it is: its system, settings and stage."""
        if not describes_itself(self.model):  # as the authors' files do not
            known = self._with_torch()
            self.notes = known.notes
            return known.name, known.config, known.stage
        metadata = read_metadata(self.model)
        config = metadata.settings(self.model)
        name = registry.SYSTEMS[metadata.system].system.rpartition(":")[2]
        return name, config, stage_named(config, metadata.stage, self.model)

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `Backend.facts`."""
        return self._backend(self.tasks[0]).facts

    def expect(self, outputs: int) -> None:
        """See `Backend.expect`."""
        self._expected += outputs

    def encode(self, task: Task, conditions: Arrays, inputs: Arrays) -> Arrays:
        """See `Backend.encode`."""
        return self._backend(task).encode(task, conditions, inputs)

    def forward(self, task: Task, inputs: Arrays, memory: Arrays | None) -> tuple[Array, Arrays]:
        """See `Backend.forward`."""
        return self._backend(task).forward(task, inputs, memory)

    def begin(self, task: Task, inputs: Arrays, output: Array) -> Arrays:
        """See `Backend.begin`."""
        return self._backend(task).begin(task, inputs, output)

    def is_out_of_memory(self, error: Exception) -> bool:
        """See `Backend.is_out_of_memory`."""
        return isinstance(error, MemoryError) or any(
            each.is_out_of_memory(error) for each in self._chosen.values()
        )

    def _backend(self, task: Task) -> Backend:
        """What computes a task; looked up once, unless more outputs than were known of make an export pay."""
        key = task.graph_key
        if key in self._chosen:
            return self._chosen[key]
        backend, why = self._choose(task)
        if backend is None and not self._pays():
            return self._with_torch()
        self._chosen[key] = backend or self._with_torch()
        self.tell(f"runtime: {self.runtime if backend else 'torch'}{f', {why}' if why else ''}")
        return self._chosen[key]

    def _choose(self, task: Task) -> tuple[Backend | None, str]:
        """A graph that computes a task, and how well; or None, and why there is none.

        Raises UserError in the place of None if the user asked for this runtime.
        """
        wanted = Wanted(self.model, self.runtime, self.precision, task.graph_key)
        found = Found(None, task.untraceable) if task.untraceable else find(wanted)
        if found is None and self._pays():
            self.tell(f"exporting the model for {self.runtime}, once for all times ...")
            try:
                found = store(wanted, partial(self._export, task))
            except OSError as error:
                found = Found(None, f"the cache cannot be written ({error.strerror or error})")
        if found is None:
            return None, ""
        if found.path is not None:
            try:
                return load_graph(found.path, self.runtime, self.precision), found.why
            except UserError as error:
                drop(wanted)
                found = Found(None, str(error))
        if self.asked:
            raise UserError(f"--runtime {self.runtime}: {found.why}", exit_code=1)
        return None, f"as {found.why}"

    def _pays(self) -> bool:
        return self.asked or self._expected >= WORTHWHILE

    def _with_torch(self) -> Backend:
        if self._torch is None:
            self._torch = self._by_torch()
        return self._torch

    def _export(self, task: Task, folder: Path) -> tuple[Path, str]:
        """A proven graph of a task in an empty folder, and how accurate it is. Raises UserError."""
        from i2icli.export.for_runtime import export_for_runtime  # imports torch

        same = [each for each in self.tasks if each.graph_key == task.graph_key] or [task]
        return export_for_runtime(self._load_system(), same, folder, self.runtime, self.precision)
