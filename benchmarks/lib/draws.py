"""Random draws that are the same on every device, so that its results can be compared with the CPU's."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout
from torch.overrides import TorchFunctionMode

FACTORIES = (torch.rand, torch.randn, torch.randint, torch.randperm)


class DrawnOnCPU(TorchFunctionMode):
    """Inside the block numbers are drawn by the CPU's generator, in float32, and then moved.

    Every device has a generator of its own, with another sequence for the same seed; and dropout draws in
    another order in each kernel.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """See TorchFunctionMode."""
        named = dict(kwargs or {})
        if func in FACTORIES and "device" in named:
            device = named.pop("device")
            return func(*args, **named).to(device)
        if func is torch.randn_like:
            return torch.randn(args[0].shape).to(args[0])
        if func is dropout:
            return _dropped(*args, **named)
        return func(*args, **named)


def _dropped(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:  # noqa: ARG001
    if not training or p == 0:
        return x
    return x * ((torch.rand(x.shape) >= p) / (1 - p)).to(x)
