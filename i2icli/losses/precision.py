"""Numerical precision of losses."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """x, cast to float32 if it is narrower: sums and logarithms are too imprecise in 16 bits."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
