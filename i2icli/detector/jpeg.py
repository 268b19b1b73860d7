"""The JPEG quality of a file, from its quantisation tables."""

from pathlib import Path

import numpy as np
from PIL import Image

# Luminance quantisation at quality 50, ITU-T T.81, table K.1.
_STANDARD = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def jpeg_quality(path: Path) -> int | None:
    """The quality (1 to 100) whose standard luminance table is nearest; None for files other than JPEG."""
    try:
        with Image.open(path, formats=("JPEG",)) as image:
            tables = getattr(image, "quantization", None) or {}
            table = np.array(tables[min(tables)], float) if tables else None
    except (OSError, ValueError, SyntaxError, KeyError):
        return None
    if table is None or table.size != _STANDARD.size:
        return None
    # Each entry is standard * scale / 100, rounded; sums do not depend on the order of the entries.
    scale = 100 * float(table.sum()) / float(_STANDARD.sum())
    quality = 100 - scale / 2 if scale <= 100 else 5000 / scale
    return int(np.clip(round(quality), 1, 100))
