"""Training a system: from settings and data folders to a run folder."""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch

from i2icli import registry
from i2icli.config import Config, RunOptions
from i2icli.data.describe import counted, is_warning
from i2icli.errors import UserError
from i2icli.fields import completed
from i2icli.image.finding import check_folder
from i2icli.logs import timed
from i2icli.processors import busy_line, limited_threads, threads_asked
from i2icli.recipe import write_recipe
from i2icli.runtime.device import choose_device
from i2icli.runtime.precision import choose_placement, dtype_name
from i2icli.system import System
from i2icli.training.callbacks import Callbacks, NoCallbacks, WarningCallbacks
from i2icli.training.compiling import compile_networks
from i2icli.training.distributed import broadcast_from_main, is_main, launched, process_group
from i2icli.training.fine_tuning import frozen_line
from i2icli.training.init_from import initialise
from i2icli.training.interrupt import Interrupt
from i2icli.training.launch import launch
from i2icli.training.monitor import Monitor, RunContext
from i2icli.training.not_finite import NotFiniteError
from i2icli.training.perceptual_weights import fetch_perceptual, load_perceptual
from i2icli.training.prospect import Prospect
from i2icli.training.reported_warnings import report_warnings
from i2icli.training.rescue import rescue
from i2icli.training.result import TrainResult as TrainResult
from i2icli.training.resume_check import STATE_FORMAT, check_resumable
from i2icli.training.robust_callbacks import RobustCallbacks
from i2icli.training.run_data import RunData, counts_of, open_data
from i2icli.training.run_folder import RunFolder, default_folder
from i2icli.training.run_report import write_run_report
from i2icli.training.state import restore
from i2icli.training.trackers import check_trackers, open_trackers
from i2icli.training.trainer import Trainer


def train(
    system: str,
    data: Sequence[Path],
    config: Config,
    options: RunOptions | None = None,
    callbacks: Callbacks | None = None,
    *,
    show_plan: bool = False,
) -> TrainResult:
    """Train a system, or resume the run in its folder.

    show_plan: report the planned stages to the callbacks before the first step.
    Raises UserError for unusable data or settings, unavailable devices, and losses that are not finite.
    """
    options, callbacks = (
        options or RunOptions(),
        RobustCallbacks(callbacks or WarningCallbacks()),
    )
    check_trackers(options)
    for path in (Path(each) for each in data if not Path(each).exists()):
        check_folder(path)  # raises, before anything is downloaded
    perceptual = fetch_perceptual(config, options, callbacks.note)
    if options.devices > 1 and not launched():
        function = partial(train, show_plan=show_plan)
        result: TrainResult = launch(options.devices, callbacks, function, system, data, config, options)
        return result
    device = choose_device(options.device)
    with process_group(device):
        folder = RunFolder(options.out or default_folder(system, data))
        callbacks = callbacks if is_main() else NoCallbacks()
        with report_warnings(callbacks), folder.locked() if is_main() else nullcontext():
            run = _Run(system, data, config, options, folder, callbacks, perceptual)
            return run.train(device, show_plan=show_plan and is_main())


class _Run:
    """One call of `train` in one process."""

    def __init__(
        self,
        name: str,
        data: Sequence[Path],
        config: Config,
        options: RunOptions,
        folder: RunFolder,
        callbacks: Callbacks,
        perceptual: Path | None,
    ) -> None:
        self.name, self.options, self.folder, self.callbacks = name, options, folder, callbacks
        self.data_paths = [str(Path(each).resolve()) for each in data]
        self.perceptual, source = load_perceptual(config, perceptual)
        with timed("scanning the data"):
            self.data, found = open_data(name, data, config, options)
        self.config = completed(found, {"perceptual_source": source})
        for line in (*self.config.notes, *self.data.report):
            (callbacks.warn if is_warning(line) else callbacks.note)(line)

    def train(self, device: torch.device, *, show_plan: bool) -> TrainResult:
        state = self._state()
        with limited_threads(self._threads(device, state)):
            return self._trained(device, state, show_plan=show_plan)

    def _trained(self, device: torch.device, state: dict[str, Any] | None, *, show_plan: bool) -> TrainResult:
        with timed("building the networks"):
            system = build_system(self.name, self.config)
        if line := frozen_line(system):
            self.callbacks.note(line)
        loaded = initialise(system, self.options.init_from, self.callbacks) if state is None else frozenset()
        data = RunData(self.data, self.config, self.options, pin=device.type == "cuda")
        with (
            Interrupt(patient=launched(), tell=self.callbacks.note if is_main() else None) as interrupt,
            open_trackers(self.folder.path, self.name, self.config, self.options, self.callbacks) as trackers,
        ):
            prospect = Prospect(self.name, self.data, self.config, self.folder.path, device)
            outlook = prospect.outlook(self.options, self.callbacks, show_plan=show_plan)
            criterion = self.options.best_by or system.criterion
            own = (self.name, self.folder, self.options, data, self.callbacks, interrupt, trackers)
            monitor = Monitor(RunContext(*own, criterion, outlook), self._description())
            learning = (each for name, each in system.named_children() if name not in system.frozen)
            placement = choose_placement(device, self.config.precision, learning)
            trainer = Trainer(
                system,
                data.training,
                placement,
                perceptual=self.perceptual,
                after_step=monitor.after_step,
                loaded=loaded,
            )
            finished = self._fit(trainer, monitor, state)
        return self._result(trainer, monitor, finished=finished)

    def _fit(self, trainer: Trainer, monitor: Monitor, state: dict[str, Any] | None) -> bool:
        """Train, whether to the end or not; whatever else ends it, what was learned is saved first."""
        try:
            self._begin(trainer, monitor, state)
            if self.options.compile:
                compile_networks(trainer.system)
            finished = trainer.fit()
            if finished:
                monitor.save(trainer, thorough=True)
            if is_main():
                write_run_report(self.folder, self.name, self.config)
        except NotFiniteError:
            raise
        except Exception as error:
            if monitor.saved_step is None:  # nothing is learned
                raise
            cause = isinstance(error, OSError) and is_main() and self.folder.gone()
            kept = rescue(trainer, monitor, self.config)
            if kept is None:
                raise
            explained = kept.explaining(cause or error)
            if explained is None:
                self.callbacks.note(kept.text)
                raise
            raise explained from error
        return finished

    def _result(self, trainer: Trainer, monitor: Monitor, *, finished: bool) -> TrainResult:
        clock, reason = trainer.system.clock, "finished" if finished else monitor.reason
        tasks = self.config.tasks(clock.stage)
        return TrainResult(
            self.folder.path,
            clock.total,
            trainer.steps,
            finished,
            reason,
            monitor.scores,
            reads_images=any(not task.generates for task in tasks),
            reads_videos=any(task.memory for task in tasks),
        )

    def _state(self) -> dict[str, Any] | None:
        """The state to go on from; None for a run that begins, or that learned nothing so far."""
        state = broadcast_from_main(self._saved() if is_main() else None)  # other machines have other disks
        if isinstance(state, UserError):
            raise state
        if state is None or (state.get("format") == STATE_FORMAT and state["clock"]["total"] == 0):
            return None
        check_resumable(state, self.name, self.config, self.folder)
        shapes = {name: tensor.shape for name, tensor in state["system"].items() if hasattr(tensor, "shape")}
        self.config = self.config.with_found(self.config.told_by(state["config"], shapes))
        self._check_same_data(state)
        return dict(state)

    def _saved(self) -> dict[str, Any] | UserError | None:
        """The state in the run folder; an error for all processes to raise."""
        try:
            state = self.folder.load_state(self.callbacks.warn)
            if state is None:
                self.folder.check_unused()
            return state
        except UserError as error:
            return error

    def _threads(self, device: torch.device, state: dict[str, Any] | None) -> int | None:
        """The number of threads that were asked for, now or when the run was started; None where none was."""
        before = (state or {}).get("threads", {})
        number = self.options.threads or (before["number"] if before.get("asked") else None)
        used = number or torch.get_num_threads()
        if device.type == "cpu" and before and before["number"] != used:
            self.callbacks.warn(
                f"this run has computed with {counted(before['number'], 'thread')} so far, now with {used}: "
                f"it will not end at the same weights to the bit; --threads {before['number']} would"
            )
        elif number is None and (line := busy_line()):
            self.callbacks.note(line)
        return number

    def _description(self) -> dict[str, Any]:
        """What the state records of the run, to check whether it can be resumed."""
        return {
            "format": STATE_FORMAT,
            "name": self.name,
            "config": self.config.model_dump(mode="json"),
            "data": self.data_paths,
            "examples": len(self.data.train()),
            "threads": {"number": torch.get_num_threads(), "asked": threads_asked() is not None},
        }

    def _begin(self, trainer: Trainer, monitor: Monitor, state: dict[str, Any] | None) -> None:
        clock = trainer.system.clock
        if state is not None:
            grown = state["config"] != self.config.model_dump(mode="json")
            restore(trainer, state, grown=grown)
            monitor.restore(state)
            self.callbacks.note(f"resuming {self.folder.path} at step {clock.total} of {trainer.steps}")
        else:
            report = self.folder.report.name
            self.callbacks.note(f"new run in {self.folder.path}: its {report} shows how it goes")
            monitor.save(trainer)  # so that there is a state from the very start
        if is_main():
            self.folder.rewind_log(clock.total)
            write_recipe(self.folder.recipe, self.name, self.config)
            device = f"{trainer.placement.device}, {dtype_name(trainer.placement.dtype)}"
            self.folder.save_counts(counts_of(self.data, self.options) | {"device": device})
            write_run_report(self.folder, self.name, self.config, final=False)
        self._tell_perceptual(clock.total)
        if self.config.precision == "auto":
            self.callbacks.note(
                f"computing in {dtype_name(trainer.placement.dtype)} on {trainer.placement.device}"
            )

    def _tell_perceptual(self, step: int) -> None:
        """Say and log which weights the perceptual loss has, if there is one."""
        used = {
            name: getattr(self.config, name)
            for name in ("perceptual", "perceptual_weight", "perceptual_source")
        }
        if self.perceptual is None or not is_main():
            return
        self.folder.log({"step": step, "perceptual": used})
        self.callbacks.note("perceptual loss: {}, weight {:g} ({})".format(*used.values()))

    def _check_same_data(self, state: dict[str, Any]) -> None:
        """Refuse to resume with other data than the run was started on, unless it only was moved."""
        before, now = ", ".join(state["data"]), ", ".join(self.data_paths)
        count = len(self.data.train())
        if before != now and state["examples"] != count:
            raise UserError(
                f"{self.folder.path} was started on {before} ({counted(state['examples'], 'example')}), "
                f"not on {now}; choose another --out for a new run"
            )
        if before != now:
            self.callbacks.warn(f"this run was started on {before}; resuming with {now}")
        elif state["examples"] != count:
            self.callbacks.warn(
                f"the data had {counted(state['examples'], 'example')} when this run started, now {count}"
            )


def build_system(name: str, config: Config) -> System[Any]:
    """A newly initialised system; its weights depend on the seed."""
    torch.manual_seed(config.seed)
    return registry.system_type(name)(config).train()
