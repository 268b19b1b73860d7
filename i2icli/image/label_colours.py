"""Label maps in the colours of their classes."""

import numpy as np
from numpy.typing import NDArray

from i2icli.classes import LabelSet
from i2icli.image.decoded import Pixels


def in_colours(indices: Pixels, labels: LabelSet) -> NDArray[np.uint8]:
    """(H, W, 1) class indices -> (H, W, 3); what is no class has the colour of don't-care."""
    table = np.array(labels.colours, np.uint8)  # (L + 1, 3)
    known = np.where((indices >= 0) & (indices < len(labels.classes)), indices, len(labels.classes))
    return table[known[..., 0]]  # (H, W, 3)
