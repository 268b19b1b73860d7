"""`i2i translate INPUTS --model M --out DIR`."""

import dataclasses
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from i2icli.cli.console import errors, say
from i2icli.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from i2icli.inference.results import Result, Results

EXAMPLES = (
    "One folder:  i2i translate photos --model runs/horse2zebra --out zebras\n\n"
    "To a domain:  i2i translate a.jpg b.png --model cyclegan --to horse --out horses\n\n"
    "To every domain:  i2i translate faces --model stargan --to all\n\n"
    "Five answers each:  i2i translate edges --model augmented_cyclegan --samples 5\n\n"
    "With a given look:  i2i translate face.png --model paired_cyclegan --reference style.png\n\n"
    "From a list:  find . -name '*.tif' | i2i translate - --model runs/x --out results --json"
)

_SIZE_WORDS = "pixels like 256, or WIDTHxHEIGHT like 512x256"
_LOOK, _MACHINE = "Results", "Machine"


def translate(
    *,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUTS",
            help="images, folders, globs; - reads a list from stdin; none: samples, if the system can",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="<model>", help="a run, a checkpoint file, or a system (its newest run under runs/)"
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="<path>", help="folder for the results")] = Path("translated"),
    to: Annotated[
        str | None,
        typer.Option(
            metavar="<name>",
            help="target domain or attributes, where the system knows several; all: one answer for each",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="<name>",
            help="domain or attributes of the inputs; default: the folder above them, where it is a domain",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            metavar="<path>",
            help="image whose look is taken over, where the system reads one; a folder or several: all",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples",
            "--count",
            metavar="<int>",
            help="different answers per input, or pictures without one, where the system draws latent codes",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    latent: Annotated[
        str | None,
        typer.Option(
            metavar="<codes>",
            help="latent codes instead of drawn ones: numbers 0.3,-1.2,... or a .npy file",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    interpolate: Annotated[
        int | None,
        typer.Option(
            metavar="<int>",
            help="pictures on the way from each latent code to the next, both ends counted; "
            "without inputs a film of them",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    truncate: Annotated[
        float | None,
        typer.Option(
            metavar="<number>",
            help="draw latent codes within these bounds, such as 0.7, or in Progressive GAN leave so much of "
            "features' distance from their mean: more usual, less varied",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="<size>",
            help="resize to 256 or WIDTHxHEIGHT before translating; default: as it is",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="<suffix>",
            help="png, jpg, webp, tif, npy ...; default: as the input",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="also write sheets with input and result side by side; several answers always have them",
            rich_help_panel=_LOOK,
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="do again what is there already", rich_help_panel=_LOOK)
    ] = False,
    seed: Annotated[
        int,
        typer.Option(metavar="<int>", help="fixes what the system draws at random", rich_help_panel=_LOOK),
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="print one JSON object per image on stdout", rich_help_panel=_LOOK)
    ] = False,
    batch_size: Annotated[
        int | None,
        typer.Option(
            metavar="<int>",
            min=1,
            help="images at once; default: what suits the machine",
            rich_help_panel=_MACHINE,
        ),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(metavar="<choice>", help="auto, fp32, bf16 or fp16", rich_help_panel=_MACHINE),
    ] = "auto",
    device: Annotated[
        str | None,
        typer.Option(
            metavar="<text>",
            help="cuda, cuda:1, mps or cpu; default: the best there is",
            rich_help_panel=_MACHINE,
        ),
    ] = None,
) -> int:
    """Translate images with a trained system.

    Results keep the folders, format, depth, alpha and size of the inputs. What is there already is
    left alone, so a run that was stopped goes on where it was. One bad file does not stop the others.

    Several targets, references or samples make several answers: each has a folder of its own below
    --out, and sheets in compare/ show them beside the input.
    """
    from i2icli.config import Precision, Size

    parsed_size = None if size is None else _checked("--size", size, Size, _SIZE_WORDS)
    _checked("--precision", precision, Precision, "one of auto, fp32, bf16, fp16")
    from i2icli.inference.pipeline import Writing  # torch loads only when there is work
    from i2icli.inference.requests import Asked
    from i2icli.inference.translator import Translator

    console = errors()
    translator = Translator.load(model, device=device, precision=precision)
    for note in translator.notes:
        say(errors(), f"note: {note}")
    asked = Asked(
        to, source, tuple(reference or ()), samples, latent, interpolate, truncate, parsed_size, seed
    )
    writing = Writing(format, batch_size, overwrite, compare)
    results = (
        translator.run(inputs, out, asked, writing) if inputs else translator.sample(out, asked, writing)
    )
    targets = translator.system.targets()
    if inputs and to is None and len(targets) > 1:
        others = ", ".join(targets[1:9]) + (", ..." if len(targets) > 9 else "")
        say(console, f"to {targets[0]}, as there is no --to; or: {others}")
    counts = report(results, console, as_json)
    say(console, _summary(counts, out))
    return 1 if counts["failed"] else 0


def report(
    results: "Results | list[Result]",
    console: "Console",
    as_json: bool,
    clock: Callable[[], float] = time.monotonic,
) -> Counter[str]:
    """Show results as they come: failures as lines, a bar on a terminal, JSON lines on stdout if asked.

    Where there is no terminal a line now and then says how far it is. Returns how many results had which
    status.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from i2icli.cli.display import Pace

    counts: Counter[str] = Counter()
    pace = Pace(clock, at_once=False)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("loading", total=len(results))
        for result in results:
            counts[result.status] += 1
            bar.update(task, description=_counted(counts), advance=1)
            if result.status == "failed":
                say(console, f"failed: {_error(result)}")
            elif not console.is_terminal and pace.due():
                console.print(f"{counts.total():,}/{len(results):,}: {_counted(counts)}", soft_wrap=True)
            if as_json:
                sys.stdout.write(json.dumps(dataclasses.asdict(result), default=str) + "\n")
                sys.stdout.flush()
    return counts


def _error(result: "Result") -> str:
    """Why an input failed, with its name, which the error itself may hold."""
    error = result.error or "failed"
    named = f" {result.source}: " in f" {error}"
    return error if named else f"{result.source}: {error}"


def _counted(counts: Counter[str]) -> str:
    parts = [f"{counts['done']:,} translated"]
    if counts["there"]:
        parts.append(f"{counts['there']:,} there already")
    if counts["failed"]:
        parts.append(f"{counts['failed']:,} failed")
    return ", ".join(parts)


def _summary(counts: Counter[str], out: Path) -> str:
    hint = " (--overwrite does them again)" if counts["there"] else ""
    return f"{_counted(counts)}{hint}: {out}"


def _checked(option: str, text: str, kind: Any, expected: str) -> Any:
    """A value read by the same validator as a setting of that type. Raises UserError naming the option."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(text)
    except ValidationError:
        raise UserError(f"{option} {text}: expected {expected}") from None
