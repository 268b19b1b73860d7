"""Recognising a user's folders: pairs side by side, paired folders, or two collections."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from i2icli.data.layout_errors import (
    PAIRED_EXAMPLE,
    UNPAIRED_EXAMPLE,
    many_domains,
    not_recognised,
    not_two_collections,
    refuse_overlapping,
    refuse_repeated,
    refuse_single_domain,
)
from i2icli.data.pairing.names import find_pattern
from i2icli.data.split_names import (
    TRAIN,
    VALIDATION_SPLITS,
    beside,
    is_split,
    side_of,
    sides_of,
    split_folders,
)
from i2icli.errors import UserError
from i2icli.image.finding import check_folder, collect, holds_images, holds_images_below, subfolders


@dataclass(frozen=True)
class FolderLayout:
    """Folders recognised: one folder per split where pairs lie side by side, else two, A and B."""

    train: tuple[Path, ...]
    validation: tuple[Path, ...] | None
    names: tuple[str, str] | None = None  # of A and B, if the folders have telling ones
    unused: tuple[Path, ...] = ()  # folders of splits that do not hold both sides

    @property
    def side_by_side(self) -> bool:
        """Whether one image file holds both halves of a pair."""
        return len(self.train) == 1

    def naming(self) -> tuple[dict[str, Any], list[str]]:
        """The setting "domains" and a report line, by the names of the folders; empty if they have none."""
        if self.names is None:
            return {}, []
        return {"domains": self.names}, [f"domains: {self.names[0]} and {self.names[1]}"]

    @property
    def unused_lines(self) -> list[str]:
        """Report lines about splits that are not used."""
        return [
            f"{path} is not used for validation: it does not hold images of both sides"
            for path in self.unused
        ]


def recognise(folders: Sequence[Path], *, pairs: bool, either: bool = False) -> FolderLayout:
    """Recognise the layout of one folder, or of two given separately (A, B).

    pairs: names have to match; else, with `either`, pairs in one folder will do as well.

    Raises UserError with one line: the folder, what was found, what is missing, what works.
    """
    for folder in folders:
        check_folder(folder)
    if len(folders) == 1:
        return _one_folder(folders[0], pairs, either)
    if len(folders) == 2:
        return _two_folders(*folders)
    example = PAIRED_EXAMPLE if pairs else UNPAIRED_EXAMPLE
    raise UserError(f"{len(folders)} folders were given; expected one with {example}, or two: A and B")


# -- shared by all layouts -------------------------------------------------------------------


def validation_folder(inside: dict[str, Path]) -> Path | None:
    """Of the `split_folders` of a folder the one that is not trained on: val/, else test/."""
    return next((inside[split] for split in VALIDATION_SPLITS if split in inside), None)


def only_folder(inside: dict[str, Path]) -> Path | None:
    """The only folder in a folder: archives often hold one that holds the rest."""
    return next(iter(inside.values())) if len(inside) == 1 else None


# -- one folder ------------------------------------------------------------------------------


def _one_folder(folder: Path, pairs: bool, either: bool) -> FolderLayout:
    inside = split_folders(folder)
    found = _domains_in_splits(inside) or _splits_in_domains(folder, inside)
    found = found or _named_domains(folder, inside, pairs)
    if found is not None:
        return found if found.validation else replace(found, unused=_unused(folder, inside, found.train))
    refuse_single_domain(folder, inside)
    where = inside.get(TRAIN, folder)
    candidates = [] if holds_images(where) else _with_images(where)
    if len(candidates) > 2 and (not pairs or have_pairs(candidates[0], candidates[1])):
        raise many_domains(where, candidates, pairs=pairs)
    if holds_images(folder) or (TRAIN in inside and holds_images_below(inside[TRAIN])):
        if not pairs and not either:
            raise not_two_collections(folder, inside)
        return _one_collection(folder, inside)
    if only := only_folder(inside):
        return _one_folder(only, pairs, either)
    if pairs and TRAIN not in inside and candidates and find_pattern(collect(folder)):
        return FolderLayout((folder,), None)
    raise not_recognised(folder, inside, PAIRED_EXAMPLE if pairs else UNPAIRED_EXAMPLE)


def _unused(folder: Path, inside: dict[str, Path], train: Sequence[Path]) -> tuple[Path, ...]:
    """The splits with images in a folder and in those of its sides that are no validation of both sides."""
    sides = [side for path in train for side in (path, path.parent) if side.parent in (folder, path.parent)]
    splits = [inside, *(split_folders(side) for side in dict.fromkeys(sides) if side != folder)]
    found = [
        path
        for each in splits
        for key, path in each.items()
        if key.split()[0] in VALIDATION_SPLITS and path not in train and holds_images_below(path)
    ]
    return tuple(dict.fromkeys(found))


def _domains_in_splits(inside: dict[str, Path]) -> FolderLayout | None:
    """trainA trainB testA testB, or train/A train/B test/A test/B."""
    train = _domains(inside, TRAIN)
    if train is None:
        return None
    validation = (_domains(inside, split) for split in VALIDATION_SPLITS)
    return FolderLayout(train, next((pair for pair in validation if pair is not None), None))


def _domains(inside: dict[str, Path], split: str) -> tuple[Path, Path] | None:
    """The folders of A and B for a split, in either spelling."""
    if {f"{split} a", f"{split} b"} <= inside.keys():
        return inside[f"{split} a"], inside[f"{split} b"]
    if split in inside:
        below = subfolders(inside[split])
        if {"a", "b"} <= below.keys():
            return below["a"], below["b"]
    return None


def _splits_in_domains(folder: Path, inside: dict[str, Path]) -> FolderLayout | None:
    """A/ and B/, each with images or with train/ and test/ of its own."""
    if not {"a", "b"} <= inside.keys():
        return None
    return _pair_of_folders(inside["a"], inside["b"], folder)


def _named_domains(folder: Path, inside: dict[str, Path], pairs: bool) -> FolderLayout | None:
    """Two folders of any names: horse/ zebra/, train/horse train/zebra, or train_horse train_zebra."""
    sides = sides_of(inside, TRAIN)
    if TRAIN in inside and not holds_images(inside[TRAIN]):
        both = _two_with_images(inside[TRAIN], pairs)
        held_out = [subfolders(inside[split]) for split in VALIDATION_SPLITS if split in inside]
        return both and _with_validation({each.name.casefold(): each for each in both}, held_out)
    if TRAIN not in inside and len(sides) == 2:
        return _with_validation(sides, [sides_of(inside, split) for split in VALIDATION_SPLITS])
    if TRAIN in inside or holds_images(folder):
        return None
    both = _two_with_images(folder, pairs)
    return both and _pair_of_folders(*both, folder)


def _with_validation(train: dict[str, Path], splits: Sequence[dict[str, Path]]) -> FolderLayout:
    """Two domains by name, and the first split that has both of them."""
    a, b = train.values()
    found = next((split for split in splits if train.keys() <= split.keys()), None)
    held_out = tuple(found[name] for name in train) if found else None
    return FolderLayout((a, b), held_out, side_names(a, b))


def _two_with_images(folder: Path, pairs: bool) -> tuple[Path, Path] | None:
    """The folders with images if there are exactly two; for pairs their names must match."""
    filled = _with_images(folder)
    if len(filled) != 2:
        return None
    refuse_repeated(*filled, together=have_pairs if pairs else None)
    return (filled[0], filled[1]) if not pairs or have_pairs(*filled) else None


def _with_images(folder: Path) -> list[Path]:
    """The folders in a folder that hold images, other than A/, B/, and test/, trainA/ and the like."""
    candidates = [
        path for name, path in subfolders(folder).items() if name not in "ab" and not is_split(name)
    ]
    return [path for path in candidates if holds_images_below(path)]


def have_pairs(a: Path, b: Path) -> bool:
    """Whether folders hold pairs, by their names: a common one, or such as differ by an affix."""
    first, second = collect(a), collect(b)
    if not set(map(first.key, first.images)).isdisjoint(map(second.key, second.images)):
        return True
    return find_pattern(first, second) is not None


def _one_collection(folder: Path, inside: dict[str, Path]) -> FolderLayout:
    """Images that hold pairs side by side, or both images of pairs, in train/ val/ test/ or directly."""
    if TRAIN not in inside or not holds_images_below(inside[TRAIN]):
        return FolderLayout((folder,), None)
    filled = {s: inside[s] for s in VALIDATION_SPLITS if s in inside and holds_images_below(inside[s])}
    validation = validation_folder(filled)
    return FolderLayout((inside[TRAIN],), (validation,) if validation else None)


# -- two folders -----------------------------------------------------------------------------


def _two_folders(a: Path, b: Path) -> FolderLayout:
    refuse_overlapping((a, b), "two folders, one for A and one for B")
    return _pair_of_folders(a, b, None)


def _pair_of_folders(a: Path, b: Path, parent: Path | None) -> FolderLayout:
    """Two folders of A and B: splits inside each, or beside them where the paths say `train`."""
    names = side_names(a, b)
    inside_a, inside_b = split_folders(a), split_folders(b)
    if TRAIN in inside_a and TRAIN in inside_b:
        train = (inside_a[TRAIN], inside_b[TRAIN])
        for split in VALIDATION_SPLITS:
            if split in inside_a and split in inside_b:
                return FolderLayout(train, (inside_a[split], inside_b[split]), names)
        return FolderLayout(train, None, names)
    validation = None if parent is not None else folders_beside(a, b)
    return FolderLayout((a, b), validation, names)


def folders_beside(*folders: Path) -> tuple[Path, ...] | None:
    """.../train/x -> .../val/x or .../test/x, and .../trainA -> .../testA, where all of them have it."""
    for split in VALIDATION_SPLITS:
        found = tuple(other for folder in folders if (other := beside(folder, split)) is not None)
        if len(found) == len(folders):
            return found
    return None


def side_names(a: Path, b: Path) -> tuple[str, str] | None:
    """The names of two folders, where they differ: horse/train and zebra/train are horse and zebra."""
    for part_a, part_b in zip(reversed(a.resolve().parts), reversed(b.resolve().parts), strict=False):
        if part_a != part_b:
            names = side_of(part_a), side_of(part_b)
            plain = all(re.fullmatch(r"[\w. -]+", name) for name in names)
            return names if plain and names[0].casefold() != names[1].casefold() else None
    return None
