"""The paper's schedule of gradient descent: momentum grows and the learning rate falls, epoch by epoch."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor
from torch.optim import SGD, Optimizer

LOWEST_LR = 1e-6
MOMENTUM_STEP = 0.0008  # per epoch


def momentum_at(epoch: int, start: float, most: float) -> float:
    """The momentum in an epoch, counted from 0. Denton et al., NIPS 2015, section 3.3."""
    return min(start + MOMENTUM_STEP * epoch, max(start, most))


def lr_at(epoch: int, start: float, divisor: float) -> float:
    """The learning rate in an epoch, counted from 0: divided each time, down to 1e-6."""
    return max(start / divisor**epoch, min(start, LOWEST_LR))


def momentum_descent(weights: Iterable[Tensor], lr: float, momentum: Callable[[], float]) -> SGD:
    """Gradient descent whose momentum is asked for anew at every step.

    As in Torch7, which the authors used, a gradient enters the average with weight 1 - momentum.
    """
    optimizer = SGD(weights, lr=lr, momentum=momentum(), dampening=momentum())

    def ask(asking: Optimizer, *_: Any) -> None:
        for group in asking.param_groups:
            group["momentum"] = group["dampening"] = momentum()

    optimizer.register_step_pre_hook(ask)
    return optimizer
