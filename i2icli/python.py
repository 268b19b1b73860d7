"""What Python callers get beside the engine: hints at misspelt names, a display, judging and measuring."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from i2icli.errors import UserError, several, warn
from i2icli.training.callbacks import Callbacks, WarningCallbacks

if TYPE_CHECKING:
    from i2icli.detector.detector import Detector, Prediction
    from i2icli.detector.run import Finding
    from i2icli.inference.given import Given
    from i2icli.report.spectra import Spectrum
    from i2icli.training.result import TrainResult

M = TypeVar("M", bound=BaseModel)
OWN = ("recipe", "callbacks", "quiet")  # arguments of `train` that are no options


def trained(
    system: str,
    folders: list[Path],
    recipe: str | Path | None,
    callbacks: Callbacks | None,
    settings: dict[str, Any],
    *,
    quiet: bool,
) -> "TrainResult":
    """See `i2icli.train`."""
    from i2icli.config import RunOptions
    from i2icli.recipe import resolve_config
    from i2icli.registry import system_named
    from i2icli.training.run import train as run

    if found := system_named(system):
        system = found
        check_names(system, list(settings))
    own = {name: value for name, value in settings.items() if name in RunOptions.model_fields}
    given = {name: value for name, value in settings.items() if name not in own}
    config, options, line = resolve_config(system, recipe, given), _validated(RunOptions, own), ""
    if recipe is None:
        from i2icli.training.default_recipe import default_recipe

        recipe, line = default_recipe(system, folders, given, options)
        config = resolve_config(system, recipe, given)
    with reporting(system, callbacks, quiet=quiet) as watching:
        if line:
            watching.note(line)
        result = run(system, folders, config, options, watching)
    if result.reason == "interrupted":
        raise KeyboardInterrupt
    return result


def check_machine(**given: str | None) -> None:
    """Raise UserError for arguments of `load` with values that they do not take."""
    from i2icli.inference.options import ModelOptions

    _validated(ModelOptions, given)


def check_names(system: str, given: Sequence[str]) -> None:
    """Raise UserError for arguments of `train` that are none, with what may be meant."""
    from i2icli.cli.elsewhere import answer
    from i2icli.config import RunOptions
    from i2icli.fields import flag
    from i2icli.registry import config_type

    known = [*config_type(system).model_fields, *RunOptions.model_fields, *OWN]
    for name in given:
        if name not in known:
            near = get_close_matches(name.lower(), known, n=1)
            elsewhere = answer(flag(name), {flag(each) for each in known})
            hint = f"here: {elsewhere}" if elsewhere else f"i2i train {system} --help shows all"
            hint = f"did you mean {near[0]}?" if near else hint
            raise UserError(f"{system} has no setting {name}; {hint}")


@contextmanager
def reporting(title: str, callbacks: Callbacks | None, *, quiet: bool) -> Iterator[Callbacks]:
    """What a run reports to: what was given, nothing but Python's warnings, or also a display."""
    if callbacks is not None:
        yield callbacks
        return
    if quiet:
        yield WarningCallbacks()
        return
    from i2icli.cli.console import errors
    from i2icli.cli.display import display

    with display(title, errors()) as shown:
        yield WarningCallbacks(shown)


def detected(image: "Given | list[Any] | tuple[Any, ...]", own: "Detector") -> Any:
    """See `i2icli.detect`."""
    if isinstance(image, list | tuple):
        return [detected(each, own) for each in image]
    if isinstance(image, str | Path):
        path = Path(image)
        return _findings(path, own) if path.is_dir() else own.predict_file(path)
    return _predicted(image, own)


def _findings(folder: Path, own: "Detector") -> "list[Finding]":
    from i2icli.detector.inputs import find_inputs
    from i2icli.detector.run import predict_files

    return list(predict_files(own, find_inputs([str(folder)])[0]))


def _predicted(image: Any, own: "Detector") -> "Prediction":
    if isinstance(image, bytes | bytearray):
        with TemporaryDirectory(prefix="i2i-") as place:  # the detector looks at how a file is written
            path = Path(place) / "image"
            path.write_bytes(image)
            try:
                return own.predict_file(path)
            except UserError as error:
                raise UserError(str(error).replace(str(path), "the image"), exit_code=1) from None
    from i2icli.inference.given import as_item

    return own.predict(as_item(image, "the image").read().pixels)


def measured(
    images: Sequence[Path], *, relative: bool, out: str | Path | None, overwrite: bool
) -> "list[Spectrum]":
    """See `i2icli.spectrum`."""
    from i2icli.cli.spectrum import check_chart
    from i2icli.report import spectra

    if out is not None:
        check_chart(Path(out), overwrite=overwrite)
    found, relative, skipped = spectra.measured([str(each) for each in images], relative=relative)
    if skipped:
        warn(f"left out: {several(skipped)}")
    if out is not None:
        spectra.write(Path(out), found, relative=relative)
    return found


def _validated(model: type[M], given: dict[str, Any]) -> M:
    """Raises UserError naming a value that is none."""
    from i2icli.fields import explain

    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise UserError(explain(error, model, str)) from error
