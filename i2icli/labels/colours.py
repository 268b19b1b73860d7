"""Colours of classes: those of maps as numbers, and new ones for classes that have none."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from i2icli.classes import Colour, LabelClass
from i2icli.errors import UserError
from i2icli.image import FileItem, Ids

UNLABELLED_COLOUR: Colour = (224, 224, 192)  # that of borders in Pascal VOC


def numbered_colour(number: int) -> Colour:
    """The colour of a number in the palette of Pascal VOC: its bits are dealt to red, green, blue in turn.

    The first bits become the highest, so that colours of small numbers differ most.
    """
    channels = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            channels[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
    red, green, blue = channels
    return red, green, blue


def coloured(classes: Iterable[LabelClass]) -> tuple[LabelClass, ...]:
    """Classes with a colour of its own each: those without one, or with that of another, get one."""
    every = tuple(classes)
    used: set[Colour] = {UNLABELLED_COLOUR}
    kept: list[LabelClass] = []
    for each in every:
        fresh = each.colour is not None and each.colour not in used
        used |= {each.colour} if each.colour is not None else set()
        kept.append(each if fresh else replace(each, colour=None))
    for index, each in enumerate(kept):
        if each.colour is None:
            number = each.id + 1  # not 0, which is black
            while (colour := numbered_colour(number)) in used:
                number += 1
            used.add(colour)
            kept[index] = replace(each, colour=colour)
    return tuple(kept)


def numbers_of_colours(path: Path) -> Ids:
    """A PNG file -> (H, W): red + 256 green + 65536 blue. Raises UserError for other kinds of images."""
    image = FileItem(path).read()
    if image.pixels.shape[2] != 3 or image.pixels.dtype != np.uint8 or not image.lossless:
        raise UserError(f"cannot read {path}: expected a PNG of three colours of 8 bit")
    red, green, blue = np.moveaxis(image.pixels.astype(np.int32), -1, 0)
    numbers: Ids = red + 256 * green + 65536 * blue
    return numbers
