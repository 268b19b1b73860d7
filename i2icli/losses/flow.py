"""Losses on optical flow and on frames that it moves.

Wang et al., "Video-to-Video Synthesis", NeurIPS 2018, section 3.2, Eq. (7), https://arxiv.org/abs/1808.06601.
"""

from torch import Tensor
from torch.nn.functional import l1_loss

from i2icli.losses.precision import at_least_float32


def masked_l1(found: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """Mean of |found - wanted| where the mask is 1, over all pixels: those where it is 0 count as equal.

    found, wanted: (B, C, H, W), mask: (B, 1, H, W). A scalar, at least float32. So a pair of frames of which
    little can be known weighs little, as in the authors' code.
    """
    mask = at_least_float32(mask)
    return l1_loss(at_least_float32(found) * mask, at_least_float32(wanted) * mask)
