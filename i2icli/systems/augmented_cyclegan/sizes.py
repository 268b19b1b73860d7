"""How networks made for 64 px take other sizes."""

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d


def at_least(x: Tensor, side: int) -> Tensor:
    """x: (B, C, h, w) -> the same, or where a side is shorter, that one stretched by repeating pixels."""
    height, width = x.shape[-2:]
    if min(height, width) >= side:
        return x
    return adaptive_avg_pool2d(x, (max(height, side), max(width, side)))


def exactly(x: Tensor, side: int) -> Tensor:
    """x: (B, C, h, w) -> (B, C, side, side), averaged or repeated; x itself where it has that size."""
    return x if x.shape[-2:] == (side, side) else adaptive_avg_pool2d(x, (side, side))
