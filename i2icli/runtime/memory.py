"""Out-of-memory errors: detected on every device, and reported with advice."""

import errno

import torch

from i2icli.errors import UserError
from i2icli.stage import Stage
from i2icli.system import Batch

_WORDS = ("can't allocate memory", "out of memory", "ALLOC_FAILED")  # the CPU; MPS, CUDA; cuBLAS, cuDNN


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error is an out-of-memory error of any device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return any(words in str(error) for words in _WORDS)


def training_out_of_memory(
    batch: Batch,
    stage: Stage,
    before: Stage | None = None,
    *,
    by_resolution: bool = False,
    low_precision: bool = False,
) -> UserError:
    """The error with the image size and batch size at which it happened, and what to reduce.

    before: the last completed stage, whose model is kept; by_resolution: whether there is --batch-sizes;
    low_precision: whether it computes in 16 bits already.
    """
    shapes = ", ".join(
        f"{name} {image.shape[-1]}x{image.shape[-2]} px" for name, image in batch.items() if image.ndim >= 4
    )
    size = len(next(iter(batch.values())))
    smaller = f"--batch-size {size // 2} --accumulate 2"
    if by_resolution:
        smaller = f"--batch-sizes {stage.resolution}:{size // 2}"
    ways = ["a smaller --crop-size", "a smaller --width", *([] if low_precision else ["--precision bf16"])]
    kept = ""
    if before is not None:
        kept = f"the model of stage {before.name} is saved in the run folder and usable; "
        smaller = smaller if by_resolution else ""  # the batch size of a run cannot be changed
        stop = "stop there"
        if before.resolution not in (None, stage.resolution):
            stop += f" with --to {before.resolution}"
        ways = [*ways[2:], "more --devices", stop]
    ways = [smaller, *ways] if size > 1 and smaller else ways
    return UserError(
        f"out of memory in stage {stage.name} at batch size {size} ({shapes}); "
        f"{kept}try {', '.join(ways[:-1])} or {ways[-1]}",
        exit_code=1,
    )
