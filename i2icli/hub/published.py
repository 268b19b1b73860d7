"""What of a run is published, read from its folder: settings, scores and counts, without names of files."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from i2icli import registry
from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.hub.cleaning import check_private
from i2icli.metadata import Metadata, cleaned, read_metadata, stage_named
from i2icli.report.log import read_log
from i2icli.runs import COUNTS
from i2icli.task import Task
from i2icli.weights import find_weights


@dataclass(frozen=True)
class Counts:
    """How many examples a run learned from, and how many it was scored on; see the run's data.json."""

    training: int
    validation: int
    scored: int
    split_off: bool  # whether the latter were split off from the former, and not in a folder of their own


@dataclass(frozen=True)
class Published:
    """A trained model with what may be known of it."""

    path: Path  # the model file of the run
    metadata: Metadata  # as it is published
    config: Config
    tasks: tuple[Task, ...]
    scores: dict[str, float] = field(default_factory=dict)
    scores_step: int | None = None
    counts: Counts | None = None  # None: runs of earlier versions did not write them down
    sheet: Path | None = None  # the sample sheet nearest to the step of the weights
    which: str = ""  # a line about which weights these are, if there was a choice

    @property
    def sheet_step(self) -> int | None:
        """The step that the sample sheet shows."""
        return None if self.sheet is None else int(self.sheet.stem)

    @property
    def entry(self) -> registry.Entry:
        """Title and paper of the system."""
        return registry.entry(self.metadata.system)


def read_run(run: str, *, keep_names: bool = False) -> Published:
    """A run, whose best weights count, or one of its models, by what a user calls it.

    Raises UserError if there is none, if it is a file that i2icli did not train, or if its settings hold what
    is not to be published (see `check_private`).
    """
    path, which = find_weights(run)
    if path.suffix != ".safetensors":
        raise UserError(f"{path}: not trained by i2icli; published are runs of i2i train")
    metadata = read_metadata(path)
    config = cleaned(metadata.settings(path))
    check_private(config, keep_names=keep_names)
    scores, step = _scores(path, metadata.step)
    return Published(
        path,
        metadata.model_copy(update={"config": config.model_dump(mode="json")}),
        config,
        tuple(config.tasks(stage_named(config, metadata.stage, path))),
        scores,
        step,
        _counts(path.parent / COUNTS),
        _sheet(path, metadata.step),
        which,
    )


def _scores(path: Path, step: int) -> tuple[dict[str, float], int | None]:
    """The last scores that were measured before a step, and when."""
    rows = [row for row in read_log(path.parent / "log.jsonl") if "validation" in row]
    before = [row for row in rows if row["step"] <= step]
    if not before:
        return {}, None
    return before[-1]["validation"], before[-1]["step"]


def _sheet(path: Path, step: int) -> Path | None:
    """The sample sheet of a step, or else the nearest one, rather of weights before than after."""
    sheets = {int(each.stem): each for each in path.parent.glob("samples/*.png") if each.stem.isdecimal()}
    nearest = min(sheets, key=lambda number: (abs(number - step), number), default=None)
    return None if nearest is None else sheets[nearest]


def _counts(path: Path) -> Counts | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        training, validation, scored = (int(found[name]) for name in ("training", "validation", "scored"))
        return Counts(training, validation, scored, bool(found["split_off"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
