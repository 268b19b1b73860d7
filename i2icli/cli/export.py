"""`i2i export MODEL`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from i2icli.cli.console import errors, output, say
from i2icli.cli.options import WEIGHTS, WHICH_MODEL, WITH_THREADS
from i2icli.cli.writing import Overwrite
from i2icli.errors import UserError, quoted

if TYPE_CHECKING:
    from rich.console import Console

    from i2icli.export.exporting import Exported
    from i2icli.export.options import ExportOptions
    from i2icli.export.selecting import Wanted
    from i2icli.system import System

EXAMPLES = (
    "For a runtime without torch:  i2i export runs/horse2zebra --to onnx\n\n"
    "Small and fast:  i2i export runs/horse2zebra --to openvino --int8 --calibrate photos\n\n"
    "An original checkpoint as a file that describes itself:  i2i export latest_net_G.pth --to safetensors"
)
_Images = Annotated[
    Path | None,
    typer.Option(
        metavar="<folder>",
        help="images to prove it on; default: those the run learned from, if they are there, else drawn ones",
    ),
]


def export(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help=WHICH_MODEL,
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            metavar="<format>", help="onnx, openvino (.xml and .bin), pt2 (torch.export) or safetensors"
        ),
    ] = "onnx",
    half: Annotated[
        bool, typer.Option("--half", help="store weights in half precision: half the size; computed in fp32")
    ] = False,
    int8: Annotated[
        bool, typer.Option("--int8", help="compute convolutions in 8 bits: fastest; needs --calibrate")
    ] = False,
    uint8: Annotated[
        bool,
        typer.Option("--uint8", help="pixels from 0 to 255 in and out, scaling and padding inside the graph"),
    ] = False,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="<folder>", help="with --int8: images like those to be translated"),
    ] = None,
    images: _Images = None,
    target: Annotated[
        str | None, typer.Option(metavar="<target>", help="what it is to translate to; default: every target")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="<source>", help="what it is to translate from, where networks depend on that"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="<path>", help="file, or folder for several; default: beside the model"),
    ] = None,
    opset: Annotated[int, typer.Option(metavar="<number>", help="version of ONNX's operators")] = 20,
    overwrite: Overwrite = False,
    force: Annotated[
        bool, typer.Option("--force", help="keep a graph that --half or --int8 made worse than is accepted")
    ] = False,
    weights: WEIGHTS = None,
    threads: WITH_THREADS = None,  # noqa: ARG001 - its callback uses it
) -> int:
    """Write a model as graphs that other runtimes run, each proven to compute what the model computes.

    Batch, height and width stay free. Every graph is run beside the model on sizes and batches that the
    export did not see, on noise and on images. A graph that differs is set aside as NAME.unproven. A model
    whose targets have networks of their own becomes several files.

    Exit code: 0; 1 if a graph could not be written or proven; 2 usage error.
    """
    from i2icli.export.options import ExportOptions  # what --help need not load

    if half and int8:
        raise UserError("--half and --int8 are both about how weights are stored; choose one")
    precision: Any = "half" if half else "int8" if int8 else "fp32"
    how: Any = {"to": to, "precision": precision, "uint8": uint8, "opset": opset, "calibrate": calibrate}
    options = ExportOptions(**how, images=images, overwrite=overwrite, force=force)
    options.check()
    if to == "safetensors" and (target or source):
        raise UserError(
            f"--{'target' if target else 'source'} is not for --to safetensors, which holds all targets"
        )
    options.check_packages()
    return _export(model, options, target, source, out, weights)


def _export(
    model: str,
    options: "ExportOptions",
    target: str | None,
    source: str | None,
    out: Path | None,
    weights: str | None,
) -> int:
    from i2icli.runs import LAST
    from i2icli.weights import find_weights

    console, (path, which) = errors(), find_weights(model, weights)
    if which:
        say(console, f"note: {which}")
    named = path.with_name(LAST) if which else path  # graphs of a run are called alike, whatever its weights
    if path.suffix.lower() in (".onnx", ".xml", ".pt2"):
        raise UserError(f"{path}: a graph already; export the model that it was made from")
    from i2icli.export.exporting import Exporter  # torch loads only when there is work
    from i2icli.export.files import check_free
    from i2icli.export.selecting import groups, places, weights_place
    from i2icli.inference.loading import load_with_notes

    system, notes = load_with_notes(path)
    for note in notes:
        say(console, f"note: {note}")
    if options.to == "safetensors":
        return _convert(system, weights_place(named, out), options)
    tasks = groups(system.config, system.config.tasks(system.clock.stage), target, source)
    wanted = places(named, tasks, options.to, out)
    check_free([graph.path for graph in wanted], overwrite=options.overwrite)
    with Steps(console) as steps:
        exporter = Exporter(system, options, notes, steps, _learned_from(path, system))
        found = [_one(exporter, graph, steps, len(wanted) > 1) for graph in wanted]
    _next_steps(found, options, generates=_generates(system))
    return 0


def _one(exporter: Any, graph: "Wanted", steps: "Steps", several: bool) -> "Exported":
    steps.title = f"{graph.title}: " if several else ""
    found: Exported = exporter.export(graph.tasks, graph.path)
    say(output(), f"{found.path} ({found.bytes / 1e6:.1f} MB): {found.verdict}")
    return found


def _convert(system: "System[Any]", path: Path, options: "ExportOptions") -> int:
    from i2icli.export.files import check_free
    from i2icli.export.weights_file import convert

    check_free([path], overwrite=options.overwrite)
    verdict = convert(system, path)
    say(output(), f"{path} ({path.stat().st_size / 1e6:.1f} MB): {verdict}")
    say(output(), f"use it:  {_use(path, generates=_generates(system))}")
    return 0


def _learned_from(model: Path, system: "System[Any]") -> Any:
    """The images that a run learned from, if its task reads images and they are still there."""
    from i2icli.export.content import GivenImages
    from i2icli.image.finding import find_images
    from i2icli.training.run_folder import RunFolder

    inputs = system.config.tasks(system.clock.stage)[0].inputs
    if any(port.kind != "image" for port in inputs.values()):
        return None
    files = [file for folder in RunFolder(model.parent).data_folders() for file in find_images(folder)]
    step = max(1, len(files) // 100)  # spread evenly over all folders
    return GivenImages(files[::step], "images of the run's data") if files else None


def _generates(system: "System[Any]") -> bool:
    """Whether all it can be asked for is images from latent codes."""
    return all(task.generates for task in system.config.tasks(system.clock.stage))


def _next_steps(found: Sequence["Exported"], options: "ExportOptions", *, generates: bool) -> None:
    """The lines to run next."""
    path = found[0].path if len(found) == 1 else found[0].path.parent
    if options.to == "pt2":
        say(output(), f"use it in Python:  torch.export.load({str(found[0].path)!r}).module()")
        return
    videos = any(name.stem.endswith(".first") for each in found for name in each.files)
    say(output(), f"use it:  {_use(path, generates=generates, videos=videos)}")


def _use(path: Path, *, generates: bool, videos: bool = False) -> str:
    """The command that uses a model."""
    if generates:
        return f"i2i translate --samples 16 --model {quoted(path)}"
    return f"i2i {'video VIDEO' if videos else 'translate IMAGES'} --model {quoted(path)}"


class Steps:
    """Shows what is going on, and then what it took."""

    def __init__(self, console: "Console") -> None:
        self.console, self.title = console, ""
        self._status = console.status("loading")

    def __enter__(self) -> "Steps":
        if self.console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def __call__(self, text: str) -> None:
        """A step that begins ("tracing ..."), or that is done."""
        if text.endswith("..."):
            self._status.update(f"{self.title}{text}")
        else:
            say(self.console, f"{self.title}{text}")
