"""i2icli: train and run the classic GAN image-to-image systems.

From Python:

>>> import i2icli
>>> result = i2icli.train("cyclegan", "horse2zebra", steps=10_000)
>>> i2icli.load(result.folder).translate("photo.jpg", to="B").save("zebra.png")
"""

from __future__ import annotations  # next to nothing loads before Ctrl-C is quiet, see `i2icli.__main__`

from contextlib import contextmanager

from i2icli.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from i2icli.cli.description import Description
    from i2icli.config import Precision, RunOptions
    from i2icli.detector.detector import Prediction
    from i2icli.inference.options import RuntimeChoice, TranslateOptions
    from i2icli.inference.translator import Translator
    from i2icli.task import Port, Task
    from i2icli.training.callbacks import Callbacks, NoCallbacks, Progress
    from i2icli.training.run import TrainResult
    from i2icli.weights import Weights

__version__ = "0.1.0"

_WHERE = {
    "Callbacks": "i2icli.training.callbacks",
    "NoCallbacks": "i2icli.training.callbacks",
    "Port": "i2icli.task",
    "Progress": "i2icli.training.callbacks",
    "Task": "i2icli.task",
    "TrainResult": "i2icli.training.run",
    "TranslateOptions": "i2icli.inference.options",
    "Translator": "i2icli.inference.translator",
}
"""Public names by the module that defines them: imported when they are asked for, as some load torch."""

__all__ = [
    "Callbacks",
    "NoCallbacks",
    "Port",
    "Progress",
    "Task",
    "TrainResult",
    "TranslateOptions",
    "Translator",
    "UserError",
    "__version__",
    "detect",
    "info",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)


def load(
    model: str | Path,
    device: str | None = None,
    precision: Precision = "auto",
    runtime: RuntimeChoice = "auto",
    *,
    weights: Weights | None = None,
) -> Translator:
    """A trained model: a path, a run's name under runs/, a system (its newest run), an original checkpoint,
    or the name of a model that `i2i pull` downloaded.

    `runtime` is what computes it: torch, onnxruntime or openvino; auto: the fastest that is there already.
    `weights` of a run are "best" by its validation, or "last"; None: the best where one is known.

    Raises i2icli.errors.UserError if there is none or it cannot be used.
    """
    from i2icli.inference.translator import Translator  # torch loads only when there is work

    return Translator.load(model, device, precision, runtime, weights=weights)


def train(
    system: str,
    data: str | Path | Sequence[str | Path],
    *,
    recipe: str | Path | None = None,
    callbacks: Callbacks | None = None,
    quiet: bool = False,
    **settings: Any,
) -> TrainResult:
    """Train a system on a folder (or several), or go on with the run that is in its folder.

    `settings` are the options of `i2i train SYSTEM` with underscores: steps=1000, out="runs/x"; without a
    GPU and without a recipe or a size among them they are those of recipe="small". Progress,
    scores and warnings go to `callbacks`; without any they are shown, in notebooks too, unless `quiet`.
    Raises i2icli.errors.UserError for data or settings that do not fit, and KeyboardInterrupt after Ctrl-C,
    once the run is saved.
    """

    from i2icli.config import RunOptions
    from i2icli.recipe import resolve_config
    from i2icli.registry import system_named
    from i2icli.training.run import train as run

    own = {name: value for name, value in settings.items() if name in RunOptions.model_fields}
    system = system_named(system) or system
    given = {name: value for name, value in settings.items() if name not in own}
    config, options = resolve_config(system, recipe, given), _run_options(own)
    folders, line = _paths(data), ""
    if recipe is None:
        from i2icli.training.default_recipe import default_recipe

        recipe, line = default_recipe(system, folders, given, options)
        config = resolve_config(system, recipe, given)
    with _shown(system, callbacks, quiet=quiet) as watching:
        if line and watching is not None:
            watching.note(line)
        result = run(system, folders, config, options, watching)
    if result.reason == "interrupted":
        raise KeyboardInterrupt
    return result


def _run_options(given: dict[str, Any]) -> RunOptions:
    """Raises UserError naming a value that is none."""
    from pydantic import ValidationError

    from i2icli.config import RunOptions
    from i2icli.fields import explain

    try:
        return RunOptions.model_validate(given)
    except ValidationError as error:
        raise UserError(explain(error, RunOptions, str)) from error


def info(model: str | Path) -> Description:
    """What a model is, as `i2i info` shows it. Raises i2icli.errors.UserError if there is none."""
    from i2icli.cli.description import describe
    from i2icli.runs import find_model

    return describe(find_model(str(model)))


def detect(image: str | Path, detector: str | Path | None = None) -> Prediction:
    """Whether an image file was generated: a verdict, the probability of a fake, an explanation.

    `detector` is a file of `i2i detector fit`; None: the one that comes with the package. Raises
    i2icli.errors.UserError for what cannot be read.
    """
    from pathlib import Path

    from i2icli.detector.detector import Detector

    own = Detector.shipped("traces") if detector is None else Detector.load(Path(detector))
    return own.predict_file(Path(image))


def _paths(data: str | Path | Sequence[str | Path]) -> list[Path]:
    from pathlib import Path

    return [Path(data)] if isinstance(data, str | Path) else [Path(each) for each in data]


@contextmanager
def _shown(title: str, callbacks: Callbacks | None, *, quiet: bool) -> Iterator[Callbacks | None]:
    """What a run reports to: what was given, nothing, or a display."""
    if callbacks is not None or quiet:
        yield callbacks
        return
    from i2icli.cli.console import errors
    from i2icli.cli.display import display

    with display(title, errors()) as shown:
        yield shown
