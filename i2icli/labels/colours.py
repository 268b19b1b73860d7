"""Colours of classes, and maps in which colours are numbers."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from i2icli.classes import Colour, LabelClass, LabelSet
from i2icli.errors import UserError
from i2icli.image import FileItem, Ids
from i2icli.image.label_colours import colours_of


def coloured(classes: Iterable[LabelClass]) -> tuple[tuple[LabelClass, ...], Colour]:
    """Classes with a colour of its own each, and one for no class.

    Those without a colour, or with that of one before them, get the one in which they are displayed.
    """
    used: set[Colour] = set()
    kept = []
    for each in classes:
        kept.append(replace(each, colour=None) if each.colour in used else each)
        used |= set() if each.colour is None else {each.colour}
    *colours, unlabelled = colours_of(LabelSet(tuple(kept)))
    found = (replace(each, colour=colour) for each, colour in zip(kept, colours, strict=True))
    return tuple(found), unlabelled


def numbers_of_colours(path: Path) -> Ids:
    """A PNG file -> (H, W): red + 256 green + 65536 blue. Raises UserError for other kinds of images."""
    found = FileItem(path).read_map()
    if not found.coloured:
        raise UserError(f"cannot read {path}: expected a PNG of three colours of 8 bit", exit_code=1)
    return found.ids
