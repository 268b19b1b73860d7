"""--precision auto: low precision where the hardware supports it and the networks are large enough."""

from collections.abc import Iterable
from statistics import median

import torch
from torch import nn

from i2icli.logs import LOG
from i2icli.runtime.device import Placement, fast_dtype

DTYPES = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
WORTHWHILE = (
    512  # products summed per value of the median convolution; measured by benchmarks/speed/precision.py
)


def choose_placement(device: torch.device, precision: str, networks: Iterable[nn.Module]) -> Placement:
    """The placement for a given precision, or the fastest safe one for these networks (`auto`).

    Channels-last goes with low precision: tensor cores need it, and it is faster on a CPU, too. The choice
    depends on hardware and networks alone, never on timing, so that runs are reproducible.
    """
    auto = precision == "auto"
    if device.type == "cuda":  # TF32 rounds inputs to 10 bits: fine for auto, not for fp32
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = auto
        torch.backends.cudnn.benchmark = True  # training crops have a fixed size
    if auto:
        worthwhile = device.type == "cuda" or products_per_value(networks) >= WORTHWHILE
        dtype = fast_dtype(device) if worthwhile else None
    else:
        dtype = DTYPES[precision]
    LOG.info("computing on %s in %s (--precision %s)", device, dtype_name(dtype), precision)
    return Placement(device, dtype, channels_last=dtype is not None)


def products_per_value(networks: Iterable[nn.Module]) -> float:
    """Median over the convolutions of input channels x kernel area: products per converted value."""
    convolutions = (weight for network in networks for weight in network.parameters() if weight.ndim == 4)
    return median([weight[0].numel() for weight in convolutions] or [0])


def dtype_name(dtype: torch.dtype | None) -> str:
    """The --precision value for a dtype."""
    return next(name for name, each in DTYPES.items() if each is dtype)
