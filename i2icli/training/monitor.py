"""Monitoring of a run between its steps: logging, sample sheets, validation, checkpoints, stopping."""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from i2icli.config import RunOptions
from i2icli.logs import timed
from i2icli.report.clips import write_film, write_strip
from i2icli.report.sheet import write_sample_sheet
from i2icli.runtime.checkpoint import write_model
from i2icli.runtime.device import peak_memory
from i2icli.training.callbacks import Callbacks, Progress
from i2icli.training.clip_scores import spectrum_row
from i2icli.training.distributed import all_reduce_max, is_main
from i2icli.training.interrupt import Interrupt
from i2icli.training.not_finite import not_finite_error
from i2icli.training.outlook import Outlook
from i2icli.training.resolution_history import History, columns, ends_resolution, generate_from
from i2icli.training.run_data import RunData
from i2icli.training.run_folder import RunFolder
from i2icli.training.run_report import LiveReport
from i2icli.training.run_segmenter import RunSegmenter
from i2icli.training.state import own_weights, state_of
from i2icli.training.trackers import Trackers
from i2icli.training.trainer import Trainer
from i2icli.training.validation import Scores, measure_spectra, quality, remarks, validate

# What each process proposes after a step; the highest wins.
CONTINUE, SAVE, TIME_LIMIT, INTERRUPTED, NOT_FINITE = range(5)
BY_SEGMENTER = ("miou", "pixel_accuracy")  # scores that a segmentation network gives
FRESH = 1.0  # seconds after which displayed losses are computed anew: a GPU has to be waited for
STOP_REASONS = {TIME_LIMIT: "time limit", INTERRUPTED: "interrupted"}


@dataclass(frozen=True)
class RunContext:
    """What a monitor works with."""

    name: str  # of the system
    folder: RunFolder
    options: RunOptions
    data: RunData
    callbacks: Callbacks
    interrupt: Interrupt
    trackers: Trackers
    criterion: str  # the score whose highest mean keeps the best model
    outlook: Outlook  # the time that is left


class Monitor:
    """Monitors the training loop of one process. Only rank 0 writes files and reports."""

    def __init__(self, context: RunContext, description: dict[str, Any]) -> None:
        """description: what else resuming needs, e.g. the settings; saved in the state."""
        self.context = context
        self.folder, self.options, self.data = context.folder, context.options, context.data
        self.callbacks = context.callbacks
        self.description = description
        self.report = LiveReport(self.folder, context.name)
        self.saved_at = self.shown_at = time.monotonic()
        self.outlook = context.outlook
        self.saved_step: int | None = None  # of the newest state on the disk, as far as this process knows
        self.reason = "finished"
        self.scores: Scores = {}
        self.best: float | None = None
        self.history: History = {}  # samples of finished resolutions
        self.losses: dict[str, float] = {}  # means that are displayed
        self.segmenter = RunSegmenter(self.data, self.folder, self.callbacks, context.interrupt)

    def restore(self, state: dict[str, Any]) -> None:
        """Restore from a state written by `save`."""
        self.scores = state["scores"]
        own = None if self.options.best_by else self.context.criterion
        if state.get("criterion", own) == self.context.criterion:  # older states do not name it
            self.best = state["best"]
        self.history = state.get("finished", {})
        self.saved_step = state["clock"]["total"]

    def after_step(self, trainer: Trainer) -> bool:
        """Do what is due after a step. True: stop training."""
        step = trainer.system.clock.total
        last = step == trainer.steps
        proposal = self._proposal(last)
        not_finite = self._not_finite(trainer, step, saving=last or proposal != CONTINUE)
        if is_main() and not not_finite:
            self.folder.check_there()
            self.outlook.step(trainer.system.clock.stage)
            self._report(trainer, step, last)
            self.outlook.settle()
        stage_done = not last and trainer.system.clock.step == trainer.system.clock.stage.steps
        proposal = max(proposal, self._proposal(last), SAVE if stage_done else CONTINUE)
        action = all_reduce_max(NOT_FINITE if not_finite else proposal)
        if action == NOT_FINITE:
            raise not_finite_error(self.folder.path, trainer, self.saved_step)
        if action in STOP_REASONS:
            self.reason = STOP_REASONS[action]
            self._log_before_stopping(trainer)
        if last or stage_done:
            self._end_stage(trainer)
        if action != CONTINUE:  # at the end of a stage as well: the next one may run out of memory
            self.save(trainer, thorough=action in STOP_REASONS)
        return action in STOP_REASONS

    @timed("saving")
    def save(self, trainer: Trainer, *, thorough: bool = False) -> None:
        """Save the state for resuming, and publish the model. Collective.

        thorough: what the model needs beside weights is computed from all training images, not from a subset.
        """
        if is_main():  # first: the state must not hold what was computed for an earlier model
            self.complete(trainer, thorough=thorough)
        state = state_of(trainer)
        if is_main():
            self.folder.check_there()
            self.folder.save_state(self.whole(state))
            self.publish(trainer, self.folder.model)
            self.report.update(trainer.system.config)
            self.callbacks.saved(self.folder.path)
        self.saved_at, self.saved_step = time.monotonic(), trainer.system.clock.total

    def whole(self, state: dict[str, Any]) -> dict[str, Any]:
        """The state of a trainer with what the run and its monitor add."""
        own = {"best": self.best, "criterion": self.context.criterion, "scores": self.scores}
        return state | self.description | own | {"finished": self.history}

    def complete(self, trainer: Trainer, *, thorough: bool = False) -> None:
        """Compute what the published model needs beside its weights, see `System.finish`."""
        self._calibrate(trainer)
        stage = trainer.system.clock.stage
        found = self.data.all_training(stage) if thorough else self.data.training_subset(stage)
        with trainer.ema.applied(), closing(found) as batches:
            trainer.system.finish(map(trainer.placement.batch, batches))

    def _calibrate(self, trainer: Trainer) -> None:
        """Re-estimate the batch-norm statistics of the averaged networks."""
        torch.manual_seed(trainer.system.config.seed)  # a command run again must publish the same model
        with closing(self.data.calibration(trainer.system.clock.stage)) as batches:
            trainer.ema.reestimate(map(trainer.placement.batch, batches))

    def publish(self, trainer: Trainer, path: Path) -> None:
        """Write the model as it is now."""
        write_model(path, trainer.system, self.context.name, trainer.ema.modules())

    @timed("drawing a sample sheet")
    def sample(self, trainer: Trainer) -> None:
        """Write a sample sheet, one row per preview example: earlier resolutions first, then this one."""
        rows: list[dict[str, Tensor]] = []
        stages, now = trainer.system.config.stages(), trainer.system.clock.stage
        with trainer.ema.applied():
            for batch in self.data.previews(now):
                shown = trainer.system.preview(trainer.placement.batch(batch))
                for images in zip(*shown.values(), strict=True):
                    before = columns(self.history, stages, now, len(rows))
                    now_shown = (image.detach().float().cpu() for image in images)
                    rows.append(before | dict(zip(shown, now_shown, strict=True)))
        if rows:
            path = self.folder.samples / f"{trainer.system.clock.total:06}.png"
            write_sample_sheet(path, rows)
            self.context.trackers.sheet(trainer.system.clock.total, path)

    # -- after a step ----------------------------------------------------------------------

    def _not_finite(self, trainer: Trainer, step: int, *, saving: bool) -> bool:
        """Whether a loss, or a weight about to be saved, is not finite.

        A GPU is only synchronised when its values are needed anyway.
        """
        if saving and not all(
            bool(weight.isfinite().all()) for weight in own_weights(trainer.system).values()
        ):
            return True
        cheap = trainer.placement.device.type == "cpu"
        return (cheap or saving or step % self.options.log_every == 0) and not trainer.metrics.finite()

    def _end_stage(self, trainer: Trainer) -> None:
        """Store samples of a finished resolution, and reset the best score if the next stage has another
        image size: scores are not comparable.
        """
        stage, stages = trainer.system.clock.stage, [*trainer.system.config.stages(), None]
        following = stages[[each and each.name for each in stages].index(stage.name) + 1]
        if is_main() and ends_resolution(stage, following):
            batches = map(trainer.placement.batch, self.data.previews(stage))
            with trainer.ema.applied():
                self.history[stage.name] = generate_from(trainer.system, batches)
        if following and stage.resolution != following.resolution:
            self.best = None

    def _log_before_stopping(self, trainer: Trainer) -> None:
        """Before stopping early: log the steps since the last line, and write a sample sheet."""
        if is_main() and trainer.metrics.sums:
            self.losses = trainer.metrics.losses()
            self._log(trainer)
            self.sample(trainer)

    def _save_is_due(self) -> bool:
        return time.monotonic() - self.saved_at >= self.options.save_every

    def _proposal(self, last: bool) -> int:
        if last:
            return CONTINUE  # the run is saved after `System.finish`
        if self.context.interrupt.requested:
            return INTERRUPTED
        if self.outlook.limit_left_s() == 0:
            return TIME_LIMIT
        return SAVE if self._save_is_due() else CONTINUE

    def _report(self, trainer: Trainer, step: int, last: bool) -> None:
        metrics, options = trainer.metrics, self.options
        due = last or step % options.log_every == 0
        if due or step == 1 or time.monotonic() - self.shown_at >= FRESH:
            self.losses, self.shown_at = metrics.losses(), time.monotonic()
        peak, left_s = peak_memory(trainer.placement.device), self.outlook.left_s(trainer.system.clock)
        for line in self.outlook.first_lines(trainer.steps - step, left_s, peak):
            self.callbacks.note(line)
        self.callbacks.progress(
            Progress(
                step=step,
                steps=trainer.steps,
                stage=trainer.system.clock.stage.name,
                alpha=trainer.system.clock.alpha if trainer.system.clock.stage.fading else None,
                images_per_s=metrics.images_per_s,
                data_wait=metrics.data_wait,
                eta_s=left_s,
                limit_s=self.outlook.limit_left_s(),
                memory_bytes=peak,
                losses=self.losses,
            )
        )
        if due:
            self._log(trainer)
        if step % options.sample_every == 0 or last or step == 1:
            self.sample(trainer)
            self.report.update(trainer.system.config)
        if step % options.validate_every == 0 or last:
            self.validate(trainer)
        if due:
            metrics.restart()

    def _log(self, trainer: Trainer) -> None:
        clock, metrics = trainer.system.clock, trainer.metrics
        numbers = self.losses | {"images_per_s": metrics.images_per_s, "data_wait": metrics.data_wait}
        numbers["lr_factor"] = min(map(trainer.system.lr_factor, trainer.optimizers))
        self.folder.log(
            {"step": clock.total, "stage": clock.stage.name, "seconds": trainer.seconds, **numbers}
        )
        self.context.trackers.scalars(clock.total, numbers)

    @timed("validating")
    def validate(self, trainer: Trainer) -> None:
        """Score the validation images; keep the model if its score is the best so far."""
        system, to_device = trainer.system, trainer.placement.batch
        stage = system.clock.stage
        segmenter = self.segmenter.of_stage(stage, trainer.placement.device)
        if self.segmenter.replaced and self.context.criterion in BY_SEGMENTER:
            self.best = None  # scores by another network are not comparable
        self._calibrate(trainer)
        with trainer.ema.applied():
            found = validate(system, map(to_device, self.data.validation(stage)), segmenter)
            if not found.scores:
                found = measure_spectra(system, map(to_device, self.data.training_subset(stage)))
        self.scores = found.scores
        if not self.scores:
            return
        step, now = system.clock.total, quality(self.scores, self.context.criterion)
        best = now is not None and (self.best is None or now > self.best)
        if best:
            self.best = now
            self.complete(trainer)
            self.publish(trainer, self.folder.best)
        if now is None and self.options.best_by:
            self.callbacks.warn(
                f"--best-by {self.options.best_by}: not measured here ({', '.join(self.scores)} are), so "
                f"{self.folder.best.name} is not kept"
            )
        warnings = remarks(found.warnings, step, trainer.steps)
        row: dict[str, Any] = {"step": step, "validation": self.scores, "best": best, "remarks": warnings}
        row["criterion"] = self.context.criterion, now
        self.folder.log(row | ({"flicker": spectrum_row(found.flicker)} if found.flicker else {}))
        if found.clip:
            write_strip(self.folder.strip, found.clip)
            write_film(self.folder.film, found.clip)
        scalars = {f"validation/{name}": value for name, value in self.scores.items()}
        self.context.trackers.scalars(step, scalars)
        self.report.update(trainer.system.config)
        self.callbacks.scores(step, self.scores, best)
        if step == trainer.steps:
            for warning in warnings:
                self.callbacks.note(warning)
