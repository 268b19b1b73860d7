"""`i2i benchmark MODEL`: how fast and how accurately the installed runtimes compute it."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from i2icli.cli.console import errors, output, say
from i2icli.cli.options import WHICH_MODEL
from i2icli.errors import UserError, quoted

if TYPE_CHECKING:
    from i2icli.export.benchmark import Row
    from i2icli.export.benchmark_options import BenchmarkOptions

EXAMPLES = (
    "On a model:  i2i benchmark runs/horse2zebra\n\n"
    "With 8 bits, on your images:  i2i benchmark runs/horse2zebra --images photos --calibrate photos"
)


_Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help=WHICH_MODEL,
    ),
]
_Images = Annotated[
    str | None,
    typer.Option(metavar="<folder>", help="images that accuracy is measured on; default: drawn ones"),
]
_Size = Annotated[str, typer.Option(metavar="<size>", help="size of the inputs: 256, or WIDTHxHEIGHT")]
_BatchSize = Annotated[
    str, typer.Option(metavar="<list>", help="images of a forward pass: 1, or several to compare: 1,4")
]
_Calibrate = Annotated[
    str | None,
    typer.Option(metavar="<folder>", help="images like those to be translated: measures 8 bits, too"),
]
_Rounds = Annotated[str, typer.Option(metavar="<int>", help="times that each is measured, in turns")]
_Threads = Annotated[
    str | None, typer.Option(metavar="<int>", help="threads that compute; default: as many as torch has")
]
_Json = Annotated[bool, typer.Option("--json", help="print one JSON array instead of a table")]


def benchmark(
    model: _Model,
    images: _Images = None,
    size: _Size = "256",
    batch_size: _BatchSize = "1",
    calibrate: _Calibrate = None,
    rounds: _Rounds = "5",
    threads: _Threads = None,
    as_json: _Json = False,
) -> int:
    """Measure how fast and how accurately torch and the installed runtimes compute a model.

    The model is exported into a temporary folder and proven. All are timed in turns, after a round that is
    not counted; the medians are shown. Ratios and PSNR are to float32 in torch.
    """
    from i2icli.cli.options import validated  # what --help need not load
    from i2icli.export.benchmark_options import BenchmarkOptions
    from i2icli.fields import flag

    given: dict[str, Any] = {"images": images, "size": size, "batch_size": batch_size, "calibrate": calibrate}
    given |= {"rounds": rounds, "threads": threads}
    options = validated(BenchmarkOptions, given, flag)
    rows = _measured(model, options)
    if as_json:
        print(json.dumps([_values(row) for row in rows], indent=2))
    else:
        _print(rows)
        _advise(rows, model, options)
    return 0


def _measured(model: str, options: "BenchmarkOptions") -> "list[Row]":
    from i2icli.cli.export import Steps
    from i2icli.export.benchmark import Benchmark
    from i2icli.export.selecting import groups
    from i2icli.graphs.graph_file import is_graph, refuse_traced
    from i2icli.inference.loading import load_with_notes
    from i2icli.runs import find_model

    path = find_model(model)
    refuse_traced(path)
    if path.is_dir() or is_graph(path):
        raise UserError(f"{path}: this is a graph; name the model that it was exported from")
    system, notes = load_with_notes(path)
    for note in notes:
        say(errors(), f"note: {note}")
    tasks = groups(system.config, system.config.tasks(system.clock.stage))[0]
    with Steps(errors()) as steps:
        return Benchmark(lambda: load_with_notes(path)[0], path, tasks, options, steps).run()


def _print(rows: "list[Row]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("runtime", "precision", "batch", "ms per image", "to fp32", "file", "PSNR to fp32"):
        table.add_column(name, justify="left" if name in ("runtime", "precision") else "right", no_wrap=True)
    for row in rows:
        for batch, ratio in row.ratio.items():
            psnr = "" if row is rows[0] else "equal" if row.psnr is None else f"{row.psnr:.1f} dB"
            size = f"{row.bytes / 1e6:,.1f} MB"
            time = f"{row.milliseconds(batch):,.1f}"
            table.add_row(row.runtime, row.precision, str(batch), time, f"{ratio:.2f}x", size, psnr)
    output().print(table)
    for row in rows:
        if row.error:
            say(output(), f"{row.runtime} {row.precision}: {row.error}")


def _advise(rows: "list[Row]", model: str, options: "BenchmarkOptions") -> None:
    """What to use, and how."""
    from i2icli.export.benchmark import LEAST_PSNR, fastest

    best = fastest(rows)
    if best is not None:
        accurate = f"fastest at {LEAST_PSNR:.0f} dB or better"
        found = f"{best.runtime} {best.precision}, {best.best:.2f}x"
        say(output(), f"{accurate}: {found}; use it:  {_use(best, model, options)}")


def _values(row: "Row") -> dict[str, Any]:
    """A row for --json: one object for each batch in "measured"."""
    measured = [
        {
            "batch": batch,
            "ms_per_image": row.milliseconds(batch),
            "ratio": ratio,
            "seconds": row.seconds[batch],
        }
        for batch, ratio in row.ratio.items()
    ]
    found = {"runtime": row.runtime, "precision": row.precision, "bytes": row.bytes, "psnr": row.psnr}
    return found | {"measured": measured, "error": row.error or None}


def _use(row: "Row", model: str, options: "BenchmarkOptions") -> str:
    """The command by which a model is computed so."""
    if row.precision not in ("fp16 weights", "int8"):
        how = f"--runtime {row.runtime} --precision {row.precision}"
        return f"i2i translate IMAGES --model {quoted(model)} {how}"
    to = "openvino" if row.runtime == "openvino" else "onnx"
    how = "--half" if row.precision == "fp16 weights" else f"--int8 --calibrate {options.calibrate}"
    return f"i2i export {quoted(model)} --to {to} {how}"
