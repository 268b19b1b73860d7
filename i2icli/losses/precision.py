"""Where losses leave half precision."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """x itself, or as float32 where it is narrower: sums and logarithms lose too much in 16 bits."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
