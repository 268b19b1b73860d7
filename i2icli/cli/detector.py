"""`i2i detector fit|evaluate`: detectors of your own, and how good a detector is."""

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from i2icli.cli.commands import Command, Group, unwrapped
from i2icli.cli.console import complain, errors, output, say
from i2icli.cli.options import seed_within_bounds
from i2icli.cli.writing import Overwrite, check_free, left_out
from i2icli.errors import UserError

if TYPE_CHECKING:
    from i2icli.detector.collection import Collection
    from i2icli.detector.detector import Detector
    from i2icli.detector.evaluation import Condition, Score
    from i2icli.detector.leakage import Leak

CLASSIFIERS = ("logistic", "svm", "svm-linear", "svm-poly", "kmeans", "trees")
FEATURES = ("profile", "raw-profile", "frames", "traces")
MODES = ("traces", "profile")

FIT_EXAMPLES = (
    "As in the paper:  i2i detector fit celeba generated --classifier svm\n\n"
    "Folders that differ in size or format:  i2i detector fit photos fakes --equalise --out d.safetensors"
)
EVALUATE_EXAMPLES = (
    "The shipped one:  i2i detector evaluate photos fakes --out report\n\n"
    "Your own:  i2i detector evaluate photos fakes --model d.safetensors --conditions 'JPEG 90,0.75x'"
)

_Real = Annotated[Path, typer.Argument(metavar="REAL", help="folder of photographs")]
_Fake = Annotated[Path, typer.Argument(metavar="FAKE", help="folder of fakes; a folder inside is a group")]
_Limit = Annotated[
    int | None, typer.Option(metavar="<int>", min=1, help="read at most so many pictures of each folder")
]
REPORT = ("scores.csv", "curves.png", "calibration.png")  # what evaluate writes
_Json = Annotated[bool, typer.Option("--json", help="print JSON on stdout instead of a table")]

app = typer.Typer(cls=Group, no_args_is_help=True)


@app.callback()
def detector() -> None:
    """Fit detectors of fakes to folders of your own, and measure them."""


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
            help="profile of the spectrum over its first value, any size (profile); as it is, one size "
            "(raw-profile); of the middle of film frames (frames); traces of up-sampling (traces)",
        ),
    ] = "profile",
    equalise: Annotated[
        bool,
        typer.Option("--equalise", help="first bring all pictures to one size, colour mode and JPEG"),
    ] = False,
    limit: _Limit = None,
    seed: Annotated[
        int, typer.Option(metavar="<int>", callback=seed_within_bounds, help="fixes splits and fits")
    ] = 0,
    as_json: _Json = False,
    overwrite: Overwrite = False,
) -> None:
    """Fit a detector to photographs and fakes; ten random 80/20 splits measure and calibrate it.

    Warns where size, format, JPEG or colour mode alone tell the folders apart; --equalise lessens that.
    """
    _chosen("--classifier", classifier, CLASSIFIERS)
    _chosen("--features", features, FEATURES)
    if out.suffix != ".safetensors":
        raise UserError(f"--out {out}: expected a name that ends in .safetensors")
    check_free(out, overwrite=overwrite)
    from i2icli.detector.fit_detector import fit_folders

    made, found, leaks = fit_folders(
        real, fake, classifier, features, equalise=equalise, limit=limit, seed=seed
    )
    left_out(found.troubles)
    for leak in leaks:
        errors().print(
            f"[bold yellow]warning:[/] {escape(str(leak))}; {_advice(leak, equalise)}", soft_wrap=True
        )
    made.save(out)
    _print_fitted(made, found, leaks, out, as_json)


def evaluate(
    real: _Real,
    fake: _Fake,
    model: Annotated[
        Path | None, typer.Option(metavar="<path>", help="a detector that i2i detector fit wrote")
    ] = None,
    mode: Annotated[
        str | None, typer.Option(metavar="<choice>", help="shipped detector: traces (default) or profile")
    ] = None,
    conditions: Annotated[
        str, typer.Option(metavar="<list>", help="what is done to the pictures first: names by comma, or all")
    ] = "all",
    limit: _Limit = None,
    out: Annotated[
        Path | None, typer.Option(metavar="<path>", help="folder for the table and pictures of the curves")
    ] = None,
    as_json: _Json = False,
    overwrite: Overwrite = False,
) -> None:
    """Measure a detector: accuracy, ROC-AUC and calibration, per group of fakes.

    Also after JPEG, resizing, blur and noise.
    """
    if model and mode:
        raise UserError("--model and --mode: choose one; --mode picks among the shipped detectors")
    mode = _chosen("--mode", mode or "traces", MODES)
    names = _conditions(conditions)
    if out:
        check_free(*(out / name for name in REPORT), overwrite=overwrite)
    from i2icli.detector.detector import Detector
    from i2icli.detector.evaluation import score

    detector = Detector.load(model) if model else Detector.shipped(mode)
    done = _measured(detector, real, fake, names, limit)
    scores = [each for condition in done for each in score(detector, condition)]
    left_out(list(dict.fromkeys(trouble for condition in done for trouble in condition.troubles)))
    if as_json:
        print(json.dumps([each.as_row() for each in scores], indent=2))
    else:
        _print_scores(scores)
    if out:
        _write_report(out, done, scores)


for command, epilog in ((fit, FIT_EXAMPLES), (evaluate, EVALUATE_EXAMPLES)):
    app.command(cls=Command, help=unwrapped(command), epilog=escape(epilog))(command)
app.command("train", cls=Command, help="The same as fit.", hidden=True)(fit)


def _measured(
    detector: "Detector", real: Path, fake: Path, names: list[str], limit: int | None
) -> list["Condition"]:
    """All conditions under which there are pictures to judge. Raises UserError if there is none."""
    from i2icli.detector.evaluation import judge_condition

    done, refused = [], {}
    for name in names:
        try:
            done.append(judge_condition(detector, real, fake, name, limit))
            errors().print(f"measured: {name}", markup=False)
        except UserError as error:  # such as pictures that are too small then
            refused[name] = error
    if not done:
        raise next(iter(refused.values()))
    for name, why in refused.items():
        complain(f"not measured: {name}: {why}")
    return done


def _advice(leak: "Leak", equalise: bool) -> str:
    if not equalise:
        return "add --equalise, or the detector learns it"
    return "--equalise cannot undo compression: better use files of one kind" if leak.stays else "taken away"


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
    made: "Detector", found: "Collection", leaks: list["Leak"], out: Path, as_json: bool
) -> None:
    about = made.description
    if as_json:
        row = {"detector": str(out), "reals": about.reals, "fakes": about.fakes, "scores": about.scores}
        print(json.dumps(row | {"leaks": [str(leak) for leak in leaks], "left_out": len(found.troubles)}))
        return
    console = output()
    console.print(f"{about.name} on {about.features} of {about.reals:,} photographs, {about.fakes:,} fakes")
    console.print("on a held-out fifth, mean of ten splits:", markup=False)
    for name, value in about.scores.items():
        console.print(f"  {name.replace('_', ' '):<18} {value:.3f}", markup=False)
    say(console, f"written: {out}")


def _print_scores(scores: list["Score"]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = (
        "condition",
        "fakes of",
        "AUC",
        "balanced",
        "verdicts right",
        "coverage",
        "false alarms",
        "missed",
        "calibration error",
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number > 1 else "left")
    for each in scores:
        numbers = (each.auc, each.accuracy, each.told)
        shares = (each.coverage, each.false_alarms, each.missed)
        table.add_row(
            each.condition,
            escape(f"{each.group} ({each.fakes:,})"),
            *(f"{number:.3f}" for number in numbers),
            *(f"{share:.1%}" for share in shares),
            f"{each.calibration_error:.3f}",
        )
    output().print(table)


def _write_report(folder: Path, conditions: list["Condition"], scores: list["Score"]) -> None:
    from i2icli.detector.plots import plot_calibration, plot_evaluation
    from i2icli.files import atomic_write

    rows = [each.as_row() for each in scores]
    table, curves, calibration = (folder / name for name in REPORT)
    with (
        atomic_write(table) as beside,
        beside.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    plot_evaluation(curves, conditions)
    plot_calibration(calibration, conditions)
    say(errors(), f"written: {folder}/{', '.join(REPORT)}")
    sys.stdout.flush()
