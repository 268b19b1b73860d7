"""Recognising a folder of images per domain, for systems that translate between many."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from i2icli.data.layout_errors import refuse_overlapping, refuse_repeated
from i2icli.data.layouts import folders_beside, only_folder, validation_folder
from i2icli.data.split_names import TRAIN, VALIDATION_SPLITS, side_of, split_folders
from i2icli.errors import UserError, one_of
from i2icli.image.finding import Collection, check_folder, collect, holds_images, listing, subfolders

DOMAINS_EXAMPLE = "a folder per domain, such as summer/ winter/ fall/, in train/ and test/ if split"


@dataclass(frozen=True)
class DomainFolders:
    """Domains recognised, in natural order or as wanted: one collection each, none of them empty."""

    names: tuple[str, ...]
    train: tuple[Collection, ...]
    validation: tuple[Collection, ...] | None


@dataclass(frozen=True)
class _DomainPaths:
    """Folders by name of the domain, not scanned yet."""

    train: dict[str, Path]
    validation: dict[str, Path] | None


def domain_names(folders: Sequence[Path]) -> tuple[str, ...]:
    """The names of the domains, as `recognise_domains` finds them."""
    return tuple(_recognise(folders).train)


def recognise_domains(
    folders: Sequence[Path], wanted: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda names: names
) -> DomainFolders:
    """The domains of one folder that holds them all, or of several folders, each a domain.

    `wanted` chooses among their names; the others are not scanned. Known are domain/, train/domain +
    test/domain, domain/train + domain/test, and trainA trainB trainC (or train0 train1 ...) + testA ...;
    val, valid and validation are preferred to test. Raises UserError in one line: fewer than two
    domains, an empty one, other domains in test than in train.
    """
    layout = _recognise(folders)
    names = wanted(tuple(layout.train))
    train = tuple(_filled(layout.train[name]) for name in names)
    if layout.validation is None:
        return DomainFolders(names, train, None)
    return DomainFolders(names, train, tuple(_filled(layout.validation[name]) for name in names))


def known_domain(name: str, names: Sequence[str], option: str) -> str:
    """A domain as the folders spell it. Raises UserError, naming the option that asks for it, if unknown."""
    try:
        return one_of(name, names, "domain")
    except UserError:
        raise UserError(
            f"--{option} {name}: there is no such domain in the data; found {', '.join(names)}"
        ) from None


def _recognise(folders: Sequence[Path]) -> _DomainPaths:
    for folder in folders:
        check_folder(folder)
    layout = _one_folder(folders[0]) if len(folders) == 1 else _several_folders(folders)
    _check_names(layout, folders)
    return layout


# -- one folder ------------------------------------------------------------------------------


def _one_folder(folder: Path) -> _DomainPaths:
    inside = split_folders(folder)
    if TRAIN in inside:
        return _domains_in_splits(inside)
    lettered = _lettered(inside, TRAIN)
    if lettered:
        validation = next((found for split in VALIDATION_SPLITS if (found := _lettered(inside, split))), None)
        return _same_domains(_DomainPaths(lettered, validation), folder)
    if holds_images(folder):
        raise UserError(f"{folder}: found images directly in it; expected {DOMAINS_EXAMPLE}")
    only = only_folder(inside)
    if only and len(subfolders(only)) > 1 and not _splits_inside(only):
        return _one_folder(only)
    alone = validation_folder(inside)
    if alone:
        raise UserError(f"{folder}: found {alone.name}/ but no train/; expected {DOMAINS_EXAMPLE}")
    if len(inside) > 1:
        refuse_repeated(*list(inside.values())[:2])
    return _splits_in_domains(_by_name(inside.values()), folder)


def _domains_in_splits(inside: dict[str, Path]) -> _DomainPaths:
    """train/x train/y, and test/x test/y."""
    train = _by_name(subfolders(inside[TRAIN]).values())
    if not train and holds_images(inside[TRAIN]):
        raise UserError(f"{inside[TRAIN]}: found images directly in it; expected {DOMAINS_EXAMPLE}")
    validation = validation_folder(inside)
    if validation is None:
        return _DomainPaths(train, None)
    return _same_domains(_DomainPaths(train, _by_name(subfolders(validation).values())), validation)


def _lettered(inside: dict[str, Path], split: str) -> dict[str, Path]:
    """trainA trainB trainC, train0 ... train10, or train_summer train_winter: by what they say beside it."""
    found = [path for key, path in inside.items() if key.startswith(f"{split} ")]
    return {side_of(path.name): path for path in found}


def _splits_in_domains(domains: dict[str, Path], where: Path) -> _DomainPaths:
    """x/ and y/, with images or with train/ and test/ in each."""
    inside = {name: split_folders(path) for name, path in domains.items()}
    divided = {name for name, below in inside.items() if TRAIN in below}
    if not divided:
        return _DomainPaths(domains, None)
    if len(divided) < len(domains):
        missing = next(name for name in domains if name not in divided)
        raise UserError(
            f"{domains[missing]}: no train/ in it, but {domains[min(divided)]} has one; "
            "give every domain a train/, or none of them"
        )
    train = {name: inside[name][TRAIN] for name in domains}
    for split in VALIDATION_SPLITS:
        validation = {name: inside[name][split] for name in domains if split in inside[name]}
        if validation:
            return _same_domains(_DomainPaths(train, validation), where)
    return _DomainPaths(train, None)


def _splits_inside(folder: Path) -> bool:
    """Whether a folder is one domain with its splits."""
    inside = split_folders(folder)
    return TRAIN in inside and not subfolders(inside[TRAIN])


def _by_name(folders: Iterable[Path]) -> dict[str, Path]:
    return {path.name: path for path in folders}


# -- several folders -------------------------------------------------------------------------


def _several_folders(folders: Sequence[Path]) -> _DomainPaths:
    """Each folder a domain, named where their paths differ; splits inside each, or beside them."""
    refuse_overlapping(folders, "a separate folder per domain")
    names = _names([folder.resolve() for folder in folders])
    if names is None:
        raise UserError(
            f"{', '.join(map(str, folders))}: the domains cannot be named; give folders with different names"
        )
    layout = _splits_in_domains(dict(zip(names, folders, strict=True)), folders[0].parent)
    beside = folders_beside(*folders) if layout.validation is None else None
    return _DomainPaths(layout.train, dict(zip(names, beside, strict=True))) if beside else layout


def _names(folders: Sequence[Path]) -> list[str] | None:
    """The last part of the paths in which all differ: horse/train and zebra/train are horse and zebra."""
    for parts in zip(*(reversed(folder.parts) for folder in folders), strict=False):
        if len({part.casefold() for part in parts}) == len(parts):
            sides = [side_of(part) for part in parts]
            return sides if len({side.casefold() for side in sides}) == len(sides) else list(parts)
    return None


# -- what is refused -------------------------------------------------------------------------


def _check_names(layout: _DomainPaths, folders: Sequence[Path]) -> None:
    """Raise UserError for fewer than two domains, or names that --to could not distinguish."""
    if len(layout.train) < 2:
        found = f"found only {', '.join(layout.train)}" if layout.train else f"found {listing(folders[0])}"
        raise UserError(f"{folders[0]}: {found}; expected at least two domains: {DOMAINS_EXAMPLE}")
    for name, path in layout.train.items():
        if "," in name:
            raise UserError(
                f"{path}: the name of a domain cannot contain a comma, which separates names; rename it"
            )


def _same_domains(layout: _DomainPaths, where: Path) -> _DomainPaths:
    """Raise UserError unless validation has just the domains of training, case aside."""
    if layout.validation is None:
        return layout
    known = {name.casefold(): name for name in layout.train}
    found = {name.casefold(): name for name in layout.validation}
    for names, others, here, there in (
        (known, found, "training", "validation"),
        (found, known, "validation", "training"),
    ):
        alone = [names[key] for key in names if key not in others]
        if alone:
            raise UserError(
                f"{where}: {', '.join(alone)} is among the domains of {here} but not of {there} "
                f"(found {', '.join(others.values()) or 'none'}); expected the same domains in both"
            )
    return _DomainPaths(layout.train, {known[key]: layout.validation[found[key]] for key in known})


def _filled(folder: Path) -> Collection:
    """The images of a domain. Raises UserError if there are none."""
    collection = collect(folder)
    if not collection.images:
        raise UserError(f"{folder}: no images in this folder, but each folder is a domain; fill or remove it")
    return collection
