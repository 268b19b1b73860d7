"""Sample sheets as they are embedded into a page that is written again and again: small, and kept."""

import io
from functools import lru_cache
from pathlib import Path

from PIL import Image

EXACT_BYTES = 2_000_000  # of a file that is embedded as it is
LONGEST = 2048  # pixels: longer side of an image that is compressed
QUALITY = 85
PNG = b"\x89PNG\r\n\x1a\n"  # what such a file begins with
KEPT = 64  # images, of some 100 kB each


def embedded(path: Path, *, exact: bool) -> bytes:
    """A PNG file for a page: as it is, if `exact` and not too large, else compressed and at most LONGEST
    pixels long. What was compressed before is kept for as long as the file stays the same. Raises OSError for
    what is no image.
    """
    about = path.stat()
    if exact and about.st_size <= EXACT_BYTES and (data := path.read_bytes()).startswith(PNG):
        return data
    return _compressed(path, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=KEPT)
def _compressed(path: Path, _size: int, _changed: int) -> bytes:
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.thumbnail((LONGEST, LONGEST))
    data = io.BytesIO()
    image.save(data, "WEBP", quality=QUALITY, method=2)
    return data.getvalue()
