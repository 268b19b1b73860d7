"""Label sets of images whose labels are rows of an attribute file."""

from collections.abc import Sequence
from pathlib import Path

from i2icli.data.describe import counted
from i2icli.data.kinds.attributes import RowFinder, find_attribute_file, read_attributes
from i2icli.data.kinds.label_sets import LabelledImage, LabelledSet, splits, validation_line
from i2icli.data.options import DataOptions
from i2icli.data.scan import scan
from i2icli.data.validation_split import split_off
from i2icli.errors import UserError
from i2icli.image.finding import Collection, collect


def attribute_tables(folder: Path, named: str | None) -> dict[Path, Path]:
    """Folders of images with their attribute files, training first; empty if there is none.

    Either one file in the data folder, or one each in train/ and test/.
    """
    parts = splits(folder)
    whole = find_attribute_file(folder, named)
    if whole is not None:
        return dict.fromkeys(parts, whole)
    own = {split: find_attribute_file(split) for split in parts}
    found = {split: table for split, table in own.items() if table is not None}
    return found if parts[0] in found else {}


def named_tables(folders: Sequence[Path], named: str | None) -> list[dict[Path, Path]]:
    """The `attribute_tables` of several data folders; a named file describes the images of its own folder.

    With a single folder the file may be anywhere. Raises UserError if none of several contains it.
    """
    if named is None or len(folders) == 1:
        return [attribute_tables(folder, named) for folder in folders]
    held = [_contains(folder, Path(named)) for folder in folders]
    if not any(held):
        raise UserError(
            f"--attribute-file {named}: no such file in {', '.join(map(str, folders))}; "
            "with several data folders put it into the one whose images it describes"
        )
    return [
        attribute_tables(folder, named if holds else None)
        for folder, holds in zip(folders, held, strict=True)
    ]


def _contains(folder: Path, named: Path) -> bool:
    """Whether a file, named by its path or relative to a data folder, lies in that folder."""
    if not named.is_absolute() and (folder / named).is_file():
        return True
    return named.is_file() and named.parent.resolve().is_relative_to(folder.resolve())


def attribute_set(
    folder: Path, tables: dict[Path, Path], columns: tuple[str, ...], options: DataOptions
) -> LabelledSet:
    """The images of the folders that `attribute_tables` found, labelled by some columns of their files."""
    finders = {table: RowFinder(read_attributes(table, columns)) for table in tables.values()}
    report: list[str] = []
    parts = [
        _with_rows(collect(split), finders[table], folder, report, options) for split, table in tables.items()
    ]
    for finder in finders.values():
        _report_unclaimed(finder, folder, report, options.strict)
    train, validation = parts if len(parts) == 2 else split_off(parts[0], options)
    table = next(iter(tables.values()))
    if not train:
        raise UserError(f"{folder}: no training images; expected those that {table.name} has rows for")
    _refuse_constant(table, columns, train)
    report.insert(0, f"{counted(len(train), 'image')} in {folder} with attributes from {table.name}: "
                     + ", ".join(_frequencies(columns, train)))  # fmt: skip
    report.append(validation_line(validation, given=len(parts) == 2))
    return LabelledSet("attributes", columns, train, validation, False, report)


def _with_rows(
    collection: Collection, finder: RowFinder, root: Path, report: list[str], options: DataOptions
) -> list[LabelledImage]:
    """The images of a collection that the attribute file has a row for."""
    table, strict = finder.table, options.strict
    rows = {image: finder.row(image, (root, collection.folder)) for image in collection.images}
    without = [image for image, row in rows.items() if row is None]
    if without and len(without) == len(rows) and collection.folder == splits(root)[0]:
        raise UserError(
            f"{table.path} has no row for the {counted(len(rows), 'image')} in {collection.folder}, "
            f"such as {without[0].name}; its rows are for {', '.join(list(table.rows)[:2])}, ..."
        )
    if without:
        _report(
            f"{table.path} has no row for {len(without)} of {counted(len(rows), 'image')} "
            f"in {collection.folder}, e.g. {without[0].name}",
            "skipped",
            report,
            strict,
        )
    kept = Collection(collection.folder, tuple(image for image in rows if rows[image]), ())
    if not kept.images:
        return []
    files, lines = scan(kept, strict=strict, reading=options.reading)
    report += lines
    return [LabelledImage(file, table.rows[rows[file.path] or ""]) for file in files]


def _report_unclaimed(finder: RowFinder, folder: Path, report: list[str], strict: bool) -> None:
    unclaimed, table = finder.unclaimed(), finder.table
    if unclaimed:
        _report(
            f"{len(unclaimed)} of {counted(len(table.rows), 'row')} in {table.path} are for images that are "
            f"not in {folder}, e.g. {unclaimed[0]}",
            "ignored",
            report,
            strict,
        )


def _report(found: str, done: str, report: list[str], strict: bool) -> None:
    """Report what was found and what is done about it; with --strict refuse it."""
    if strict:
        raise UserError(f"{found}; fix it, or train without --strict")
    report.append(f"{found}: {done}")


def _frequencies(columns: Sequence[str], images: Sequence[LabelledImage]) -> list[str]:
    """How many images have each attribute: "Male 12"."""
    return [f"{name} {sum(each.label[index] for each in images)}" for index, name in enumerate(columns)]


def _refuse_constant(table: Path, columns: Sequence[str], images: Sequence[LabelledImage]) -> None:
    """Raise UserError for an attribute that all images have, or none."""
    for index, name in enumerate(columns):
        values = {each.label[index] for each in images}
        if len(values) == 1:
            whose = "all" if True in values else "none"
            raise UserError(
                f"{table}: {whose} of the {counted(len(images), 'training image')} "
                f"{'has' if whose == 'none' else 'have'} {name}, so it cannot be learned; "
                "leave it out with --attributes"
            )
