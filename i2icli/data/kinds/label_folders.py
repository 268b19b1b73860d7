"""Finding the labels of data folders: in attribute files, or in the folders of domains."""

from collections.abc import Sequence
from pathlib import Path

from i2icli.data.kinds.attribute_sets import attribute_set, named_tables
from i2icli.data.kinds.attributes import choose_columns, read_columns
from i2icli.data.kinds.domain_folders import DOMAINS_EXAMPLE, domain_names
from i2icli.data.kinds.domain_sets import domain_set
from i2icli.data.kinds.label_sets import LabelChoice, LabelledSet, splits
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.image.finding import check_folder, holds_images, holds_images_below, subfolders


def find_labels(folders: Sequence[Path], choice: LabelChoice, options: DataOptions) -> list[LabelledSet]:
    """The label sets of some folders: one for each with an attribute file or with domains inside.

    Folders that only contain images are the domains of a single set. Raises UserError in one line
    for whatever does not fit together.
    """
    for folder in folders:
        check_folder(folder)
    tables = named_tables(folders, choice.attribute_file)
    if len(folders) > 1 and not any(tables) and not all(map(_holds_domains, folders)):
        _refuse_unfitting(choice, folders, attributes=False, domains=True)
        return [domain_set(folders, choice.domains, options)]
    for folder, table in zip(folders, tables, strict=True):
        _refuse_unlabelled(folder, table)
    _refuse_unfitting(choice, folders, attributes=any(tables), domains=not all(tables))
    columns = _columns(tables, choice)
    names = _domain_names(
        [folder for folder, table in zip(folders, tables, strict=True) if not table], choice
    )
    return [
        attribute_set(folder, table, columns[number], options)
        if table
        else domain_set([folder], names[folder], options)
        for number, (folder, table) in enumerate(zip(folders, tables, strict=True))
    ]


def _columns(tables: Sequence[dict[Path, Path]], choice: LabelChoice) -> list[tuple[str, ...]]:
    """The columns to learn of every folder; chosen ones may be spread over several files."""
    files = [next(iter(each.values())) for each in tables if each]
    known = {file: read_columns(file) for file in files}
    if len(files) > 1:
        nowhere = [name for name in choice.attributes if not any(name in names for names in known.values())]
        if nowhere:
            every = "; ".join(f"{file}: {', '.join(names[:20])}" for file, names in known.items())
            raise UserError(f"no attribute file has a column {nowhere[0]}; their columns: {every}")
    chosen: list[tuple[str, ...]] = []
    for each in tables:
        if not each:
            chosen.append(())
            continue
        file = next(iter(each.values()))
        wanted = [name for name in choice.attributes if len(files) == 1 or name in known[file]]
        if choice.attributes and not wanted:
            raise UserError(
                f"{file}: has none of the columns of --attributes; choose some of its columns as well"
            )
        chosen.append(choose_columns(file, known[file], wanted, choice.preferred))
    return chosen


def _holds_domains(folder: Path) -> bool:
    """Whether a folder contains several folders of images, apart from its splits."""
    inside = subfolders(splits(folder)[0])
    return sum(holds_images_below(path) for path in inside.values()) > 1


def _domain_names(folders: Sequence[Path], choice: LabelChoice) -> dict[Path, tuple[str, ...]]:
    """The domains of each folder that --domains names; empty (all of them) if it names none."""
    if len(folders) < 2 or not choice.domains:
        return dict.fromkeys(folders, choice.domains)
    inside = {folder: [name.casefold() for name in domain_names([folder])] for folder in folders}
    return {
        folder: tuple(name for name in choice.domains if name.casefold() in inside[folder])
        for folder in folders
    }


def _refuse_unlabelled(folder: Path, table: dict[Path, Path]) -> None:
    """Raise UserError for a folder of images without labels."""
    if not table and holds_images(splits(folder)[0]) and not _holds_domains(folder):
        raise UserError(
            f"{folder}: found images, but no attribute file (a CSV or list_attr_celeba.txt) beside them; "
            f"add one, name one with --attribute-file, or give {DOMAINS_EXAMPLE}"
        )


def _refuse_unfitting(
    choice: LabelChoice, folders: Sequence[Path], *, attributes: bool, domains: bool
) -> None:
    """Raise UserError for options about a kind of labels that the data does not have."""
    where = ", ".join(map(str, folders))
    if choice.attributes and not attributes:
        raise UserError(
            f"--attributes {','.join(choice.attributes)}: found no attribute file in {where}; "
            "expected a CSV or list_attr_celeba.txt there, or --attribute-file"
        )
    if choice.exclusive and not attributes:
        raise UserError(
            f"--exclusive {','.join(choice.exclusive)}: found no attributes in {where}, and domains are "
            "exclusive anyway; leave it out"
        )
    if choice.domains and not domains:
        raise UserError(
            f"--domains {','.join(choice.domains)}: {where} has an attribute file, not domain folders"
        )
