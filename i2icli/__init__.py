"""i2icli: train and run the classic GAN image-to-image systems.

From Python:

>>> import i2icli
>>> result = i2icli.train("cyclegan", "horse2zebra", steps=10_000)
>>> i2icli.load(result.folder).translate("photo.jpg", to="B").save("zebra.png")
"""

from __future__ import annotations  # next to nothing loads before Ctrl-C is quiet, see `i2icli.__main__`

from i2icli.errors import I2IWarning, UserError, called_from_python, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from i2icli.cli.description import Description
    from i2icli.config import Precision
    from i2icli.inference.given import Given
    from i2icli.inference.options import RuntimeChoice, TranslateOptions
    from i2icli.inference.translator import Translator
    from i2icli.report.spectra import Spectrum
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
    "TrainResult": "i2icli.training.result",
    "TranslateOptions": "i2icli.inference.options",
    "Translator": "i2icli.inference.translator",
}
"""Public names by the module that defines them: imported when they are asked for, as some load torch."""

__all__ = [
    "Callbacks",
    "I2IWarning",
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
    "spectrum",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    """The public names, also those that load when they are asked for: what notebooks complete."""
    return sorted({*globals(), *__all__})


@called_from_python()
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
    from i2icli.python import check_machine

    check_machine(device=device, precision=precision, runtime=runtime, weights=weights)
    found = Translator.load(model, device, precision, runtime, weights=weights)
    for note in found.notes:
        warn(note)
    return found


@called_from_python()
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
    GPU and without a recipe or a size among them they are those of recipe="small". Progress, scores and
    warnings go to `callbacks`; without any progress and scores are shown, in notebooks too, unless `quiet`,
    and warnings are Python's (`I2IWarning`). Raises i2icli.errors.UserError for data or settings that do not
    fit, and KeyboardInterrupt after Ctrl-C, once the run is saved.
    """
    from i2icli.python import trained

    return trained(system, _paths(data), recipe, callbacks, settings, quiet=quiet)


@called_from_python()
def info(model: str | Path) -> Description:
    """What a model is, as `i2i info` shows it. Raises i2icli.errors.UserError if there is none."""
    from i2icli.cli.description import describe
    from i2icli.runs import find_model

    return describe(find_model(str(model)))


@called_from_python()
def detect(image: Given | list[Given], detector: str | Path | None = None) -> Any:
    """Whether an image was generated: a verdict, the probability of a fake, an explanation (`Prediction`).

    An image may be a path, the bytes of a file, a Pillow image, an array (H, W, C) or a tensor (C, H, W); a
    list gives a list, and a folder a `Finding` for every image and video below it. Only files and bytes tell
    how an image was compressed, so prefer them. `detector` is a file of `i2i detector fit`; None: the one
    that comes with the package. Raises i2icli.errors.UserError for what cannot be read.
    """
    from pathlib import Path

    from i2icli.detector.detector import Detector
    from i2icli.python import detected

    return detected(image, Detector.shipped("traces") if detector is None else Detector.load(Path(detector)))


@called_from_python()
def spectrum(
    images: str | Path | Sequence[str | Path],
    *,
    relative: bool = False,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> list[Spectrum]:
    """The mean spectra of images as `i2i spectrum` measures them: one for each folder, glob or file.

    Each has a name, `frequency`, `mean` and `deviation`, (L,) each. `out`: a .png, .svg or .html to write;
    what is there stays unless `overwrite`. Raises i2icli.errors.UserError if no image can be read, and warns
    of some that cannot.
    """
    from i2icli.python import measured

    return measured(_paths(images), relative=relative, out=out, overwrite=overwrite)


def _paths(data: str | Path | Sequence[str | Path]) -> list[Path]:
    from pathlib import Path

    return [Path(data)] if isinstance(data, str | Path) else [Path(each) for each in data]
