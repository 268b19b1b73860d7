"""The colours in which classes are displayed, in sheets, previews and `i2i info` alike."""

import colorsys
from collections.abc import Iterator
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from i2icli.classes import Colour, LabelSet
from i2icli.image.decoded import Pixels

_PLAIN: tuple[Colour, ...] = ((0, 0, 0), (255, 255, 255))  # what is no class, if no class has it
_GOLDEN = (5**0.5 - 1) / 2  # steps of this around the circle of hues stay apart however many there are
_TONES = ((0.75, 0.95), (0.55, 0.6), (0.95, 0.75))  # saturation and value, in turn


def colours_of(labels: LabelSet) -> tuple[Colour, ...]:
    """A colour for every index, the last for don't-care: (red, green, blue), no two the same.

    Classes without a colour of their own get one that follows from their index alone, unless another class
    has it.
    """
    own = [each.colour for each in labels.classes]
    taken = {colour for colour in own if colour is not None}
    found: list[Colour] = []
    for index, colour in enumerate((*own, None)):
        if colour is None:
            tried = _fixed(index) if index < len(own) else chain(_PLAIN, _fixed(index))
            colour = next(each for each in tried if each not in taken)
            taken.add(colour)
        found.append(colour)
    return tuple(found)


def in_colours(indices: Pixels, labels: LabelSet) -> NDArray[np.uint8]:
    """(H, W, 1) class indices -> (H, W, 3); what is no class has the colour of don't-care."""
    table = np.array(colours_of(labels), np.uint8)  # (L + 1, 3)
    known = np.where((indices >= 0) & (indices < len(labels.classes)), indices, len(labels.classes))
    return table[known[..., 0]]  # (H, W, 3)


def _fixed(index: int) -> Iterator[Colour]:
    """The colour of an index, then others in case it is taken."""
    for number in count(index):
        saturation, value = _TONES[number % len(_TONES)]
        red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN % 1, saturation, value)
        yield round(red * 255), round(green * 255), round(blue * 255)
