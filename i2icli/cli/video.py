"""`i2i video INPUTS --model M --out FILE|DIR`."""

import dataclasses
import inspect
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.main import get_command

from i2icli.cli.commands import Command, unwrapped
from i2icli.cli.console import INTERRUPTED, errors, failed, say, warned
from i2icli.cli.loading import load_translator
from i2icli.cli.options import MODEL, parameters, typed, use_threads, validated, with_parameters
from i2icli.cli.tasks import default_line
from i2icli.encode_options import EncodeOptions
from i2icli.errors import print_number
from i2icli.fields import flag
from i2icli.inference.options import ModelOptions, TranslateOptions
from i2icli.inference.video_options import OF_VIDEOS, VideoOptions, VideoRequest
from i2icli.task import names_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from i2icli.inference.video import VideoTranslation
    from i2icli.inference.video_results import VideoProgress, VideoResult

EXAMPLES = (
    "One video:  i2i video holiday.mov --model cyclegan --out monet.mp4\n\n"
    "Several:  i2i video a.mp4 b.mkv --model runs/horse2zebra --to zebra --out zebras\n\n"
    "A part, next to the input:  i2i video a.mp4 --model cyclegan --start 1:10 --end 1:20 --compare side\n\n"
    "With less flicker:  i2i video a.mp4 --model cyclegan --smooth\n\n"
    "Label maps:  i2i video 'labels/*.png' --rate 24 --model spade --out street.mp4\n\n"
    "Frames:  i2i video a.mp4 --model cyclegan --format png --out frames"
)

RESULTS, VIDEO, FRAMES, ENCODING, MACHINE = "Results", "Video", "From frame to frame", "Encoding", "Machine"
_SPELLED = {"source": ("--from",)}  # options not spelled like their field
_PANELS = {
    **dict.fromkeys(VideoOptions.model_fields, VIDEO),
    **dict.fromkeys(("smooth", "first_frame", "first_model", "cuts"), FRAMES),
    **dict.fromkeys(EncodeOptions.model_fields, ENCODING),
    **dict.fromkeys(("batch_size", *ModelOptions.model_fields), MACHINE),
}

_INPUTS = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUTS",
        help="videos; image sequences as a folder, a quoted glob or a pattern like frame_%05d.png",
    ),
]
_OUT = Annotated[
    Path,
    typer.Option(metavar="<path>", help="a file, whose suffix determines the container, or a folder"),
]
_SAMPLES = Annotated[
    str | None,
    typer.Option(
        "--samples", metavar="<int>", help="variants of each video, in random styles", rich_help_panel=RESULTS
    ),
]
_JSON = Annotated[
    bool,
    typer.Option("--json", help="print one JSON object per result on stdout", rich_help_panel=RESULTS),
]


def video_command() -> Any:
    """The command `i2i video`; its options are the fields of the models that make a `VideoRequest`."""

    def video(ctx: typer.Context, inputs: list[str], **given: Any) -> int:
        """Translate videos with a trained system.

        Sound, subtitles, chapters and metadata are copied, and every frame keeps its timestamp. Systems with
        memory (vid2vid) see the frames that they generated before; others translate each frame by itself,
        all in one style.

        After Ctrl-C or a kill the same command resumes. Existing results are kept. Several targets,
        references or samples give a video each, in folders below --out.
        """
        request = VideoRequest(
            validated(TranslateOptions, _images(typed(ctx, TranslateOptions)), _spelled),
            validated(VideoOptions, typed(ctx, VideoOptions), flag),
            validated(EncodeOptions, typed(ctx, EncodeOptions), flag),
        )
        machine = validated(ModelOptions, typed(ctx, ModelOptions), flag)
        use_threads(ctx, machine.threads)
        return _video(inputs, given["model"], given["out"], given["as_json"], request, machine)

    plain = inspect.Parameter.KEYWORD_ONLY
    own = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        inspect.Parameter("inputs", plain, annotation=_INPUTS),
        inspect.Parameter("model", plain, annotation=MODEL),
        inspect.Parameter("out", plain, default=Path("translated"), annotation=_OUT),
        inspect.Parameter("as_json", plain, default=False, annotation=_JSON),
        inspect.Parameter("samples", plain, default=None, annotation=_SAMPLES),
    ]
    with_parameters(video, [*own, *_fields()])
    single = typer.Typer(add_completion=False)
    single.command("video", cls=Command, help=unwrapped(video), epilog=escape(EXAMPLES))(video)
    return get_command(single)


def _fields() -> list[inspect.Parameter]:
    """The options that are fields, panel by panel."""
    found = [
        parameter
        for model in (TranslateOptions, VideoOptions, EncodeOptions, ModelOptions)
        for parameter in parameters(model, _panel, _SPELLED)
        if model is not TranslateOptions or parameter.name in OF_VIDEOS - {"samples"}
    ]
    order = [RESULTS, VIDEO, FRAMES, ENCODING, MACHINE]
    return sorted(found, key=lambda parameter: order.index(_panel(parameter.name)))


def _panel(name: str) -> str:
    return _PANELS.get(name, RESULTS)


def _images(given: dict[str, Any]) -> dict[str, Any]:
    """Those of the options of images that are meant for videos; some names mean another thing here."""
    return {name: value for name, value in given.items() if name in OF_VIDEOS}


def _spelled(name: str) -> str:
    return _SPELLED[name][0] if name in _SPELLED else flag(name)


def _video(
    inputs: list[str], model: str, out: Path, as_json: bool, request: VideoRequest, machine: ModelOptions
) -> int:
    from i2icli.training.interrupt import Interrupt

    console = errors()
    translator = load_translator(model, machine, console)
    with Interrupt() as interrupt, watching(console, lambda: interrupt.requested) as shown:
        translation = translator.video_of(inputs, out, request, shown)
        names = names_of(translator.outputs().tasks)
        if request.translate.to is None and len(names) > 1:
            say(console, default_line(names))
        counts = report(translation, console, as_json)
    if counts["stopped"] or interrupt.requested:
        return INTERRUPTED
    return 1 if counts["failed"] or counts["damaged"] else 0


def report(translation: "VideoTranslation", console: "Console", as_json: bool) -> Counter[str]:
    """Say what became of each video, and as JSON lines on stdout if asked; how many had which status."""
    counts: Counter[str] = Counter()
    for result in translation:
        counts[result.status] += 1
        if result.status == "failed":
            failed(line(result))
        elif result.status == "damaged":
            warned(line(result))
        else:
            say(console, line(result))
        if as_json:
            sys.stdout.write(json.dumps(dataclasses.asdict(result), default=str) + "\n")
            sys.stdout.flush()
    return counts


def line(result: "VideoResult") -> str:
    """What became of a video, on one line."""
    from i2icli.written import print_duration

    if result.status == "there":
        return f"{result.target}: already done (--overwrite to redo)"
    if result.status == "failed":
        error = result.error or "failed"
        return error if result.source in error else f"{result.source}: {error}"
    if result.status == "stopped":
        return f"{result.source}: {result.error}"
    frames = "frame" if result.frames == 1 else "frames"
    took = f"{result.seconds:.1f}s" if result.seconds < 10 else print_duration(result.seconds)
    made = f"{result.target}: {result.frames:,} {frames} translated in {took}"
    return f"{made}; damaged input: {result.error}" if result.status == "damaged" else made


@contextmanager
def watching(console: "Console", stopped: Callable[[], bool]) -> Iterator["Shown"]:
    """Shows how far it is: a bar on a terminal, else a line now and then."""
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[text]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Shown(console, bar, stopped)


class Shown:
    """A `Watch` on the console."""

    def __init__(
        self,
        console: "Console",
        bar: "Progress",
        stopped: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from i2icli.cli.pace import Pace

        self._console, self._bar, self._stopped = console, bar, stopped
        self._pace = Pace(clock, at_once=False)
        self._task = bar.add_task("loading", total=None, text="")
        self._warned = False

    def note(self, source: str, text: str) -> None:
        """Print a note."""
        say(self._console, f"{source}: {text}")

    def progress(self, progress: "VideoProgress") -> None:
        """Show how far it is."""
        from i2icli.errors import readable

        text = how_far(progress)
        self._bar.update(
            self._task,
            description=readable(Path(progress.source).name),
            completed=progress.done,
            total=progress.total,
            text=text,
        )
        if not self._console.is_terminal and self._pace.due():
            say(self._console, f"{progress.source}: {text}")

    def stopped(self) -> bool:
        """Whether Ctrl-C was pressed; what happens then is said once."""
        if self._stopped() and not self._warned:
            self._warned = True
            say(self._console, "stopping; making the part so far playable (Ctrl-C again to leave at once)")
        return self._stopped()


def how_far(progress: "VideoProgress") -> str:
    """ "frame 120 of ~720, 24.3 frames/s, 25s to go"."""
    from i2icli.written import print_duration

    of = f" of ~{progress.total:,}" if progress.total is not None else ""
    left = f", {print_duration(progress.seconds_left)} to go" if progress.seconds_left is not None else ""
    return f"frame {progress.done:,}{of}, {print_number(progress.frames_per_s)} frames/s{left}"
