"""The classes of toy landscapes, and their colours in label maps."""

from enum import IntEnum

import numpy as np


class Part(IntEnum):
    """The class of a pixel."""

    SKY = 0
    SUN = 1
    CLOUD = 2
    FAR_HILL = 3
    NEAR_HILL = 4
    GRASS = 5
    WATER = 6
    PATH = 7
    PLASTER = 8
    BRICK = 9
    TILES = 10
    SLATE = 11
    WINDOW = 12
    DOOR = 13
    TRUNK = 14
    LEAVES = 15
    NEEDLES = 16


COLOURS = np.array(
    [
        (70, 130, 220),
        (255, 230, 0),
        (240, 240, 240),
        (120, 110, 200),
        (0, 150, 140),
        (110, 200, 60),
        (0, 190, 255),
        (220, 180, 120),
        (255, 200, 190),
        (190, 60, 50),
        (255, 110, 0),
        (90, 90, 110),
        (0, 0, 160),
        (130, 0, 90),
        (100, 50, 0),
        (0, 110, 0),
        (0, 60, 60),
    ],
    np.uint8,
)
"""(L, 3): the colour of each class in a label map, distinct enough to survive JPEG."""
