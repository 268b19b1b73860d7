"""Where and in which precision a system runs. The CUDA and MPS paths are kept this small on purpose."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from i2icli.errors import UserError
from i2icli.system import Batch


@dataclass(frozen=True)
class Placement:
    """A device, the type its heavy operations run in (None: float32 throughout), and the layout of images."""

    device: torch.device
    dtype: torch.dtype | None = None
    channels_last: bool = False

    def autocast(self) -> AbstractContextManager[object]:
        """The low-precision region of one forward pass."""
        return torch.autocast(self.device.type, self.dtype) if self.dtype else nullcontext()

    @property
    def memory_format(self) -> torch.memory_format:
        """The layout of networks and images."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def place(self, network: nn.Module) -> None:
        """Move a network here, in place."""
        network.to(device=self.device)
        if self.channels_last:
            network.to(memory_format=torch.channels_last)

    def prepare_for_inference(self, network: nn.Module) -> None:
        """Place a network that learns no more; what autocast would convert at each call, it converts once."""
        self.place(network)
        for module in network.modules():
            if self.dtype and isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                module.weight.data = module.weight.data.to(self.dtype)

    def batch(self, batch: Batch) -> Batch:
        """The same batch on this device; copies from pinned memory overlap with computing."""
        return {name: self.tensor(value) for name, value in batch.items()}

    def tensor(self, value: Tensor) -> Tensor:
        """One tensor on this device, images in the memory format of the networks."""
        value = value.to(self.device, non_blocking=True)
        return value.contiguous(memory_format=self.memory_format) if value.ndim == 4 else value


def choose_device(text: str | None) -> torch.device:
    """The device of that name, or the best there is. Raises UserError if it is not there."""
    local_rank = int(os.environ.get("LOCAL_RANK", 0))
    if text is None:
        if torch.cuda.is_available():
            return torch.device("cuda", local_rank)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(text)
    except RuntimeError:
        raise UserError(f"--device {text}: not a device; expected cuda, cuda:1, mps or cpu") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"--device {text}: this machine has {torch.cuda.device_count()} CUDA devices; try --device cpu"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("--device mps: not available on this machine; try --device cpu")
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", local_rank)
    return device


def fast_dtype(device: torch.device) -> torch.dtype | None:
    """bfloat16 where the hardware computes in it natively, else None (float32)."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else None
    return None


def peak_memory(device: torch.device) -> int:
    """Peak memory so far in bytes: of the GPU, else of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if os.uname().sysname == "Darwin" else peak * 1024
