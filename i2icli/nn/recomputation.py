"""Activation checkpointing: what a block computed is computed again in the backward pass instead of kept."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

_RECOMPUTING: ContextVar[bool] = ContextVar("recomputing", default=False)


def checkpointed(block: Callable[..., Any], *arguments: Any) -> Any:
    """What a block gives, without keeping its activations. It must draw nothing.

    Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016, https://arxiv.org/abs/1604.06174.
    """
    if torch.compiler.is_compiling():  # it decides by itself what it keeps
        return block(*arguments)
    return checkpoint(
        block, *arguments, use_reentrant=False, preserve_rng_state=False, context_fn=_both_passes
    )


def recomputing() -> bool:
    """Whether a block is being computed again: layers must leave their state as the first pass left it."""
    return _RECOMPUTING.get()


def _both_passes() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _second_pass()


@contextmanager
def _second_pass() -> Iterator[None]:
    token = _RECOMPUTING.set(True)
    try:
        yield
    finally:
        _RECOMPUTING.reset(token)
