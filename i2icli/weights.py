"""Which weights of a run are used: the best by its validation, or the last. No torch here."""

from pathlib import Path
from typing import Literal

from i2icli.errors import UserError, print_number
from i2icli.home import runs_home
from i2icli.metadata import Metadata, read_metadata, stage_named
from i2icli.report.log import read_log
from i2icli.runs import BEST, LAST, find_model

Weights = Literal["best", "last"]
LOG = "log.jsonl"


def find_weights(text: str, weights: Weights | str | None = None) -> tuple[Path, str]:
    """The model file that a text names, see `find_model`, and a line about it if there was a choice.

    Of a run it is the best, unless none is known or the last is asked for; a file is that file. Raises
    UserError as `find_model`, and if the best is asked for where there is none.
    """
    if weights not in (None, "best", "last"):
        raise UserError(f"--weights {weights}: expected best or last")
    path = find_model(text)
    best = path.with_name(BEST)
    is_file = any(each.is_file() for each in (Path(text), runs_home() / text))
    if is_file and weights is not None:
        raise UserError(f"--weights {weights}: {text} is a file, which is used as it is; name its run")
    is_run = path.name == LAST and not is_file
    if not (is_run and best.is_file()):
        if weights == "best":
            raise UserError(
                f"--weights best: {text} has none; a run keeps them once a score was measured that decides"
            )
        return path, ""
    last, scored = read_metadata(path), _comparable(best, path)
    if scored is None or scored.step == last.step:
        return (best if scored is None and weights == "best" else path), ""
    score, of_last = _scores(path.with_name(LOG), scored.step, last.step)
    if weights == "last":
        return (
            path,
            f"last weights, of step {last.step:,}{of_last}; the best are of step {scored.step:,}{score}",
        )
    return best, (
        f"best weights, of step {scored.step:,}{score}, not the last, of step {last.step:,}{of_last}; "
        "--weights last takes those"
    )


def _comparable(best: Path, last: Path) -> Metadata | None:
    """What the best model says about itself; None if it is damaged, or of a stage of smaller images."""
    try:
        found, now = read_metadata(best), read_metadata(last)
        shapes = {stage_named(each.settings(best), each.stage, best).shape for each in (found, now)}
    except UserError:
        return None
    return found if len(shapes) == 1 else None


def _scores(log: Path, best: int, last: int) -> tuple[str, str]:
    """The score that decided, in words: " by psnr (18.2)" of the best step, and " (17.9)" of the last."""
    named = {row["step"]: row["criterion"] for row in read_log(log) if "criterion" in row}
    rows = {step: each for step, each in named.items() if each[1] is not None}
    if best not in rows:
        return " by its validation", ""
    name, value = rows[best]
    return f" by {name} ({print_number(value)})", f" ({print_number(rows[last][1])})" if last in rows else ""
