"""Distributed training: ranks, gradient averaging and collectives."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from i2icli.training.orphans import end_with_parent

TIMEOUT = timedelta(hours=2)  # the other ranks wait while rank 0 validates
BUCKET_BYTES = 32 * 2**20  # gradients reduced at once: large enough for bandwidth, small enough for memory


def rank() -> int:
    """The rank of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """The number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    """Whether this process (rank 0) writes files and reports to the user."""
    return rank() == 0


def launched() -> bool:
    """Whether torchrun (or --devices) started this process."""
    return "WORLD_SIZE" in os.environ and "RANK" in os.environ


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Inside the block this process belongs to the process group, if it was launched as one of several."""
    if not launched():
        yield
        return
    end_with_parent()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # NCCL for gradients; gloo for control messages and states, which need no GPU synchronisation.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=TIMEOUT)
    try:
        yield
    finally:
        dist.destroy_process_group()


def average_gradients(weights: Iterable[Tensor]) -> None:
    """Replace every gradient by its mean over all processes, in buckets."""
    if world_size() == 1:
        return
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    for bucket in _buckets(gradients):
        flat = torch.cat([gradient.reshape(-1) for gradient in bucket])
        dist.all_reduce(flat)
        flat /= world_size()
        means = torch.split(flat, [gradient.numel() for gradient in bucket])
        for gradient, mean in zip(bucket, means, strict=True):
            gradient.copy_(mean.view_as(gradient))


def _buckets(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    size = 0
    for gradient in gradients:
        bucket.append(gradient)
        size += gradient.numel() * gradient.element_size()
        if size >= BUCKET_BYTES:
            yield bucket
            bucket, size = [], 0
    if bucket:
        yield bucket


def all_reduce_max(value: int) -> int:
    """The maximum over all processes, in every process."""
    if world_size() == 1:
        return value
    reduced = torch.tensor(value)
    dist.all_reduce(reduced, op=dist.ReduceOp.MAX)
    return int(reduced.item())


def broadcast_from_main(value: Any) -> Any:
    """Rank 0's value in every process, with its tensors on the CPU."""
    if world_size() == 1:
        return value
    objects = [value]
    dist.broadcast_object_list(objects, src=0)
    return objects[0]


def gather_on_main(value: Any) -> list[Any]:
    """The values of all ranks, in order, on rank 0; an empty list on all others."""
    if world_size() == 1:
        return [value]
    values: list[Any] | None = [None] * world_size() if is_main() else None
    dist.gather_object(value, values)
    return values or []
