"""`i2i detector fit|evaluate`: fit your own detector; evaluate one."""

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from i2icli.cli.commands import Command, Group, unwrapped
from i2icli.cli.console import complain, errors, output, say, warned
from i2icli.cli.detector_tables import print_fitted, print_scores, say_what_was_fitted
from i2icli.cli.options import WITH_THREADS, seed_within_bounds
from i2icli.cli.writing import Overwrite, check_free, left_out
from i2icli.errors import UserError, cell

if TYPE_CHECKING:
    from i2icli.detector.dataset import LabelledFeatures
    from i2icli.detector.detector import Detector
    from i2icli.detector.evaluation import Condition, Score
    from i2icli.detector.leakage import Leak

CLASSIFIERS = ("logistic", "svm", "svm-linear", "svm-poly", "kmeans", "trees")
FEATURES = ("profile", "raw-profile", "frames", "traces")
MODES = ("traces", "profile")

FIT_EXAMPLES = (
    "As in the paper:  i2i detector fit celeba generated --classifier svm\n\n"
    "Folders of different sizes or formats:  i2i detector fit photos fakes --equalise --out d.safetensors"
)
EVALUATE_EXAMPLES = (
    "The shipped detector:  i2i detector evaluate photos fakes --out report\n\n"
    "Your own:  i2i detector evaluate photos fakes --model d.safetensors --conditions 'JPEG 90,0.75x'"
)

_Real = Annotated[Path, typer.Argument(metavar="REAL", help="folder of photographs")]
_Fake = Annotated[
    Path, typer.Argument(metavar="FAKE", help="folder of fakes; subfolders are reported as groups")
]
_Limit = Annotated[
    int | None, typer.Option(metavar="<int>", min=1, help="maximum number of images per folder")
]
REPORT = ("scores.csv", "curves.png", "calibration.png")  # files of evaluate --out
_Json = Annotated[bool, typer.Option("--json", help="print JSON on stdout instead of a table")]

app = typer.Typer(cls=Group, no_args_is_help=True)


@app.callback()
def detector() -> None:
    """Fit your own detectors of generated images, and evaluate them."""


def fit(
    real: _Real,
    fake: _Fake,
    out: Annotated[Path, typer.Option(metavar="<path>", help="detector file to write")] = Path(
        "detector.safetensors"
    ),
    classifier: Annotated[
        str, typer.Option(metavar="<choice>", help=f"the papers': {', '.join(CLASSIFIERS[:5])}; or trees")
    ] = "logistic",
    features: Annotated[
        str,
        typer.Option(
            metavar="<choice>",
            help="spectral profile relative to its first value, any size (profile); unnormalised, one size "
            "(raw-profile); of the centre of video frames (frames); up-sampling traces (traces)",
        ),
    ] = "profile",
    equalise: Annotated[
        bool,
        typer.Option("--equalise", help="first convert all images to one size, colour mode and JPEG quality"),
    ] = False,
    limit: _Limit = None,
    seed: Annotated[
        int, typer.Option(metavar="<int>", callback=seed_within_bounds, help="random seed of splits and fits")
    ] = 0,
    as_json: _Json = False,
    overwrite: Overwrite = False,
    threads: WITH_THREADS = None,  # noqa: ARG001 - its callback uses it
) -> None:
    """Fit a detector to photographs and fakes, evaluated and calibrated on ten random 80/20 splits.

    Warns if size, format, JPEG or colour mode alone separate the folders; --equalise reduces that.
    """
    _chosen("--classifier", classifier, CLASSIFIERS)
    _chosen("--features", features, FEATURES)
    if out.suffix != ".safetensors":
        raise UserError(f"--out {out}: expected a name that ends in .safetensors")
    check_free(out, overwrite=overwrite)
    from i2icli.detector.fit_detector import fit_folders

    detector, features_of_folders, leaks = fit_folders(
        real, fake, classifier, features, equalise=equalise, limit=limit, seed=seed
    )
    left_out(features_of_folders.skipped)
    for leak in leaks:
        warned(f"{leak}; {_advice(leak, equalise)}")
    detector.save(out)
    _print_fitted(detector, features_of_folders, leaks, out, as_json)


def evaluate(
    real: _Real,
    fake: _Fake,
    model: Annotated[
        Path | None, typer.Option(metavar="<path>", help="detector file from i2i detector fit")
    ] = None,
    mode: Annotated[
        str | None, typer.Option(metavar="<choice>", help="shipped detector: traces (default) or profile")
    ] = None,
    conditions: Annotated[
        str, typer.Option(metavar="<list>", help="perturbations to evaluate under, comma-separated, or all")
    ] = "all",
    limit: _Limit = None,
    out: Annotated[Path | None, typer.Option(metavar="<path>", help="folder for the table and plots")] = None,
    as_json: _Json = False,
    overwrite: Overwrite = False,
    threads: WITH_THREADS = None,  # noqa: ARG001 - its callback uses it
) -> None:
    """Evaluate a detector: accuracy, ROC-AUC and calibration, per group of fakes.

    Also under JPEG, resizing, blur and noise.
    """
    if model and mode:
        raise UserError("--model and --mode: choose one; --mode selects a shipped detector")
    mode = _chosen("--mode", mode or "traces", MODES)
    names = _conditions(conditions)
    if out:
        check_free(*(out / name for name in REPORT), overwrite=overwrite)
    from i2icli.detector.detector import Detector
    from i2icli.detector.evaluation import score

    detector = Detector.load(model) if model else Detector.shipped(mode)
    evaluated = _evaluate_conditions(detector, real, fake, names, limit)
    scores = [each for condition in evaluated for each in score(detector, condition)]
    left_out(list(dict.fromkeys(line for condition in evaluated for line in condition.skipped)))
    if as_json:
        print(json.dumps([each.as_row() for each in scores], indent=2))
    else:
        print_scores(scores)
    say_what_was_fitted(detector, evaluated[0])
    if out:
        _write_report(out, evaluated, scores)


for command, epilog in ((fit, FIT_EXAMPLES), (evaluate, EVALUATE_EXAMPLES)):
    app.command(cls=Command, help=unwrapped(command), epilog=escape(epilog))(command)
app.command("train", cls=Command, help="Alias of fit.", hidden=True)(fit)


def _evaluate_conditions(
    detector: "Detector", real: Path, fake: Path, names: list[str], limit: int | None
) -> list["Condition"]:
    """All conditions that can be evaluated. Raises UserError if there is none."""
    from i2icli.detector.evaluation import evaluate_condition

    evaluated, failed = [], {}
    for name in names:
        try:
            evaluated.append(evaluate_condition(detector, real, fake, name, limit))
            errors().print(f"evaluated: {name}", markup=False)
        except UserError as error:  # such as images that become too small
            failed[name] = error
    if not evaluated:
        raise next(iter(failed.values()))
    for name, why in failed.items():
        complain(f"not evaluated: {name}: {why}")
    return evaluated


def _advice(leak: "Leak", equalise: bool) -> str:
    if not equalise:
        return "add --equalise, or the detector will learn it"
    return (
        "--equalise cannot undo compression; use files of one kind"
        if leak.survives
        else "removed by --equalise"
    )


def _chosen(option: str, name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise UserError(f"{option} {name}: expected one of {', '.join(known)}")
    return name


def _conditions(text: str) -> list[str]:
    from i2icli.detector.perturbations import CONDITIONS

    if text == "all":
        return list(CONDITIONS)
    return [_chosen("--conditions", name.strip(), tuple(CONDITIONS)) for name in text.split(",")]


def _print_fitted(
    detector: "Detector", features: "LabelledFeatures", leaks: list["Leak"], out: Path, as_json: bool
) -> None:
    info = detector.info
    if as_json:
        row = {"detector": str(out), "reals": info.reals, "fakes": info.fakes, "scores": info.scores}
        print(json.dumps(row | {"leaks": [str(leak) for leak in leaks], "left_out": len(features.skipped)}))
        return
    print_fitted(detector)
    say(output(), f"written: {out}")


def _write_report(folder: Path, conditions: list["Condition"], scores: list["Score"]) -> None:
    from i2icli.detector.plots import plot_calibration, plot_evaluation
    from i2icli.files import atomic_write

    rows = [each.as_row() for each in scores]
    table, curves, calibration = (folder / name for name in REPORT)
    with (
        atomic_write(table) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(
            {name: cell(value) if isinstance(value, str) else value for name, value in row.items()}
            for row in rows
        )
    plot_evaluation(curves, conditions)
    plot_calibration(calibration, conditions)
    say(errors(), f"written: {folder}/{', '.join(REPORT)}")
    sys.stdout.flush()
