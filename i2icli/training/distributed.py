"""Several processes: who am I, averaged gradients, and agreement between ranks."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = timedelta(hours=2)  # the others wait while rank 0 validates
BUCKET_BYTES = 32 * 2**20  # gradients sent at once: large enough for bandwidth, small enough for memory


def rank() -> int:
    """This process among all, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    """Whether this process writes files and talks to the user."""
    return rank() == 0


def launched() -> bool:
    """Whether torchrun (or --devices) started this process."""
    return "WORLD_SIZE" in os.environ and "RANK" in os.environ


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the other processes for the length of the block, if there are any."""
    if not launched():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Gradients travel by NCCL; votes and states by gloo, so that a GPU need not be waited for.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
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


def highest(vote: int) -> int:
    """The highest of all processes' votes; the same answer in all of them."""
    if world_size() == 1:
        return vote
    votes = torch.tensor(vote)
    dist.all_reduce(votes, op=dist.ReduceOp.MAX)
    return int(votes.item())


def from_main(value: Any) -> Any:
    """Rank 0's value, in every process; tensors in it on the CPU."""
    if world_size() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def gathered(value: Any) -> list[Any]:
    """Every rank's value in order on rank 0; elsewhere an empty list."""
    if world_size() == 1:
        return [value]
    values: list[Any] | None = [None] * world_size() if is_main() else None
    dist.gather_object(value, values)
    return values or []
