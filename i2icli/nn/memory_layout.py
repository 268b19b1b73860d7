"""How features lie in memory where a network may choose: plane by plane, or channels last."""

import torch
from torch import Tensor

LARGE = 1024  # pixels from which the layout is worth more than that of the weight


def laid_out(x: Tensor, weight: Tensor) -> Tensor:
    """Features (B, C, H, W) in the layout in which convolutions by this weight are fastest.

    That of the weight; but on a CPU channels last if they have many pixels, though every call then copies the
    weight. Measured by benchmarks/speed/spade_step.py.
    """
    if torch.compiler.is_exporting():  # whoever runs the graph decides
        return x
    large = x.device.type == "cpu" and x.shape[2] * x.shape[3] >= LARGE
    channels_last = large or not weight.is_contiguous()
    return x.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
