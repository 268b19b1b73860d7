"""Memory that ran out: recognised on every device, and said in words that help."""

import torch

from i2icli.errors import UserError
from i2icli.system import Batch


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on whichever device."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def training_out_of_memory(batch: Batch, stage: str) -> UserError:
    """The error that says at which size and batch it happened and what to lower."""
    shapes = ", ".join(
        f"{name} {image.shape[-1]}x{image.shape[-2]} px" for name, image in batch.items() if image.ndim >= 4
    )
    size = len(next(iter(batch.values())))
    smaller = f"--batch-size {size // 2} --accumulate 2, " if size > 1 else ""
    return UserError(
        f"out of memory in stage {stage} at batch size {size} ({shapes}); "
        f"try {smaller}a smaller --crop-size, a smaller --width, or --precision bf16",
        exit_code=1,
    )
