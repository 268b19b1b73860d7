"""Images whose label is the domain they lie in."""

from collections.abc import Sequence
from pathlib import Path

from i2icli.data.images import ImageFile
from i2icli.data.kinds.domain_folders import DOMAINS_EXAMPLE, recognise_domains
from i2icli.data.kinds.label_sets import FoundLabels, Labelled, Wishes, validation_line
from i2icli.data.scan import scan
from i2icli.data.validation_split import split_off
from i2icli.errors import UserError, one_of
from i2icli.image.finding import Collection


def domain_set(folders: Sequence[Path], wanted: tuple[str, ...], wishes: Wishes, strict: bool) -> FoundLabels:
    """Images whose label is the domain they lie in."""
    found = recognise_domains(
        folders, lambda known: tuple(_known(name, known, folders) for name in wanted) or known
    )
    names = found.names
    report: list[str] = []
    train = [_looked_over(collection, report, strict) for collection in found.train]
    if found.validation is None:
        split = [split_off(files, wishes.holdout, wishes.seed) for files in train]
        train, validation = [kept for kept, _ in split], [held for _, held in split]
        collections = found.train
    else:
        collections = found.validation
        validation = [_looked_over(collection, report, strict) for collection in collections]
    validation, same_things = _side_by_side(collections, validation)
    sizes = ", ".join(f"{name} {len(files)}" for name, files in zip(names, train, strict=True))
    report.insert(0, f"{len(names)} domains: {sizes} images")
    held_out = [each for files in validation for each in files]
    report.append(validation_line(held_out, given=found.validation is not None, same_things=same_things))
    order = _round_the_domains(validation) if same_things else _labelled(validation)
    return FoundLabels("domains", names, _labelled(train), order, same_things, report)


def _known(name: str, names: tuple[str, ...], folders: Sequence[Path]) -> str:
    try:
        return one_of(name, names, "domain")
    except UserError:
        raise UserError(
            f"--domains {name}: no such domain in {folders[0]}; found {', '.join(names)}"
        ) from None


def _looked_over(collection: Collection, report: list[str], strict: bool) -> list[ImageFile]:
    files, lines = scan(collection, strict=strict, expected=DOMAINS_EXAMPLE)
    report += lines
    return files


def _side_by_side(
    collections: Sequence[Collection], files: Sequence[list[ImageFile]]
) -> tuple[list[list[ImageFile]], bool]:
    """The same files, in the same order of names if every domain has the same names and sizes."""
    by_name = [
        {collection.key(file.path): file for file in each}
        for collection, each in zip(collections, files, strict=True)
    ]
    first = by_name[0]
    same = bool(first) and all(
        each.keys() == first.keys() and all(each[key].header.size == first[key].header.size for key in first)
        for each in by_name
    )
    return [[each[key] for key in first] for each in by_name] if same else list(files), same


def _labelled(domains: Sequence[list[ImageFile]]) -> list[Labelled]:
    """Domain after domain."""
    return [
        Labelled(file, _one_hot(place, len(domains))) for place, each in enumerate(domains) for file in each
    ]


def _round_the_domains(domains: Sequence[list[ImageFile]]) -> list[Labelled]:
    """The first thing in every domain, then the second, ..."""
    return [
        Labelled(file, _one_hot(place, len(domains)))
        for things in zip(*domains, strict=True)
        for place, file in enumerate(things)
    ]


def _one_hot(place: int, length: int) -> tuple[bool, ...]:
    return tuple(each == place for each in range(length))
