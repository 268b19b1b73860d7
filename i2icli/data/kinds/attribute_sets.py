"""Images whose labels are rows of an attribute file."""

from collections.abc import Sequence
from pathlib import Path

from i2icli.data.describe import counted
from i2icli.data.kinds.attributes import RowFinder, find_attribute_file, read_attributes
from i2icli.data.kinds.label_sets import FoundLabels, Labelled, Wishes, splits, validation_line
from i2icli.data.scan import scan
from i2icli.data.validation_split import split_off
from i2icli.errors import UserError
from i2icli.image.finding import Collection, collect


def attribute_tables(folder: Path, named: str | None) -> dict[Path, Path]:
    """Folders of images to their attribute files, training first; empty if there is none.

    One file in the data folder says all, or each of train/ and test/ has its own.
    """
    places = splits(folder)
    whole = find_attribute_file(folder, named)
    if whole is not None:
        return dict.fromkeys(places, whole)
    own = {split: find_attribute_file(split) for split in places}
    found = {split: table for split, table in own.items() if table is not None}
    return found if places[0] in found else {}


def named_tables(folders: Sequence[Path], named: str | None) -> list[dict[Path, Path]]:
    """The `attribute_tables` of several data folders; a named file is about the images of its own folder.

    A single folder may take a file from anywhere. Raises UserError if none of several holds the file.
    """
    if named is None or len(folders) == 1:
        return [attribute_tables(folder, named) for folder in folders]
    held = [_holds(folder, Path(named)) for folder in folders]
    if not any(held):
        raise UserError(
            f"--attribute-file {named}: no such file in {', '.join(map(str, folders))}; "
            "with several data folders put it into the one whose images it is about"
        )
    return [
        attribute_tables(folder, named if holds else None)
        for folder, holds in zip(folders, held, strict=True)
    ]


def _holds(folder: Path, named: Path) -> bool:
    """Whether a file, named from the folder or by its path, lies in a data folder."""
    if not named.is_absolute() and (folder / named).is_file():
        return True
    return named.is_file() and named.parent.resolve().is_relative_to(folder.resolve())


def attribute_set(
    folder: Path, tables: dict[Path, Path], columns: tuple[str, ...], wishes: Wishes, strict: bool
) -> FoundLabels:
    """Images whose labels are rows of an attribute file."""
    finders = {table: RowFinder(read_attributes(table, columns)) for table in tables.values()}
    report: list[str] = []
    parts = [
        _with_rows(collect(split), finders[table], folder, report, strict) for split, table in tables.items()
    ]
    for finder in finders.values():
        report += _rows_without_image(finder, folder, strict)
    train, validation = parts if len(parts) == 2 else split_off(parts[0], wishes.holdout, wishes.seed)
    table = next(iter(tables.values()))
    if not train:
        raise UserError(f"{folder}: no images to train on; expected images that {table.name} has rows for")
    _refuse_constant(table, columns, train)
    report.insert(0, f"{counted(len(train), 'image')} in {folder} with attributes from {table.name}: "
                     + ", ".join(_frequencies(columns, train)))  # fmt: skip
    report.append(validation_line(validation, given=len(parts) == 2))
    return FoundLabels("attributes", columns, train, validation, False, report)


def _with_rows(
    collection: Collection, finder: RowFinder, root: Path, report: list[str], strict: bool
) -> list[Labelled]:
    """The images of a collection that the attribute file has a row for."""
    table = finder.table
    rows = {image: finder.row(image, (root, collection.folder)) for image in collection.images}
    without = [image for image, row in rows.items() if row is None]
    if without and len(without) == len(rows) and collection.folder == splits(root)[0]:
        raise UserError(
            f"{table.path} has no row for any of the {len(rows)} images in {collection.folder}, "
            f"such as {without[0].name}; its rows are of {', '.join(list(table.rows)[:2])}, ..."
        )
    if without:
        _told(
            f"{table.path} misses {len(without)} of the {counted(len(rows), 'image')} "
            f"in {collection.folder}, the first is {without[0].name}",
            "left out",
            report,
            strict,
        )
    kept = Collection(collection.folder, tuple(image for image in rows if rows[image]), ())
    if not kept.images:
        return []
    files, lines = scan(kept, strict=strict)
    report += lines
    return [Labelled(file, table.rows[rows[file.path] or ""]) for file in files]


def _rows_without_image(finder: RowFinder, folder: Path, strict: bool) -> list[str]:
    report: list[str] = []
    unclaimed, table = finder.unclaimed(), finder.table
    if unclaimed:
        _told(
            f"{len(unclaimed)} of the {counted(len(table.rows), 'row')} of {table.path} name images that are "
            f"not in {folder}, the first is {unclaimed[0]}",
            "ignored",
            report,
            strict,
        )
    return report


def _told(found: str, done: str, report: list[str], strict: bool) -> None:
    """Note what was found and done about it, or with --strict refuse it."""
    if strict:
        raise UserError(f"{found}; mend it, or train without --strict")
    report.append(f"{found}: {done}")


def _frequencies(columns: Sequence[str], images: Sequence[Labelled]) -> list[str]:
    """How many images have each attribute: "Male 12"."""
    return [f"{name} {sum(each.label[place] for each in images)}" for place, name in enumerate(columns)]


def _refuse_constant(table: Path, columns: Sequence[str], images: Sequence[Labelled]) -> None:
    """Raise UserError for an attribute that all images have, or none."""
    for place, name in enumerate(columns):
        values = {each.label[place] for each in images}
        if len(values) == 1:
            whose = "all" if True in values else "none"
            raise UserError(
                f"{table}: {whose} of the {counted(len(images), 'training image')} "
                f"{'has' if whose == 'none' else 'have'} {name}, so nothing can be learned about it; "
                "leave it out with --attributes"
            )
