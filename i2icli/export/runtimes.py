"""An ordinary model run by the fastest runtime: by proven graphs of it from a cache, else by torch."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from i2icli import registry
from i2icli.backend import Backend
from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.export.options import FORMATS, ExportOptions
from i2icli.graphs.backend import load_graph
from i2icli.graphs.cache import CHANGED, Found, Wanted, drop, find, graphs_home, store
from i2icli.graphs.known_models import recall
from i2icli.graphs.sessions import Computing, Runtime
from i2icli.graphs.weight_hashes import model_hash
from i2icli.metadata import Metadata, describes_itself, read_metadata, stage_named
from i2icli.request import Array, Arrays
from i2icli.stage import Stage
from i2icli.task import Task

if TYPE_CHECKING:  # only where it has to export
    from i2icli.system import System

WORTHWHILE = 200
"""Outputs from which an export is begun that nobody asked for. For a ResNet generator with 9 blocks it takes
30 seconds of a processor's time. In float32 a runtime saves 0.17 s an image of 256 px, so 180 of these
make up for it. In bfloat16, where torch is about as fast, it saves the two seconds that torch takes to
start, in this call and in every later one, which are likely where so many images are translated."""
Tell = Callable[[str], None]
"""Is told in a line what computes a model, and why."""
Load = Callable[[], "tuple[System[Any], tuple[str, ...]]"]


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
        load: Load,
        tell: Tell,
    ) -> None:
        """asked: whether the user named the runtime, so that nothing else will do.

        by_torch: the model as torch computes it; load: the model as it is in its file, and notes about it,
        for an export.
        """
        self.model, self.runtime, self.precision, self.asked = model, runtime, precision, asked
        self._by_torch, self._load, self._tell = by_torch, load, tell
        self._torch: Backend | None = None
        self._chosen: dict[tuple[str, str | None], Backend] = {}
        self._told: set[str] = set()
        self._expected: Counter[str] = Counter()  # outputs, by `Task.graph`
        self._choosing = RLock()  # a server may ask from several threads
        self._facts: Mapping[str, Any] | None = None  # until they are needed
        self.notes: tuple[str, ...] = ()
        self.name, self.config, self.stage = self._described()
        self.tasks: tuple[Task, ...] = self.config.tasks(self.stage)
        self.rows = 1

    def _described(self) -> tuple[str, Config, Stage]:
        """What it is: its system, settings and stage."""
        known = recall(self.model, graphs_home())
        if known is not None:
            self.notes, self._facts = known.notes, known.facts
        elif not describes_itself(self.model):  # as the authors' files do not
            backend = self.with_torch()
            self.notes = backend.notes
            return backend.name, backend.config, backend.stage
        metadata: Metadata = known or read_metadata(self.model)
        config = metadata.settings(self.model)
        name = registry.SYSTEMS[metadata.system].system.rpartition(":")[2]
        return name, config, stage_named(config, metadata.stage, self.model)

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `Backend.facts`."""
        with self._choosing:
            if self._facts is None:
                self._facts = self.with_torch().facts
            return self._facts

    def expect(self, task: Task, outputs: int) -> None:
        """See `Backend.expect`. Raises UserError if the runtime that the user named cannot compute it."""
        self._expected[task.graph] += outputs
        if self.asked and not (task.sources and task.source is None):  # else it is known with the input
            self._backend(task)

    def encode(self, task: Task, conditions: Arrays, inputs: Arrays) -> Arrays:
        """See `Backend.encode`."""
        return self._backend(task).encode(task, conditions, inputs)

    def forward(self, task: Task, inputs: Arrays, memory: Arrays | None) -> tuple[Array, Arrays]:
        """See `Backend.forward`."""
        return self._backend(task).forward(task, inputs, memory)

    def memory(self, task: Task, inputs: Arrays) -> int | None:
        """See `Backend.memory`: known where torch will compute."""
        if self.asked or self._expected[task.graph] >= WORTHWHILE:
            return None
        found = self._known(task)
        if found is not None and found.path is not None:
            return None
        return self.with_torch().memory(task, inputs)

    def begin(self, task: Task, inputs: Arrays, output: Array) -> Arrays:
        """See `Backend.begin`."""
        return self._backend(task).begin(task, inputs, output)

    def is_out_of_memory(self, error: Exception) -> bool:
        """See `Backend.is_out_of_memory`."""
        known = [*self._chosen.values(), *([self._torch] if self._torch else [])]
        return isinstance(error, MemoryError) or any(each.is_out_of_memory(error) for each in known)

    def with_torch(self) -> Backend:
        """The model as torch computes it."""
        with self._choosing:
            if self._torch is None:
                self._torch = self._by_torch()
            return self._torch

    def _backend(self, task: Task) -> Backend:
        """What computes a task; looked up once, unless more outputs than were known of make an export pay."""
        key = task.graph_key
        with self._choosing:
            if key in self._chosen:
                return self._chosen[key]
            backend, why = self._choose(task)
            if backend is None and not why:
                return self.with_torch()
            self._chosen[key] = backend or self.with_torch()
            fastest = "" if self.asked else ", the fastest that is installed"
            self._say(f"runtime: {self.runtime}{fastest}; {why}" if backend else f"runtime: torch, as {why}")
            return self._chosen[key]

    def _choose(self, task: Task) -> tuple[Backend | None, str]:
        """A graph that computes a task, and how well; or None, and why there is none; or "": not worth it.

        Raises UserError in the place of None if the user asked for this runtime.
        """
        found: Found | None = None
        for _ in range(2):  # once more if what is found turns out to be damaged
            found = self._found(task)
            if found is None:
                return None, ""
            if found.path is None:
                break
            try:
                backend = load_graph(found.path, self.runtime, self.precision)
                backend.prepare(task)
                return backend, found.why
            except UserError as error:
                drop(self._wanted(task))
                found = Found(None, str(error))
            except MemoryError:
                found = Found(None, "there is not enough memory to load its graph")
                break
        assert found is not None
        if self.asked:
            raise UserError(f"--runtime {self.runtime}: {found.why}", exit_code=1)
        return None, found.why

    def _found(self, task: Task) -> Found | None:
        """What is known about a graph, or becomes known by an export; None: nothing, and none pays.

        What has other reasons than the model itself is not remembered.
        """
        found = self._known(task)
        if found is not None or not (self.asked or self._expected[task.graph] >= WORTHWHILE):
            return found
        try:
            ExportOptions(to=FORMATS[self.runtime]).check_packages()
            self._say(f"exporting the model for {self.runtime}; this is done once ...")
            return store(self._wanted(task), partial(self._export, task))
        except UserError as error:
            return Found(None, str(error))
        except MemoryError:
            return Found(None, "there is not enough memory for the export")
        except OSError as error:
            where = f"{error.filename or graphs_home()}: {error.strerror or error}"
            return Found(None, f"its cache cannot be written ({where}); I2I_HOME names another folder")

    def _known(self, task: Task) -> Found | None:
        """What is known about a graph of a task."""
        return Found(None, task.untraceable) if task.untraceable else find(self._wanted(task))

    def _wanted(self, task: Task) -> Wanted:
        return Wanted(self.model, self.runtime, self.precision, task.graph_key)

    def _export(self, task: Task, folder: Path) -> tuple[Path, str]:
        """A proven graph of a task in an empty folder, and how accurate it is. Raises UserError."""
        from i2icli.export.for_runtime import export_for_runtime, remember_model  # imports torch

        before = model_hash(self.model, graphs_home())
        system, notes = self._load()
        if model_hash(self.model, graphs_home()) != before:
            raise UserError(CHANGED)
        with suppress(OSError):
            remember_model(self.model, graphs_home(), system, notes)
        from i2icli.runtime.memory import is_out_of_memory

        same = [each for each in self.tasks if each.graph_key == task.graph_key] or [task]
        try:
            return export_for_runtime(system, same, folder, self.runtime, self.precision)
        except RuntimeError as error:  # torch's, for one
            if is_out_of_memory(error):
                raise MemoryError from error
            raise

    def _say(self, line: str) -> None:
        """Tell something, once."""
        if line not in self._told:
            self._told.add(line)
            self._tell(line)
