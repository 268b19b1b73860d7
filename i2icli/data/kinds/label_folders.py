"""Where the labels of some data folders come from: attribute files, or domains in folders."""

from collections.abc import Sequence
from pathlib import Path

from i2icli.data.kinds.attribute_sets import attribute_set, named_tables
from i2icli.data.kinds.attributes import choose_columns, read_columns
from i2icli.data.kinds.domain_folders import DOMAINS_EXAMPLE, domain_names
from i2icli.data.kinds.domain_sets import domain_set
from i2icli.data.kinds.label_sets import FoundLabels, Wishes, splits
from i2icli.errors import UserError
from i2icli.image.finding import check_folder, holds_images, holds_images_below, subfolders


def find_labels(folders: Sequence[Path], wishes: Wishes, *, strict: bool) -> list[FoundLabels]:
    """The label sets in some folders: one for each with an attribute file or with domains inside.

    Folders that all hold images alone are the domains of one set. Raises UserError in one line for
    everything that does not fit together.
    """
    for folder in folders:
        check_folder(folder)
    tables = named_tables(folders, wishes.attribute_file)
    if len(folders) > 1 and not any(tables) and not all(map(_holds_domains, folders)):
        _refuse_wishes(wishes, folders, attributes=False, domains=True)
        return [domain_set(folders, wishes.domains, wishes, strict)]
    for folder, table in zip(folders, tables, strict=True):
        _refuse_unlabelled(folder, table)
    _refuse_wishes(wishes, folders, attributes=any(tables), domains=not all(tables))
    columns = _columns(tables, wishes)
    names = _domain_names(
        [folder for folder, table in zip(folders, tables, strict=True) if not table], wishes
    )
    return [
        attribute_set(folder, table, columns[number], wishes, strict)
        if table
        else domain_set([folder], names[folder], wishes, strict)
        for number, (folder, table) in enumerate(zip(folders, tables, strict=True))
    ]


def _columns(tables: Sequence[dict[Path, Path]], wishes: Wishes) -> list[tuple[str, ...]]:
    """The columns to learn of every folder; wanted ones may be spread over several files."""
    files = [next(iter(each.values())) for each in tables if each]
    known = {file: read_columns(file) for file in files}
    if len(files) > 1:
        nowhere = [name for name in wishes.attributes if not any(name in names for names in known.values())]
        if nowhere:
            every = "; ".join(f"{file}: {', '.join(names[:20])}" for file, names in known.items())
            raise UserError(f"no attribute file has a column {nowhere[0]}; their columns: {every}")
    chosen: list[tuple[str, ...]] = []
    for each in tables:
        if not each:
            chosen.append(())
            continue
        file = next(iter(each.values()))
        wanted = [name for name in wishes.attributes if len(files) == 1 or name in known[file]]
        if wishes.attributes and not wanted:
            raise UserError(f"{file}: has none of the columns of --attributes; name some of it as well")
        chosen.append(choose_columns(file, known[file], wanted, wishes.usual_attributes))
    return chosen


def _holds_domains(folder: Path) -> bool:
    """Whether a folder holds several folders of images, other than its splits."""
    inside = subfolders(splits(folder)[0])
    return sum(holds_images_below(path) for path in inside.values()) > 1


def _domain_names(folders: Sequence[Path], wishes: Wishes) -> dict[Path, tuple[str, ...]]:
    """The domains that --domains wants of each folder; all of them if it wants none."""
    if len(folders) < 2 or not wishes.domains:
        return dict.fromkeys(folders, wishes.domains)
    inside = {folder: [name.casefold() for name in domain_names([folder])] for folder in folders}
    return {
        folder: tuple(name for name in wishes.domains if name.casefold() in inside[folder])
        for folder in folders
    }


def _refuse_unlabelled(folder: Path, table: dict[Path, Path]) -> None:
    """Raise UserError for a folder of images about which nothing is known."""
    if not table and holds_images(splits(folder)[0]) and not _holds_domains(folder):
        raise UserError(
            f"{folder}: found images, but no attribute file (a CSV or list_attr_celeba.txt) beside them; "
            f"add one, name one with --attribute-file, or give {DOMAINS_EXAMPLE}"
        )


def _refuse_wishes(wishes: Wishes, folders: Sequence[Path], *, attributes: bool, domains: bool) -> None:
    """Raise UserError for settings about labels of a kind that the data does not have."""
    where = ", ".join(map(str, folders))
    if wishes.attributes and not attributes:
        raise UserError(
            f"--attributes {','.join(wishes.attributes)}: found no attribute file in {where}; "
            "expected a CSV or list_attr_celeba.txt there, or --attribute-file"
        )
    if wishes.exclusive and not attributes:
        raise UserError(
            f"--exclusive {','.join(wishes.exclusive)}: found no attributes in {where}, and of domains only "
            "one can be on anyway; leave it out"
        )
    if wishes.domains and not domains:
        raise UserError(
            f"--domains {','.join(wishes.domains)}: {where} has an attribute file, not domain folders"
        )
