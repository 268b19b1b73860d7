"""How image files are read where they leave it open: pages, channels, what lies under transparency.

No torch here.
"""

import re
from dataclasses import dataclass

Colour = tuple[int, int, int]
"""(red, green, blue), 0 to 255."""

PAGES_AS_CHANNELS, PAGES_AS_IMAGES = "channels", "images"
EXPECTED_PAGES = "expected channels, images or the number of a page, counted from 1"
EXPECTED_BACKGROUND = "expected white, black, none or RED,GREEN,BLUE of 0 to 255"
LARGEST_PAGE = 10**9

NAMED: dict[str, Colour | None] = {"white": (255, 255, 255), "black": (0, 0, 0), "none": None}
"""What `--background` may be called."""
_COLOUR = re.compile(r"\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*")


@dataclass(frozen=True)
class Reading:
    """How an image is read from a file, bytes or an array; by default as it is found."""

    pages: str | None = None  # of a file with several: channels, images, or the number of one, from 1
    channels: int | None = None  # if transparency makes up this number, it is read as one of them
    alpha: bool = False  # whether the last of the channels is transparency: opaque where there is none
    background: Colour | None = None  # what lies under transparency; None: nothing, its colours count
    channels_first: bool | None = None  # of arrays and .npy: (C, H, W); None: (H, W, C) unless in doubt

    @property
    def page(self) -> int | None:
        """The number of the page that is read, from 1."""
        return int(self.pages) if self.pages is not None and self.pages.isdecimal() else None


AS_FOUND = Reading()


def parse_pages(value: object) -> object:
    """The setting `pages` as it is kept. Raises ValueError saying what is expected."""
    if value is None:
        return None
    text = str(value).strip().casefold()
    if text in (PAGES_AS_CHANNELS, PAGES_AS_IMAGES):
        return text
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= LARGEST_PAGE:
        return str(int(text))
    raise ValueError(EXPECTED_PAGES)


def parse_background(value: object) -> object:
    """The setting `background` as it is kept. Raises ValueError saying what is expected."""
    if isinstance(value, tuple | list):
        value = ",".join(map(str, value))
    text = "none" if value is None else str(value).strip().casefold()
    if text in NAMED:
        return text
    match = _COLOUR.fullmatch(text)
    if match is None or max(map(int, match.groups())) > 255:
        raise ValueError(EXPECTED_BACKGROUND)
    return ",".join(str(int(part)) for part in match.groups())


def colour_of(background: str) -> Colour | None:
    """The colour that the setting `background` names; None for none."""
    if background in NAMED:
        return NAMED[background]
    red, green, blue = map(int, background.split(","))
    return red, green, blue
