"""`i2i labels convert|check`: annotations become label maps; label maps are looked over."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from i2icli.cli.commands import Command, Group, unwrapped
from i2icli.cli.console import errors, output, plain, say
from i2icli.cli.console import failed as tell_failed
from i2icli.cli.writing import Overwrite
from i2icli.errors import UserError, quoted
from i2icli.written import counted

if TYPE_CHECKING:
    from i2icli.data.labels.counts import ClassCount
    from i2icli.labels.convert import Conversion, Converted

FORMATS = "labelme, coco, coco-panoptic, yolo, cvat, voc, cityscapes, mapillary, kitti, bdd100k"

CONVERT_EXAMPLES = (
    "A folder of labelme:  i2i labels convert annotations --images photos --out rooms\n\n"
    "COCO:  i2i labels convert instances_val2017.json --images val2017 --out coco\n\n"
    "Ids of 16 bit:  i2i labels convert training/instance --from kitti --out street"
)

CHECK_EXAMPLES = (
    "A folder:  i2i labels check rooms\n\n"
    "Ids of a known data set:  i2i labels check street --classes cityscapes"
)

app = typer.Typer(cls=Group, no_args_is_help=True)


@app.callback()
def labels() -> None:
    """Make label maps of annotations, and check label maps."""


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="a JSON file, or a folder of annotations or maps")
    ],
    out: Annotated[
        Path, typer.Option(metavar="<path>", help="folder for labels/, instances/ and classes.toml")
    ],
    format: Annotated[
        str | None,
        typer.Option("--from", metavar="<choice>", help=f"{FORMATS}; default: recognised by the content"),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="<path>",
            help="folder of the photos, which are linked into images/ (copied if the disk cannot link); "
            "default: photos stay where they are",
        ),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="<path>",
            help="ids, names and colours of the results: file (TOML, CSV, plain list) or a known data set; "
            "default: those of the annotations",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON on stdout")] = False,
    overwrite: Overwrite = False,
) -> int:
    """Convert annotations to label maps, instance maps and a list of classes.

    A pixel belongs to a shape if its centre is inside; later shapes cover earlier ones. Other pixels are
    unlabelled (255; 65535 in 16 bit). Label maps are palette PNGs in the colours of the classes, or 16 bit
    where there are more than 255. One bad file does not stop the others.
    """
    from i2icli.class_files import read_classes
    from i2icli.labels.convert import Conversion, check_out
    from i2icli.labels.given_classes import with_classes
    from i2icli.labels.recognise import FORMATS, Source, recognise

    check_out(source, out, images, overwrite=overwrite)
    where = Source(source, images)
    name = format.lower() if format else recognise(where)
    if name not in FORMATS:
        raise UserError(f"--from {format}: expected one of {', '.join(FORMATS)}")
    say(errors(), f"{source}: {FORMATS[name].title}")
    annotations = FORMATS[name].open(where)
    if classes is not None:
        annotations = with_classes(annotations, read_classes(classes))
    conversion = Conversion(annotations, out, where.photos if images else None)
    if not len(conversion):
        raise UserError(f"{source}: holds no annotations of {FORMATS[name].title}")
    failed = _report(conversion)
    for note in (*annotations.notes, *_notes(conversion)):
        say(errors(), f"note: {note}")
    done = len(conversion) - len(failed)
    if as_json:
        rows = [{"source": each.source, "error": each.error} for each in failed]
        print(json.dumps({"format": name, "out": str(out), "converted": done, "failed": rows}))
    elif done:
        for line in _summary(conversion, done, out):
            say(output(), line)
    return 1 if failed or not done else 0


def check(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DATA", help="label maps and photos, as i2i train takes them")
    ],
    classes: Annotated[
        str | None,
        typer.Option(metavar="<path>", help="file of classes, or a known data set; default: as in training"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON on stdout instead of a table")] = False,
) -> None:
    """Check label maps: layout, classes, and what is wrong, without training.

    All maps are read. Lists every class with its share of the pixels and the number of maps that have it.
    """
    from i2icli.class_files import read_classes
    from i2icli.classes import label_set
    from i2icli.config import Config
    from i2icli.data.kinds.label_maps import LabelMaps
    from i2icli.data.labels.counts import class_counts
    from i2icli.data.options import DataOptions

    given = None if classes is None else read_classes(classes)
    labels = None if given is None else label_set(given.classes, given.ignore)
    data = LabelMaps(folders, DataOptions.of(Config()), labels=labels)
    report = [line for line in data.report if "--cache" not in line]  # which is about training
    counts = class_counts(data.labels, [each.map for each in data.scenes + data.held_out])
    if as_json:
        print(json.dumps({"report": report, "classes": [asdict(each) for each in counts]}))
        return
    for line in report:
        say(output(), line)
    _print_counts(counts)


for command, epilog in ((convert, CONVERT_EXAMPLES), (check, CHECK_EXAMPLES)):
    app.command(cls=Command, help=unwrapped(command), epilog=escape(epilog))(command)


def _report(conversion: "Conversion") -> "list[Converted]":
    """Convert everything: failures as lines, a bar on a terminal. Returns the failures."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console, failed = errors(), []
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(conversion))
        for each in conversion:
            bar.advance(task)
            if each.error is not None:
                failed.append(each)
                named = each.source in each.error
                tell_failed(each.error if named else f"{each.source}: {each.error}")
    return failed


def _notes(conversion: "Conversion") -> list[str]:
    """What a user should know about the results."""
    from i2icli.labels.convert import LABELS

    lines = [f"left out: {count:,} {what}" for what, count in conversion.left_out.items()]
    if conversion.others_there:
        lines.append(
            f"{counted(conversion.others_there, 'other file')} in {conversion.out / LABELS}: if of an "
            "earlier conversion, the same ids may mean other classes there"
        )
    if conversion.without_photo:
        lines.append(f"{conversion.without_photo:,} label maps have no photo of their name")
    return lines


def _summary(conversion: "Conversion", done: int, out: Path) -> list[str]:
    """What was written, and what to do with it."""
    from i2icli.data.describe import counted
    from i2icli.labels.convert import IMAGES
    from i2icli.registry import reading_labels

    number = len(conversion.classes)
    classes = "1 class" if number == 1 else f"{number:,} classes"
    unlabelled = f"{conversion.unlabelled_share:.1%} of the pixels unlabelled"
    train = f"i2i train {reading_labels()} {quoted(out)}"
    photos = f"put the photos into {out / IMAGES}, under the names of their maps; then: "
    return [
        f"{counted(done, 'label map')} in {out}: {classes}, {unlabelled}",
        f"next: {'' if (out / IMAGES).is_dir() else photos}{train}",
    ]


def _print_counts(counts: "list[ClassCount]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("id", justify="right")
    table.add_column("class")
    table.add_column("pixels", justify="right")
    table.add_column("maps", justify="right")
    for each in counts:
        table.add_row(
            Text("  ", "on rgb({},{},{})".format(*each.colour)),
            "" if each.id is None else str(each.id),
            plain(each.name),
            f"{each.share:.2%}",
            f"{each.maps:,}",
        )
    output().print(table)
