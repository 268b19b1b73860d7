"""Recognising a user's folders: pairs side by side, paired folders, or two collections."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from i2icli.errors import UserError
from i2icli.image.finding import check_folder, collect, holds_images, holds_images_below, listing, subfolders

PAIRED_EXAMPLE = (
    "A/ and B/ with the same file names, or train/ (and val/) with pairs side by side in one image"
)
UNPAIRED_EXAMPLE = "trainA/ and trainB/ (and testA/ and testB/), or A/ and B/"

VALIDATION_SPLITS = ("val", "valid", "validation", "test")  # not trained on, in order of preference


@dataclass(frozen=True)
class FolderLayout:
    """Folders recognised: one folder per split where pairs lie side by side, else two, A and B."""

    train: tuple[Path, ...]
    validation: tuple[Path, ...] | None
    names: tuple[str, str] | None = None  # of A and B, if the folders have telling ones

    @property
    def side_by_side(self) -> bool:
        """Whether one image file holds both halves of a pair."""
        return len(self.train) == 1

    def naming(self) -> tuple[dict[str, Any], list[str]]:
        """The setting "domains" and a report line, by the names of the folders; empty if they have none."""
        if self.names is None:
            return {}, []
        return {"domains": self.names}, [f"domains: {self.names[0]} and {self.names[1]}"]


def recognise(folders: Sequence[Path], *, pairs: bool) -> FolderLayout:
    """Recognise the layout of one folder, or of two given separately (A, B).

    Raises UserError with one line: the folder, what was found, what is missing, what works.
    """
    for folder in folders:
        check_folder(folder)
    if len(folders) == 1:
        return _one_folder(folders[0], pairs)
    if len(folders) == 2:
        return _two_folders(*folders)
    example = PAIRED_EXAMPLE if pairs else UNPAIRED_EXAMPLE
    raise UserError(f"{len(folders)} folders were given; expected one with {example}, or two: A and B")


# -- shared by all layouts -------------------------------------------------------------------


def validation_folder(inside: dict[str, Path]) -> Path | None:
    """Of the folders in a folder, by lower-case name, the one that is not trained on: val/, else test/."""
    return next((inside[split] for split in VALIDATION_SPLITS if split in inside), None)


def only_folder(inside: dict[str, Path]) -> Path | None:
    """The only folder in a folder: archives often hold one that holds the rest."""
    return next(iter(inside.values())) if len(inside) == 1 else None


def refuse_overlapping(folders: Sequence[Path], expected: str) -> None:
    """Raise UserError if one of several folders is given twice or lies inside another."""
    real = [folder.resolve() for folder in folders]
    for index, folder in enumerate(real):
        for other in range(index):
            if folder == real[other]:
                raise UserError(f"{folders[index]} is given twice; expected {expected}")
            if folder in real[other].parents or real[other] in folder.parents:
                raise UserError(
                    f"{folders[other]} and {folders[index]}: one lies inside the other; expected {expected}"
                )


# -- one folder ------------------------------------------------------------------------------


def _one_folder(folder: Path, pairs: bool) -> FolderLayout:
    inside = subfolders(folder)
    found = _domains_in_splits(inside) or _splits_in_domains(folder, inside)
    found = found or _named_domains(folder, inside, pairs)
    if found is not None:
        return found
    _refuse_single_domain(folder, inside)
    _refuse_many_domains(inside.get("train", folder), pairs)
    if holds_images(folder) or ("train" in inside and holds_images_below(inside["train"])):
        if not pairs:
            raise _not_two_collections(folder, inside)
        return _one_collection(folder, inside)
    if only := only_folder(inside):
        return _one_folder(only, pairs)
    raise _not_recognised(folder, inside, pairs)


def _domains_in_splits(inside: dict[str, Path]) -> FolderLayout | None:
    """trainA trainB testA testB, or train/A train/B test/A test/B."""
    train = _domains(inside, "train")
    if train is None:
        return None
    validation = (_domains(inside, split) for split in VALIDATION_SPLITS)
    return FolderLayout(train, next((pair for pair in validation if pair is not None), None))


def _domains(inside: dict[str, Path], split: str) -> tuple[Path, Path] | None:
    """The folders of A and B for a split, in either spelling."""
    for between in ("", "_", "-", " "):
        if {f"{split}{between}a", f"{split}{between}b"} <= inside.keys():
            return inside[f"{split}{between}a"], inside[f"{split}{between}b"]
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
    """Two folders of any names: horse/ zebra/, or train/horse train/zebra test/horse test/zebra."""
    if "train" in inside and not holds_images(inside["train"]):
        train = _two_with_images(inside["train"], pairs)
        if train is None:
            return None
        names = (train[0].name.casefold(), train[1].name.casefold())
        for split in VALIDATION_SPLITS:
            below = subfolders(inside[split]) if split in inside else {}
            if set(names) <= below.keys():
                return FolderLayout(train, (below[names[0]], below[names[1]]), side_names(*train))
        return FolderLayout(train, None, side_names(*train))
    if "train" in inside or holds_images(folder):
        return None
    both = _two_with_images(folder, pairs)
    return both and _pair_of_folders(*both, folder)


def _two_with_images(folder: Path, pairs: bool) -> tuple[Path, Path] | None:
    """The folders with images if there are exactly two; for pairs they must share file names."""
    filled = _with_images(folder)
    if len(filled) != 2 or (pairs and not _share_names(*filled)):
        return None
    return filled[0], filled[1]


def _with_images(folder: Path) -> list[Path]:
    """The folders in a folder that hold images, other than test/, trainA/ and the like."""
    special = re.compile(r"(train|val|valid|validation|test)([ _-]?[ab])?|a|b")
    candidates = [path for name, path in subfolders(folder).items() if not special.fullmatch(name)]
    return [path for path in candidates if holds_images_below(path)]


def _share_names(a: Path, b: Path) -> bool:
    """Whether the folders have a file name in common."""
    first, second = collect(a), collect(b)
    return not set(map(first.key, first.images)).isdisjoint(map(second.key, second.images))


def _one_collection(folder: Path, inside: dict[str, Path]) -> FolderLayout:
    """Images that hold pairs side by side, in train/ val/ test/ or directly."""
    if "train" not in inside or not holds_images_below(inside["train"]):
        return FolderLayout((folder,), None)
    filled = {s: inside[s] for s in VALIDATION_SPLITS if s in inside and holds_images_below(inside[s])}
    validation = validation_folder(filled)
    return FolderLayout((inside["train"],), (validation,) if validation else None)


# -- two folders -----------------------------------------------------------------------------


def _two_folders(a: Path, b: Path) -> FolderLayout:
    refuse_overlapping((a, b), "two folders, one for A and one for B")
    return _pair_of_folders(a, b, None)


def _pair_of_folders(a: Path, b: Path, parent: Path | None) -> FolderLayout:
    """Two folders of A and B: splits inside each, or beside them where the paths say `train`."""
    names = side_names(a, b)
    inside_a, inside_b = subfolders(a), subfolders(b)
    if "train" in inside_a and "train" in inside_b:
        train = (inside_a["train"], inside_b["train"])
        for split in VALIDATION_SPLITS:
            if split in inside_a and split in inside_b:
                return FolderLayout(train, (inside_a[split], inside_b[split]), names)
        return FolderLayout(train, None, names)
    validation = None if parent is not None else folders_beside(a, b)
    return FolderLayout((a, b), validation, names)


def folders_beside(*folders: Path) -> tuple[Path, ...] | None:
    """.../train/x -> .../val/x or .../test/x, and .../trainA -> .../testA, where all of them have it."""
    for split in VALIDATION_SPLITS:
        others = [with_split(folder, split) for folder in folders]
        found = tuple(other for other in others if other is not None and other.is_dir())
        if len(found) == len(folders):
            return found
    return None


def with_split(folder: Path, split: str) -> Path | None:
    """The path with its last component of the form train, trainA, train_x changed to another split."""
    parts = list(folder.parts)
    for index in reversed(range(len(parts))):
        match = re.fullmatch(r"train([ _-]?\w?|[ _-]\w+)", parts[index], re.IGNORECASE)
        if match:
            word = split.upper() if parts[index][:5].isupper() else split
            word = word.title() if parts[index][:5].istitle() else word
            return Path(*parts[:index], word + match[1], *parts[index + 1 :])
    return None


def side_names(a: Path, b: Path) -> tuple[str, str] | None:
    """The names of two folders, where they differ: horse/train and zebra/train are horse and zebra."""
    for part_a, part_b in zip(reversed(a.resolve().parts), reversed(b.resolve().parts), strict=False):
        if part_a != part_b:
            plain = all(re.fullmatch(r"[\w. -]+", part) for part in (part_a, part_b))
            return (part_a, part_b) if plain and part_a.casefold() != part_b.casefold() else None
    return None


# -- errors ----------------------------------------------------------------------------------


def _refuse_single_domain(folder: Path, inside: dict[str, Path]) -> None:
    """Raise UserError where A has no B, or B no A."""
    for prefix in ("train", "train_", "train-", ""):
        for here, missing in (("a", "b"), ("b", "a")):
            if prefix + here in inside and prefix + missing not in inside:
                present = inside[prefix + here].name
                wanted = present[:-1] + (missing.upper() if present[-1].isupper() else missing)
                raise UserError(
                    f"{folder}: found {present}/ but no {wanted}/; expected both, "
                    f"such as {present}/ and {wanted}/ side by side"
                )


def _refuse_many_domains(folder: Path, pairs: bool) -> None:
    """Raise UserError for more than two domains; pairs side by side may lie in many folders."""
    filled = [] if holds_images(folder) else _with_images(folder)
    if len(filled) > 2 and (not pairs or _share_names(filled[0], filled[1])):
        raise UserError(
            f"{folder}: found {len(filled)} folders of images ({listing(folder)}); "
            f"name the two to use, such as {filled[0]} {filled[1]}"
        )


def _not_two_collections(folder: Path, inside: dict[str, Path]) -> UserError:
    where = "in train/" if "train" in inside and not holds_images(folder) else "directly in it"
    return UserError(
        f"{folder}: found one collection of images ({where}), but two are needed; "
        f"expected {UNPAIRED_EXAMPLE}, or two folders given one after the other; "
        "for pairs side by side in one image train pix2pix"
    )


def _not_recognised(folder: Path, inside: dict[str, Path], pairs: bool) -> UserError:
    example = PAIRED_EXAMPLE if pairs else UNPAIRED_EXAMPLE
    if any(holds_images_below(path) for path in inside.values()):
        return UserError(f"{folder}: found {listing(folder)}; expected {example}")
    others = collect(folder).others
    found = f"found {len(others)} other files, e.g. {others[0].name}" if others else "it is empty"
    return UserError(f"{folder}: no images in this folder ({found}); expected {example}")
