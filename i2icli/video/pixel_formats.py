"""What the names of ffmpeg's pixel formats say, asked from the binary once."""

import re
from functools import lru_cache

from i2icli.video.ffmpeg import ask


@lru_cache(maxsize=1)
def known() -> dict[str, tuple[int, int]]:
    """name -> (number of channels, bits of the deepest)."""
    _, text, _ = ask(["-pix_fmts"])
    pattern = r"^[I.][O.][H.][P.][B.] (\w+)\s+(\d+)\s+\d+\s+([\d-]+)$"
    return {
        name: (int(channels), max(int(each) for each in depths.split("-")))
        for name, channels, depths in re.findall(pattern, text, re.MULTILINE)
    }


def bits_of(name: str) -> int:
    """The bits of a channel, at most 16; 8 for unknown names."""
    return min(16, known().get(name, (3, 8))[1])


def has_alpha(name: str) -> bool:
    """Whether a pixel format has an alpha channel (palettes may)."""
    return name == "pal8" or known().get(name, (3, 8))[0] in (2, 4)
