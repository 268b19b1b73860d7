"""Annotations become a folder to train from: labels/, instances/, classes.toml, and images/ if wanted."""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from errno import ENOSPC
from pathlib import Path

import numpy as np

from i2icli.classes import LabelClass
from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.labels.annotations import UNLABELLED, Annotations, Drawn, Entry, Failure, unique_names
from i2icli.labels.colours import coloured
from i2icli.labels.files import unlabelled_id, write_16_bit_map, write_classes, write_palette_map
from i2icli.labels.names import Photos
from i2icli.written import counted

LABELS, INSTANCES, IMAGES, CLASSES = "labels", "instances", "images", "classes.toml"
_EIGHT_BIT = 255


@dataclass(frozen=True)
class Converted:
    """What became of one image."""

    source: str
    error: str | None = None


class Conversion:
    """Writes the maps of annotations as it is iterated, and then the list of classes."""

    def __init__(self, annotations: Annotations, out: Path, photos: Photos | None = None) -> None:
        """photos: to be linked beside the maps; copied where the disk cannot link.

        Raises UserError for classes that share an id.
        """
        self.out, self.photos = out, photos
        self.found_only = annotations.classes is None
        classes = annotations.classes
        if classes is None:  # ids of 8 bit, of which only those are kept that occur
            colours = dict(enumerate(annotations.palette))
            classes = tuple(
                LabelClass(number, str(number), colours.get(number)) for number in range(_EIGHT_BIT)
            )
        self.classes, unlabelled_colour = coloured(distinct(each for each in classes if each.id >= 0))
        self.unlabelled = unlabelled_id(self.classes)
        self.ignore = annotations.ignore
        self.pixels: Counter[int] = Counter()  # by the id of a class
        self.left_out: Counter[str] = Counter()
        self.written: set[Path] = set()  # label maps
        self.without_photo = 0
        self.failures = annotations.failures
        self.entries = annotations.entries
        self._known = np.array([UNLABELLED, *(each.id for each in self.classes)])
        self._colours = {each.id: each.colour for each in self.classes if each.colour}
        self._colours[self.unlabelled] = unlabelled_colour

    def __len__(self) -> int:
        return len(self.failures) + len(self.entries)

    @property
    def others_there(self) -> int:
        """Label maps in the folder that are not results of this conversion; known at the end."""
        there = {file for file in (self.out / LABELS).rglob("*") if file.is_file()}
        return len(there - self.written)

    @property
    def unlabelled_share(self) -> float:
        """Of the pixels written so far, those of no class."""
        return self.pixels[UNLABELLED] / max(1, self.pixels.total())

    def __iter__(self) -> Iterator[Converted]:
        for each in (*self.failures, *unique_names(self.entries)):
            if isinstance(each, Failure):
                yield Converted(each.source, each.reason)
                continue
            try:
                self._convert(each)
            except UserError as error:
                yield Converted(each.source, str(error))
            except OSError as error:
                if error.errno == ENOSPC:
                    raise
                yield Converted(each.source, f"its results cannot be written: {error.strerror}")
            except MemoryError:
                yield Converted(each.source, "not enough memory for its shapes")
            else:
                yield Converted(each.source)
        if self.found_only:
            self.classes = tuple(each for each in self.classes if self.pixels[each.id])
        if self.pixels:
            write_classes(self.out / CLASSES, self.classes, (self.unlabelled, *self.ignore))

    def _convert(self, entry: Entry) -> None:
        drawn = entry.read()
        self._check(drawn)
        name = f"{entry.name}.png"
        ids = np.where(drawn.ids == UNLABELLED, self.unlabelled, drawn.ids)
        if self.unlabelled == _EIGHT_BIT:
            write_palette_map(self.out / LABELS / name, ids, self._colours)
        else:
            write_16_bit_map(self.out / LABELS / name, ids)
        self.written.add(self.out / LABELS / name)
        if drawn.instances is not None:
            write_16_bit_map(self.out / INSTANCES / name, drawn.instances)
        if self.photos is not None:
            self._link(entry)
        numbers, pixels = np.unique(drawn.ids, return_counts=True)
        self.pixels.update(dict(zip(numbers.tolist(), pixels.tolist(), strict=True)))
        self.left_out.update(drawn.left_out)

    def _check(self, drawn: Drawn) -> None:
        """Raises UserError for ids that are those of no class."""
        unknown = np.setdiff1d(drawn.ids, self._known)
        if len(unknown):
            raise UserError(f"class {unknown[0]} is unknown ({counted(len(self.classes), 'class')} in all)")

    def _link(self, entry: Entry) -> None:
        photo = self.photos.find(entry.name) if self.photos else None
        if photo is None:
            self.without_photo += 1
            return
        target = self.out / IMAGES / f"{entry.name}{photo.suffix.lower()}"
        if target.exists() and target.samefile(photo):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(photo.resolve())
        except OSError:  # another disk, or one that knows no links
            with atomic_write(target) as temporary:
                shutil.copyfile(photo, temporary)


def check_out(source: Path, out: Path, photos: Path | None, *, overwrite: bool) -> None:
    """Raise UserError if results, or links to photos, would replace something that may not be replaced."""
    if out.resolve() in source.resolve().parents or out.resolve() == source.resolve():
        raise UserError(
            f"--out {out}: {source} lies in it, which results could replace; choose another folder"
        )
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; choose a folder for the results")
    linked = photos is not None and photos.resolve() != (out / IMAGES).resolve()
    for name in (LABELS, INSTANCES, CLASSES, *([IMAGES] if linked else [])):
        if os.path.lexists(out / name) and not overwrite:
            raise UserError(f"{out / name} exists already; choose another --out, or add --overwrite")


def distinct(given: Iterable[LabelClass]) -> tuple[LabelClass, ...]:
    """Classes with names that differ: of two of one name the second gets its id added.

    Raises UserError if two have one id.
    """
    classes = tuple(given)
    ids = Counter(each.id for each in classes)
    twice = [number for number, count in ids.items() if count > 1]
    if twice:
        raise UserError(f"two classes have the id {twice[0]}")
    names: set[str] = set()
    found = []
    for each in classes:
        if each.name.casefold() in names:
            each = replace(each, name=f"{each.name} ({each.id})")
        names.add(each.name.casefold())
        found.append(each)
    return tuple(found)
