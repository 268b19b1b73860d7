"""Saving what was learned when something ends a run: vanished data, a full disk, a bug, a lost process."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from i2icli.config import Config
from i2icli.errors import UserError, quoted
from i2icli.files import NO_ROOM
from i2icli.training.distributed import is_main, world_size
from i2icli.training.monitor import Monitor
from i2icli.training.run_folder import RunFolder
from i2icli.training.run_report import write_run_report
from i2icli.training.state import own_weights, state_of
from i2icli.training.trainer import Trainer

FROM_MAIN = ("best", "criterion", "scores", "finished")
"""What only the first process knows; another one that saves in its place takes it from the last save."""


@dataclass(frozen=True)
class Kept:
    """What there is after a run was ended, in words for its user."""

    what: str  # is saved, and what is not
    how: str  # to go on
    folder: RunFolder

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.what}; {self.how}"

    def explaining(self, error: Exception) -> UserError | None:
        """The error with that, on one line; None where it is none that a user can mend."""
        if isinstance(error, UserError):
            return UserError(f"{error}; {self.text}", exit_code=error.exit_code)
        if isinstance(error, OSError) and error.strerror:
            room = "make room and " if error.errno in NO_ROOM else ""
            where = error.filename or self.folder.path
            return UserError(f"{where}: {error.strerror}; {self.what}; {room}{self.how}", exit_code=1)
        return None


def rescue(trainer: Trainer, monitor: Monitor, config: Config) -> Kept | None:
    """Save the state if the weights are sound and newer than what is saved; what there is now.

    Asks no other process, as those may have ended: the first one saves, or whoever finds that it has gone.
    None where this process has nothing to say.
    """
    with suppress(Exception):
        folder = monitor.folder.current()
        if is_main():
            return _saved(trainer, monitor, folder, config)
        with folder.locked():  # raises while the first process is there
            return _instead_of_main(trainer, monitor, folder, config)
    return None


def is_sound(trainer: Trainer) -> bool:
    """Whether all losses and weights are finite."""
    weights = own_weights(trainer.system).values()
    return trainer.metrics.finite() and all(bool(weight.isfinite().all()) for weight in weights)


def _saved(
    trainer: Trainer,
    monitor: Monitor,
    folder: RunFolder,
    config: Config,
    known: dict[str, Any] | None = None,
) -> Kept:
    """Save in the folder, which is locked; known: of the state, what others know better."""
    step, before = trainer.system.clock.total, monitor.saved_step
    if step == before:  # what a step that was cut short has learned is not worth an inexact state
        return _kept(f"step {step} is saved in {folder.path}", folder, monitor)
    if not is_sound(trainer):
        return _intact(before, f"the weights of step {step} are not finite", folder, monitor)
    try:
        completed = _complete(trainer, monitor)
        folder.save_state(monitor.whole(state_of(trainer, alone=True)) | (known or {}))
    except Exception as error:
        return _intact(before, f"step {step} cannot be saved ({_why(error)})", folder, monitor)
    with suppress(Exception):  # the state is what counts
        if completed:
            monitor.publish(trainer, folder.model)
        write_run_report(folder, monitor.context.name, config)
    inexact = ", though not all that an exact resume needs" if trainer.amid or world_size() > 1 else ""
    return _kept(f"step {step} is saved in {folder.path}{inexact}", folder, monitor)


def _instead_of_main(trainer: Trainer, monitor: Monitor, folder: RunFolder, config: Config) -> Kept | None:
    """Save as one of the other processes, if the first one did not."""
    found = folder.load_state()
    if found is None or found["clock"]["total"] >= trainer.system.clock.total:
        return None
    monitor.saved_step = found["clock"]["total"]
    known = {name: found[name] for name in FROM_MAIN if name in found}
    return _saved(trainer, monitor, folder, config, known)


def _complete(trainer: Trainer, monitor: Monitor) -> bool:
    """Compute what the model needs beside its weights; False if that is not possible any more."""
    try:
        monitor.complete(trainer)
    except Exception:  # the data may be what is gone
        return False
    return True


def _kept(what: str, folder: RunFolder, monitor: Monitor) -> Kept:
    moved = folder.path != monitor.folder.path
    return Kept(
        what, f"resume with {f'--out {quoted(folder.path)}' if moved else 'the same command'}", folder
    )


def _intact(before: int | None, why: str, folder: RunFolder, monitor: Monitor) -> Kept:
    """What is left where nothing new can be saved."""
    if before is None:
        return Kept(f"{why}, and nothing was saved before", "start again with the same command", folder)
    return _kept(f"{why}; that of step {before} is intact in {folder.path}", folder, monitor)


def _why(error: Exception) -> str:
    text = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    return text.splitlines()[0].lower()
