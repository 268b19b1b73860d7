"""Where else a run is followed, beside its own log and report: TensorBoard, Weights & Biases, MLflow."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, Self

from i2icli.config import Config, RunOptions
from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.metadata import cleaned
from i2icli.training.callbacks import Callbacks
from i2icli.training.distributed import is_main

MODULES = {"tensorboard": "torch.utils.tensorboard", "wandb": "wandb", "mlflow": "mlflow"}
"""What each needs, by the option that asks for it; its package is the extra of the same name."""
PROJECT = "i2icli"
IDS = "trackers.json"  # in a run folder: under which ids services know the run, which goes on when it resumes


class Tracker(Protocol):
    """Receives the scalars and the sample sheets of a run."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Scalars at a step."""

    def sheet(self, step: int, path: Path) -> None:
        """A sample sheet that was written."""

    def close(self, *, failed: bool) -> None:
        """The run has ended, or failed."""


class TensorBoard:
    """Event files in <run folder>/tensorboard; of steps that a resumed run repeats the new ones count."""

    def __init__(self, folder: Path) -> None:
        self._make = import_module(MODULES["tensorboard"]).SummaryWriter
        self._folder, self._writer = str(folder / "tensorboard"), None

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """One event per scalar."""
        for name, value in values.items():
            self._at(step).add_scalar(name, value, step)

    def sheet(self, step: int, path: Path) -> None:
        """The sheet as an image event."""
        import numpy as np
        from PIL import Image

        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        self._at(step).add_image("samples", pixels, step, dataformats="HWC")

    def close(self, *, failed: bool) -> None:  # noqa: ARG002 - its files do not tell
        """Write pending events."""
        if self._writer is not None:
            self._writer.close()

    def _at(self, step: int) -> Any:
        """The writer; events of its first step and later ones that are there already are dropped."""
        if self._writer is None:
            self._writer = self._make(self._folder, purge_step=step)
        return self._writer


class WandB:
    """A run of the project i2icli, or of WANDB_PROJECT; WANDB_MODE=offline and the like count as always."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.wandb = import_module(MODULES["wandb"])
        self.run = self.wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=os.environ.get("WANDB_NAME", folder.resolve().name),
            dir=str(folder),
            config=dict(settings),
            id=_ids(folder).get("wandb"),
            resume="allow",
        )
        _keep_id(folder, "wandb", self.run.id)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """All of a step together."""
        self.run.log(dict(values), step=step)

    def sheet(self, step: int, path: Path) -> None:
        """The sheet as an image."""
        self.run.log({"samples": self.wandb.Image(str(path))}, step=step)

    def close(self, *, failed: bool) -> None:
        """Send what is pending; any exit code but 0 is that of a failed run."""
        self.run.finish(exit_code=int(failed))


class MLflow:
    """A run of the experiment i2icli, or of MLFLOW_EXPERIMENT_NAME, where MLFLOW_TRACKING_URI says."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.mlflow = import_module(MODULES["mlflow"])
        if not os.environ.keys() & {"MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"}:
            self.mlflow.set_experiment(PROJECT)
        known, name = _ids(folder).get("mlflow"), folder.resolve().name
        run = self.mlflow.start_run(run_id=known, run_name=None if known else name)
        if known is None:
            try:
                self.mlflow.log_params(dict(settings))
            except Exception:
                self.close(failed=True)
                raise
            _keep_id(folder, "mlflow", run.info.run_id)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """All of a step together."""
        self.mlflow.log_metrics(dict(values), step=step)

    def sheet(self, step: int, path: Path) -> None:  # noqa: ARG002 - the file is named by its step
        """The sheet as an artifact."""
        self.mlflow.log_artifact(str(path), "samples")

    def close(self, *, failed: bool) -> None:
        """End the run."""
        self.mlflow.end_run("FAILED" if failed else "FINISHED")


class Trackers:
    """Several at once, closed at the end of a block, as failed where an exception ends it.

    One that fails is given up with a warning: a run is worth more than its tracking.
    """

    def __init__(self, made: Mapping[str, Callable[[], Tracker]], callbacks: Callbacks) -> None:
        self.callbacks = callbacks
        self.all: dict[str, Tracker] = {}
        for name, make in made.items():
            try:
                self.all[name] = make()
            except Exception as error:  # whatever a service or its package comes up with
                self._lost(name, error)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Scalars at a step."""
        self._pass(lambda tracker: tracker.scalars(step, values))

    def sheet(self, step: int, path: Path) -> None:
        """A sample sheet that was written."""
        self._pass(lambda tracker: tracker.sheet(step, path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._pass(lambda tracker: tracker.close(failed=kind is not None))

    def _pass(self, event: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self.all.items()):
            try:
                event(tracker)
            except Exception as error:
                del self.all[name]
                self._lost(name, error)
                with suppress(Exception):
                    tracker.close(failed=True)

    def _lost(self, name: str, error: Exception) -> None:
        why = (str(error) or type(error).__name__).splitlines()[0]
        self.callbacks.warn(f"--{name} failed ({why}); the run goes on without it")


def check_trackers(options: RunOptions) -> None:
    """Raise UserError if the package of a tracker that is asked for is missing."""
    for name, module in MODULES.items():
        if getattr(options, name):
            try:
                import_module(module)
            except ImportError:
                raise UserError(f"--{name} needs a package: pip install 'i2icli[{name}]'") from None


def open_trackers(
    folder: Path, system: str, config: Config, options: RunOptions, callbacks: Callbacks
) -> Trackers:
    """The trackers that the options ask for; none in processes that report nothing."""
    settings = {"system": system, **cleaned(config).model_dump(mode="json")}
    make: dict[str, Callable[[], Tracker]] = {
        "tensorboard": lambda: TensorBoard(folder),
        "wandb": lambda: WandB(folder, settings),
        "mlflow": lambda: MLflow(folder, settings),
    }
    return Trackers(
        {name: each for name, each in make.items() if getattr(options, name) and is_main()}, callbacks
    )


def _ids(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / IDS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep_id(folder: Path, name: str, id_: str) -> None:
    with atomic_write(folder / IDS) as beside:
        beside.write_text(json.dumps(_ids(folder) | {name: id_}) + "\n", encoding="utf-8")
