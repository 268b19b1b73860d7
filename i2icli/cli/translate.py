"""`i2i translate INPUTS --model M --out DIR`."""

import dataclasses
import inspect
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.main import get_command

from i2icli.cli.commands import Command, unwrapped
from i2icli.cli.console import errors, failed, say, warned
from i2icli.cli.loading import load_translator
from i2icli.cli.options import MODEL, parameters, typed, use_threads, validated, was_given, with_parameters
from i2icli.cli.pace import Pace
from i2icli.cli.piping import Pipes, piped
from i2icli.cli.tasks import default_line
from i2icli.errors import UserError
from i2icli.fields import flag
from i2icli.inference.options import ModelOptions, TranslateOptions
from i2icli.task import names_of

if TYPE_CHECKING:
    from rich.console import Console

    from i2icli.inference.results import Result, Results

EXAMPLES = (
    "One folder:  i2i translate photos --model runs/horse2zebra --out zebras\n\n"
    "To a domain:  i2i translate a.jpg b.png --model cyclegan --to horse --out horses\n\n"
    "To every domain:  i2i translate faces --model stargan --to all\n\n"
    "Five variants each:  i2i translate edges --model augmented_cyclegan --samples 5\n\n"
    "In a given style:  i2i translate face.png --model paired_cyclegan --reference style.png\n\n"
    "Through a pipe:  cat a.png | i2i translate - --model runs/x > b.png\n\n"
    "From a list:  find . -name '*.tif' | i2i translate - --model runs/x --out results --json"
)

RESULTS, MACHINE = "Results", "Machine"
SPELLED = {  # options not spelled like their field
    "source": ("--from",),
    "samples": ("--samples", "--count"),
    "more_inputs": ("--inputs",),
}

_INPUTS = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUTS",
        help="images, folders, globs; - reads an image or a list from stdin; none: generate samples, if the "
        "model can",
    ),
]
_OUT = Annotated[
    Path, typer.Option(metavar="<path>", help="folder for the results; - writes the one result to stdout")
]
_JSON = Annotated[
    bool,
    typer.Option("--json", help="print one JSON object per image on stdout", rich_help_panel=RESULTS),
]


def translate_command() -> Any:
    """The command `i2i translate`; its options about results are the fields of `TranslateOptions`."""

    def translate(ctx: typer.Context, inputs: list[str] | None, **given: Any) -> int:
        """Translate images with a trained system.

        Results keep the folders, format, depth, alpha and size of the inputs. Existing results are kept, so
        a run that was stopped goes on where it was. One bad file does not stop the others.

        Several targets, references or samples give several results per input: each has a folder of its own
        below --out, and contact sheets in compare/ show them beside the input.
        """
        machine = validated(ModelOptions, typed(ctx, ModelOptions), flag)
        use_threads(ctx, machine.threads)
        out = given["out"] if was_given(ctx, "out") else None
        with piped(inputs or [], out, given["out"]) as pipes:
            own = _only(given, _OWN)
            return _translate(pipes, typed(ctx, TranslateOptions), machine=machine, **own)

    plain = inspect.Parameter.KEYWORD_ONLY
    own = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        inspect.Parameter("inputs", plain, default=None, annotation=_INPUTS),
        inspect.Parameter("model", plain, annotation=MODEL),
        inspect.Parameter("out", plain, default=Path("translated"), annotation=_OUT),
        inspect.Parameter("as_json", plain, default=False, annotation=_JSON),
    ]
    panels = dict.fromkeys(("batch_size", *ModelOptions.model_fields), MACHINE)
    fields = (
        parameter
        for model in (TranslateOptions, ModelOptions)
        for parameter in parameters(model, lambda name: panels.get(name, RESULTS), SPELLED)
    )
    with_parameters(translate, [*own, *fields])
    single = typer.Typer(add_completion=False)
    single.command("translate", cls=Command, help=unwrapped(translate), epilog=escape(EXAMPLES))(translate)
    return get_command(single)


_OWN = ("model", "as_json")


def _only(given: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: given[name] for name in names}


def _translate(
    pipes: Pipes,
    given: dict[str, Any],
    *,
    model: str,
    as_json: bool,
    machine: ModelOptions,
) -> int:
    options = validated(TranslateOptions, given, _spelled)
    if as_json and pipes.to_stdout:
        raise UserError("--json and an image both go to standard output; leave one out, or give --out FOLDER")
    inputs, out = pipes.inputs, pipes.out
    console = errors()
    translator = load_translator(model, machine, console)
    results: Results = translator.run(inputs, out, options) if inputs else translator.sample(out, options)
    pipes.check(len(results))
    for note in results.notes:
        say(console, f"note: {pipes.named(note)}")
    names = names_of(translator.outputs().tasks)
    if inputs and options.to is None and len(names) > 1:
        say(console, default_line(names))
    counts = report(results, console, as_json, pipes=pipes)
    for problem in results.problems:
        warned(pipes.named(problem))
    if not pipes.to_stdout:
        say(console, _summary(counts, out, len(inputs) > 0))
    return 1 if counts["failed"] or results.problems else 0


def _spelled(name: str) -> str:
    return SPELLED[name][0] if name in SPELLED else flag(name)


def report(
    results: "Results | list[Result]",
    console: "Console",
    as_json: bool,
    clock: Callable[[], float] = time.monotonic,
    pipes: Pipes | None = None,
) -> Counter[str]:
    """Show results as they come: failures as lines, a bar on a terminal, JSON lines on stdout if asked.

    Where there is no terminal a line now and then says how far it is. Returns how many results had which
    status.
    """
    counts: Counter[str] = Counter()
    again, unread = 0, dict[str, str]()
    scored: list[Result] = []
    pace = Pace(clock, at_once=False)
    with _interruptible(results, counts, console), _bar(console, len(results)) as advance:
        for result in results:
            counts[result.status] += 1
            again += result.again
            unread |= {result.source: result.left_out} if result.left_out else {}
            scored += [result] if result.psnr is not None else []
            advance(_counted(counts))
            if result.status == "failed":
                failed(_error(result) if pipes is None else pipes.named(_error(result)))
            elif not console.is_terminal and pace.due():
                console.print(f"{counts.total():,}/{len(results):,}: {_counted(counts)}", soft_wrap=True)
            if as_json:
                _print_json(result, (lambda text: text) if pipes is None else pipes.named)
            elif pipes is not None and result.target:
                pipes.deliver(result.target)
    for remark in _remarks(again, unread, scored):
        say(console, remark if pipes is None else pipes.named(remark))
    return counts


def _remarks(again: int, unread: dict[str, str], scored: "list[Result]") -> Iterator[str]:
    """What there is to say of all results together."""
    if again:
        images = "result was made" if again == 1 else "results were made"
        yield f"{again:,} {images} again, as the input had changed"
    if unread:
        source, what = next(iter(unread.items()))
        others = f" (likewise in {len(unread) - 1:,} more)" if len(unread) > 1 else ""
        yield f"metadata that cannot be read is left out: {what} of {source}{others}"
    if scored:
        yield f"against the ground truth: {_mean(scored)}"


def _print_json(result: "Result", named: Callable[[str], str]) -> None:
    row = dataclasses.asdict(result)
    row |= {name: named(value) for name, value in row.items() if isinstance(value, str)}
    if not result.left_out:
        del row["left_out"]
    sys.stdout.write(json.dumps(row, default=str) + "\n")
    sys.stdout.flush()


@contextmanager
def _interruptible(
    results: "Results | list[Result]", counts: Counter[str], console: "Console"
) -> Iterator[None]:
    """On Ctrl-C, a line says what is left; `counts` are those so far."""
    try:
        yield
    except KeyboardInterrupt:
        written = 0 if isinstance(results, list) else results.written
        left, total = len(results) - max(counts.total(), written), len(results)
        say(console, f"interrupted: {left:,} of {total:,} are left; the same command goes on with them")
        raise


@contextmanager
def _bar(console: "Console", total: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal; gives what is told of every result how far it is."""
    if not console.is_terminal:
        yield lambda _: None
        return
    from rich import progress

    columns = (  # one image may take minutes: the spinner and the time that has passed show that it works
        progress.SpinnerColumn(),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.description}"),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("translating", total=total)
        yield lambda text: bar.update(task, description=text, advance=1)


def _mean(results: "Sequence[Result]") -> str:
    """The scores of some results: "PSNR 23.41 dB, SSIM 0.812 (mean of 12 images)"."""
    from i2icli.inference.truth import Scores, mean  # most translations score nothing

    scores = [Scores(each.psnr or 0, each.ssim or 0) for each in results]
    return f"{mean(scores)}" + (f" (mean of {len(scores):,} images)" if len(scores) > 1 else "")


def _error(result: "Result") -> str:
    """Why an input failed, with its name, which the error itself may hold."""
    error = result.error or "failed"
    named = f" {result.source}: " in f" {error}"
    return error if named else f"{result.source}: {error}"


def _counted(counts: Counter[str]) -> str:
    """How far it is: "12 done, 3 already done, 1 failed"."""
    return ", ".join([f"{counts['done']:,} done", *_rest(counts, "already done")])


def _summary(counts: Counter[str], out: Path, translated: bool) -> str:
    """What became of it: "20 images translated into translated/", and what else there is to report."""
    images = "image" if counts["done"] == 1 else "images"
    made = f"{counts['done']:,} {images} {'translated' if translated else 'generated'} into {out}/"
    return ", ".join([made, *_rest(counts, "already done (--overwrite to redo)")])


def _rest(counts: Counter[str], existing: str) -> list[str]:
    kinds = {"there": existing, "failed": "failed"}
    return [f"{counts[status]:,} {words}" for status, words in kinds.items() if counts[status]]
