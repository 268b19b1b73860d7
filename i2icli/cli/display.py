"""What a run shows while it works: a live display on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from i2icli.cli.console import say, warned
from i2icli.cli.pace import Pace
from i2icli.cli.stage_table import stage_table
from i2icli.errors import print_number, quoted, readable
from i2icli.training.callbacks import Callbacks, NoCallbacks, Progress
from i2icli.written import counted, print_duration

if TYPE_CHECKING:
    from i2icli.training.plan import StagePlan
    from i2icli.training.run import TrainResult


@contextmanager
def display(title: str, console: Console) -> Iterator[Callbacks]:
    """A callbacks that shows a run on a console as well as the console can; warnings where it is quiet."""
    if console.quiet:
        yield OnlyWarnings()
        return
    if not console.is_terminal or (console.is_jupyter and find_spec("ipywidgets") is None):
        yield PlainDisplay(console)
        return
    shown = LiveDisplay(title, console)
    with Live(get_renderable=shown.render, console=console, refresh_per_second=4, transient=True) as live:
        yield shown
        live.refresh()


class OnlyWarnings(NoCallbacks):
    """For who wants neither progress nor notes."""

    def warn(self, text: str) -> None:
        """Print a warning."""
        warned(text)


class PlainDisplay:
    """One line now and then: for logs, pipes and schedulers."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._pace = Pace(clock, at_once=True)

    def note(self, text: str) -> None:
        """Print a note."""
        self._print(text)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._print(f"warning: {text}")

    def planned(self, stages: "Sequence[StagePlan]") -> None:
        """Print the planned stages."""
        self._console.print(stage_table(stages))

    def progress(self, progress: Progress) -> None:
        """Print where the run stands, at the first step, the last, and at intervals."""
        if self._pace.due() or progress.step == progress.steps:
            self._print(" · ".join([_where(progress), *_losses(progress), _speed(progress)]))

    def scores(self, step: int, scores: dict[str, float], best: bool) -> None:
        """Print a measurement."""
        self._print(f"validation at step {step:,}: {_scores(scores)}{' (best so far)' if best else ''}")

    def saved(self, path: Path) -> None:
        """Print a save."""
        self._print(f"saved {path}")

    def _print(self, text: str) -> None:
        say(self._console, text)


class LiveDisplay:
    """Bar, speed, losses, last measurement and last save, redrawn in place; notes scroll above."""

    def __init__(self, title: str, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._console = console
        self._clock = clock
        self._progress: Progress | None = None
        self._scores = ""
        self._saved_at: float | None = None

    def note(self, text: str) -> None:
        """Print a note above the display."""
        self._console.print(escape(readable(text)))

    def warn(self, text: str) -> None:
        """Print a warning above the display."""
        self._console.print(f"[yellow]warning:[/] {escape(readable(text))}")

    def planned(self, stages: "Sequence[StagePlan]") -> None:
        """Print the planned stages above the display."""
        self._console.print(stage_table(stages))

    def progress(self, progress: Progress) -> None:
        """Remember where the run stands, for the next redraw."""
        self._progress = progress

    def scores(self, step: int, scores: dict[str, float], best: bool) -> None:
        """Remember a measurement."""
        self._scores = f"validation at step {step:,}: {_scores(scores)}{' (best so far)' if best else ''}"

    def saved(self, path: Path) -> None:  # noqa: ARG002 - the folder is in the notes already
        """Remember when the run was saved."""
        self._saved_at = self._clock()

    def render(self) -> RenderableType:
        """The display as it is now."""
        progress = self._progress
        if progress is None:
            return Text(f"{self._title}: starting", style="dim")
        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(no_wrap=True)
        bar.add_column(ratio=1)
        bar.add_column(no_wrap=True)
        name = self._title if progress.stage == "main" else f"{self._title}, {progress.stage}"
        bar.add_row(
            Text(name, style="bold"),
            ProgressBar(total=progress.steps, completed=progress.step),
            f"{progress.step:,}/{progress.steps:,} · {_eta(progress)}",
        )
        parts: list[RenderableType] = [bar, Text(self._line(progress), style="dim")]
        if progress.alpha is not None:
            parts.append(_fade(progress.alpha))
        if progress.losses:
            parts.append(self._losses_table(progress))
        if self._scores:
            parts.append(Text(self._scores))
        return Group(*parts)

    def _line(self, progress: Progress) -> str:
        saved = (
            "" if self._saved_at is None else f" · saved {print_duration(self._clock() - self._saved_at)} ago"
        )
        return _rates(progress) + saved

    def _losses_table(self, progress: Progress) -> Table:
        """Losses side by side, as many to a line as the width holds."""
        width = max(len(name) for name in progress.losses) + 10
        columns = max(1, min(len(progress.losses), self._console.width // width))
        table = Table.grid(padding=(0, 3))
        cells = [
            Text.assemble((f"{readable(name)} ", "cyan"), f"{value:,.3f}")
            for name, value in progress.losses.items()
        ]
        for start in range(0, len(cells), columns):
            table.add_row(*cells[start : start + columns])
        return table


def summary(result: "TrainResult") -> list[str]:
    """What to say at the end of a run: where it is, how to use it, how to go on."""
    scores = f" ({_scores(result.scores)})" if result.scores else ""
    if result.finished:
        lines = [f"finished {counted(result.steps, 'step')}{scores}: {result.folder}"]
    else:
        done = f"{result.step:,} of {counted(result.steps, 'step')}"
        lines = [
            f"stopped ({result.reason}) after {done}{scores}: {result.folder}",
            "  go on:      run the same command again",
        ]
    lines.append(f"  report:     {result.folder / 'report.html'}")
    model = f"--model {quoted(result.folder)}"
    if result.reads_videos:
        lines.append(f"  translate:  i2i video FILE {model} --out translated.mp4")
        return lines
    asked = f"IMAGES {model}" if result.reads_images else f"{model} --count 16"
    lines.append(f"  translate:  i2i translate {asked} --out translated")
    return lines


def _fade(alpha: float) -> RenderableType:
    """A bar of its own for the new level that fades in."""
    bar = Table.grid(padding=(0, 1))
    bar.add_row("faded in", ProgressBar(total=1.0, completed=alpha, width=20), f"alpha {alpha:.2f}")
    return bar


def _stage(progress: Progress) -> str:
    return progress.stage if progress.alpha is None else f"{progress.stage} (alpha {progress.alpha:.2f})"


def _where(progress: Progress) -> str:
    stage = "" if progress.stage == "main" else f" in stage {_stage(progress)}"
    share = 100 * progress.step / progress.steps
    return f"step {progress.step:,} of {progress.steps:,} ({share:.0f}%){stage}"


def _speed(progress: Progress) -> str:
    return f"{_rates(progress)} · {_eta(progress)}"


def _rates(progress: Progress) -> str:
    return (
        f"{print_number(progress.images_per_s)} images/s · waits for data {progress.data_wait:.0%} · "
        f"memory {progress.memory_bytes / 1e9:.1f} GB"
    )


def _losses(progress: Progress) -> list[str]:
    return [f"{name} {value:,.3f}" for name, value in progress.losses.items()]


def _scores(scores: dict[str, float]) -> str:
    return readable(", ".join(f"{name} {print_number(value)}" for name, value in scores.items()))


def _eta(progress: Progress) -> str:
    left = "..." if progress.eta_s is None else f"{print_duration(progress.eta_s)} to go"
    limit = progress.limit_s
    if limit is None or (progress.eta_s is not None and progress.eta_s <= limit):
        return left
    return f"{left}, stops in {print_duration(limit)} (--time-limit)"
