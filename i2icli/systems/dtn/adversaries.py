"""The adversarial losses of D and g of DTN, from D's logits. Means run over the images."""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from i2icli.losses.precision import at_least_float32

Losses = dict[str, Tensor]
Sides = dict[str, Tensor]
"""By side: what belongs to the source, what to the target."""

FAKE_OF = {"source": 0, "target": 1}  # D1 and D2 of the paper: kinds of fakes
REAL = 2  # D3


class Adversaries(Protocol):
    """Both players. Losses are scalars by name, unweighted."""

    def critic(self, fakes: Sides, real: Tensor | None) -> Losses:
        """D's losses on fakes by side, and on real target images where the target takes part."""

    def generator(self, fakes: Sides) -> Losses:
        """g's losses on fakes by side."""


class Ternary:
    """A softmax over fakes from the source, fakes from the target, and real target images, (B, 3)."""

    def critic(self, fakes: Sides, real: Tensor | None) -> Losses:
        """L_D, Eq. (3)."""
        losses = {f"fake_{side}": _as_kind(logits, FAKE_OF[side]) for side, logits in fakes.items()}
        return losses | ({} if real is None else {"real": _as_kind(real, REAL)})

    def generator(self, fakes: Sides) -> Losses:
        """L_GANG, Eq. (4): every fake should pass for a real one."""
        return {f"gan_{side}": _as_kind(logits, REAL) for side, logits in fakes.items()}


class Binary:
    """One logit, (B, 1), high for real: the simplified losses of the public code."""

    def critic(self, fakes: Sides, real: Tensor | None) -> Losses:
        """Cross entropy: fakes of both sides against real images."""
        losses = {f"fake_{side}": softplus(at_least_float32(logits)).mean() for side, logits in fakes.items()}
        return losses | ({} if real is None else {"real": softplus(-at_least_float32(real)).mean()})

    def generator(self, fakes: Sides) -> Losses:
        """The non-saturating other side."""
        return {f"gan_{side}": softplus(-at_least_float32(logits)).mean() for side, logits in fakes.items()}


def _as_kind(logits: Tensor, kind: int) -> Tensor:
    """-log of the probability of one kind; logits: (B, 3)."""
    kinds = torch.full((len(logits),), kind, device=logits.device)  # (B,)
    return cross_entropy(at_least_float32(logits), kinds)
