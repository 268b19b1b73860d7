"""What happens around the steps of one run: logging, sample sheets, validation, saving, stopping."""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.report.sheet import write_sample_sheet
from i2icli.runtime.checkpoint import write_model
from i2icli.runtime.device import peak_memory
from i2icli.system import own_weights
from i2icli.training.callbacks import Callbacks, Progress
from i2icli.training.distributed import all_reduce_max, is_main
from i2icli.training.interrupt import Interrupt
from i2icli.training.resolution_history import History, columns, ends_resolution, generate_from
from i2icli.training.run_data import RunData
from i2icli.training.run_folder import RunFolder
from i2icli.training.tensorboard import Events
from i2icli.training.trainer import Trainer
from i2icli.training.validation import Scores, measure_spectra, quality, validate

# Votes of the processes after a step; the highest wins.
GO_ON, SAVE, TIME_IS_UP, INTERRUPTED, BROKEN = range(5)
SETTLED = 1000  # steps after which a pattern in samples is no longer that of networks at their beginning
REASONS = {TIME_IS_UP: "time limit", INTERRUPTED: "interrupted"}  # to stop early


@dataclass(frozen=True)
class Surroundings:
    """What a run has around its training loop."""

    name: str  # of the system
    folder: RunFolder
    options: RunOptions
    data: RunData
    callbacks: Callbacks
    interrupt: Interrupt
    events: Events


class Monitor:
    """Watches a training loop from within, in one process. Only rank 0 writes and reports."""

    def __init__(self, around: Surroundings, facts: dict[str, Any]) -> None:
        """facts: what else resuming needs, e.g. the settings; kept in the state."""
        self.around = around
        self.folder, self.options, self.data = around.folder, around.options, around.data
        self.callbacks = around.callbacks
        self.facts = facts
        self.began = self.saved_at = time.monotonic()
        self.resumed_at = 0  # step
        self.reason = "finished"
        self.scores: Scores = {}
        self.best: float | None = None
        self.history: History = {}  # samples of the resolutions that are learned
        self.shown: dict[str, float] = {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state that `save` kept."""
        self.best, self.scores = state["best"], state["scores"]
        self.history = state.get("finished", {})
        self.resumed_at = state["clock"]["total"]

    def after_step(self, trainer: Trainer) -> bool:
        """Do what is due after a step. True: leave the loop."""
        step = trainer.system.clock.total
        last = step == trainer.steps
        wish = self._vote(last)
        broken = self._broken(trainer, step, saving=last or wish != GO_ON)
        if is_main() and not broken:
            self._report(trainer, step, last)
        over = not last and trainer.system.clock.step == trainer.system.clock.stage.steps
        vote = all_reduce_max(BROKEN if broken else max(wish, self._vote(last), SAVE if over else GO_ON))
        if vote == BROKEN:
            raise self._not_finite(trainer)
        if vote in REASONS:
            self.reason = REASONS[vote]
            self._last_words(trainer)
        if last or over:
            self._end_stage(trainer)
        if vote != GO_ON:
            self.save(trainer)  # a stage that is over, too: what comes may not fit into memory
        return vote in REASONS

    def save(self, trainer: Trainer) -> None:
        """Keep everything to resume from, and publish the model. Collective."""
        state = trainer.state()
        if is_main():
            own = {"best": self.best, "scores": self.scores, "finished": self.history}
            self.folder.save_state(state | self.facts | own)
            self._calibrate(trainer)
            self._publish(trainer, self.folder.model)
            self.callbacks.saved(self.folder.path)
        self.saved_at = time.monotonic()

    def _calibrate(self, trainer: Trainer) -> None:
        """Let the averaged networks have statistics of their own."""
        torch.manual_seed(trainer.system.config.seed)  # a command run again must publish the same model
        with closing(self.data.calibration(trainer.system.clock.stage)) as batches:
            trainer.ema.reestimate(map(trainer.placement.batch, batches))

    def _publish(self, trainer: Trainer, path: Path) -> None:
        write_model(path, trainer.system, self.around.name, trainer.ema.modules())

    def sample(self, trainer: Trainer) -> None:
        """Write a sample sheet, one row per preview example: what smaller resolutions gave, then this one."""
        rows: list[dict[str, Tensor]] = []
        stages, now = trainer.system.config.stages(), trainer.system.clock.stage
        with trainer.ema.applied():
            for batch in self.data.previews(now):
                shown = trainer.system.preview(trainer.placement.batch(batch))
                for images in zip(*shown.values(), strict=True):
                    before = columns(self.history, stages, now, len(rows))
                    rows.append(before | dict(zip(shown, images, strict=True)))
        if rows:
            write_sample_sheet(self.folder.samples / f"{trainer.system.clock.total:06}.png", rows)

    # -- after a step ----------------------------------------------------------------------

    def _broken(self, trainer: Trainer, step: int, *, saving: bool) -> bool:
        """Whether a loss, or a weight about to be saved, is not finite.

        A GPU is only asked when its numbers are needed anyway.
        """
        if saving and not all(
            bool(weight.isfinite().all()) for weight in own_weights(trainer.system).values()
        ):
            return True
        cheap = trainer.placement.device.type == "cpu"
        return (cheap or saving or step % self.options.log_every == 0) and not trainer.metrics.finite()

    def _end_stage(self, trainer: Trainer) -> None:
        """Keep samples of a resolution that is learned, and forget the best scores where the next stage has
        images of another size: they do not compare.
        """
        stage, stages = trainer.system.clock.stage, [*trainer.system.config.stages(), None]
        following = stages[[each and each.name for each in stages].index(stage.name) + 1]
        if is_main() and ends_resolution(stage, following):
            batches = map(trainer.placement.batch, self.data.previews(stage))
            with trainer.ema.applied():
                self.history[stage.name] = generate_from(trainer.system, batches)
        if following and stage.resolution != following.resolution:
            self.best = None

    def _last_words(self, trainer: Trainer) -> None:
        """Before leaving early: the steps since the last line of the log, and a sheet of where it stands."""
        if is_main() and trainer.metrics.sums:
            self.shown = trainer.metrics.losses()
            self._log(trainer)
            self.sample(trainer)

    def _late(self) -> bool:
        return time.monotonic() - self.saved_at >= self.options.save_every

    def _vote(self, last: bool) -> int:
        if last:
            return GO_ON  # the run is saved once its finish is computed
        if self.around.interrupt.requested:
            return INTERRUPTED
        limit = self.options.time_limit
        if limit is not None and time.monotonic() - self.began >= limit:
            return TIME_IS_UP
        return SAVE if self._late() else GO_ON

    def _report(self, trainer: Trainer, step: int, last: bool) -> None:
        metrics, options = trainer.metrics, self.options
        due = last or step % options.log_every == 0
        if due or step == 1:
            self.shown = metrics.losses()
        remaining = trainer.steps - step
        done = step - self.resumed_at
        self.callbacks.progress(
            Progress(
                step=step,
                steps=trainer.steps,
                stage=trainer.system.clock.stage.name,
                alpha=trainer.system.clock.alpha if trainer.system.clock.stage.fading else None,
                images_per_s=metrics.images_per_s,
                data_wait=metrics.data_wait,
                eta_s=remaining * (time.monotonic() - self.began) / done if done >= 3 else None,
                memory_bytes=peak_memory(trainer.placement.device),
                losses=self.shown,
            )
        )
        if due:
            self._log(trainer)
        if step % options.sample_every == 0 or last or step == 1:
            self.sample(trainer)
        if step % options.validate_every == 0 or last:
            self.validate(trainer)
        if due:
            metrics.restart()

    def _log(self, trainer: Trainer) -> None:
        clock, metrics = trainer.system.clock, trainer.metrics
        numbers = self.shown | {"images_per_s": metrics.images_per_s, "data_wait": metrics.data_wait}
        numbers["lr_factor"] = min(map(trainer.system.lr_factor, trainer.optimizers))
        self.folder.log(
            {"step": clock.total, "stage": clock.stage.name, "seconds": trainer.seconds, **numbers}
        )
        self.around.events.scalars(clock.total, numbers)

    def validate(self, trainer: Trainer) -> None:
        """Measure on the validation images; keep the model if it is closest to the truth so far."""
        system, to_device = trainer.system, trainer.placement.batch
        self._calibrate(trainer)
        with trainer.ema.applied():
            found = validate(system, map(to_device, self.data.validation(system.clock.stage)))
            if not found.scores:
                found = measure_spectra(system, map(to_device, self.data.training_subset(system.clock.stage)))
        self.scores = found.scores
        if not self.scores:
            return
        step, now = system.clock.total, quality(self.scores, trainer.system.criterion)
        best = now is not None and (self.best is None or now > self.best)
        if best:
            self.best = now
            self._publish(trainer, self.folder.best)
        settled = step >= max(SETTLED, trainer.steps / 2)
        warnings = found.warnings
        if not settled:
            warnings = tuple(f"{each} (normal this early)" for each in warnings)
        self.folder.log({"step": step, "validation": self.scores, "best": best, "remarks": warnings})
        self.around.events.scalars(step, {f"validation/{name}": value for name, value in self.scores.items()})
        self.callbacks.scores(step, self.scores, best)
        if step == trainer.steps:
            for warning in warnings:
                self.callbacks.note(warning)

    def _not_finite(self, trainer: Trainer) -> UserError:
        names = [name for name, value in trainer.metrics.losses().items() if value - value != 0]
        state = self.folder.load_state()
        kept = (
            f"the state of step {state['clock']['total']} is kept and the same command goes on from it"
            if state
            else "nothing was saved yet"
        )
        return UserError(
            f"{self.folder.path}: {', '.join(names) or 'a loss'} was not a finite number at step "
            f"{trainer.system.clock.total}; {kept}; try a lower --lr, --max-grad-norm 1 or --precision fp32",
            exit_code=1,
        )
