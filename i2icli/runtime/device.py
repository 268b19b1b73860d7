"""Device, precision and memory layout of a system. The CUDA and MPS paths are deliberately small."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from i2icli.errors import UserError
from i2icli.machine import total_memory
from i2icli.nn.spectral_norm import fold_spectral_norms
from i2icli.system import Batch


@dataclass(frozen=True)
class Placement:
    """A device, the autocast dtype (None: float32 throughout), and the memory format."""

    device: torch.device
    dtype: torch.dtype | None = None
    channels_last: bool = False

    def autocast(self) -> AbstractContextManager[object]:
        """The autocast context of one forward pass."""
        return torch.autocast(self.device.type, self.dtype) if self.dtype else nullcontext()

    @property
    def memory_format(self) -> torch.memory_format:
        """The memory format of networks and images."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def place(self, network: nn.Module) -> None:
        """Move a network to the device and memory format, in place."""
        network.to(device=self.device)
        if self.channels_last:
            network.to(memory_format=torch.channels_last)

    def prepare_for_inference(self, network: nn.Module) -> None:
        """Place a network for inference; weights that autocast would convert per call are converted once.

        So are those that spectral norms would divide per call.
        """
        fold_spectral_norms(network)
        self.place(network)
        for module in network.modules():
            if self.dtype and isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                module.weight.data = module.weight.data.to(self.dtype)

    def batch(self, batch: Batch) -> Batch:
        """The batch on this device; copies from pinned memory overlap with computation."""
        return {name: self.tensor(value) for name, value in batch.items()}

    def tensor(self, value: Tensor) -> Tensor:
        """A tensor on this device, images in the memory format of the networks."""
        value = value.to(self.device, non_blocking=True)
        return value.contiguous(memory_format=self.memory_format) if value.ndim == 4 else value


def choose_device(text: str | None) -> torch.device:
    """The device of that name, or the best available; of several processes each gets a GPU of its own.

    Raises UserError if it is not available.
    """
    if text is None:
        text = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(text)
    except RuntimeError:
        raise UserError(f"--device {text}: not a device; expected cuda, cuda:1, mps or cpu") from None
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("--device mps: not available on this machine; try --device cpu")
    return _gpu(text, device) if device.type == "cuda" else device


def _gpu(text: str, device: torch.device) -> torch.device:
    local_rank, processes = (int(os.environ.get(name, 0)) for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE"))
    count = torch.cuda.device_count()
    index = local_rank if device.index is None else device.index
    if count and local_rank >= count:
        raise UserError(f"{processes} processes need as many GPUs, but {count} found; try fewer --devices")
    if index >= count:
        found = f"only {count} CUDA device{'s' * (count > 1)} found" if count else "no CUDA device found"
        raise UserError(f"--device {text}: {found}; try --device {'cuda:0' if count else 'cpu'}")
    if processes > 1 and device.index is not None:
        raise UserError(f"--device {text}: {processes} processes cannot share a GPU; try --device cuda")
    return torch.device("cuda", index)


def fast_dtype(device: torch.device) -> torch.dtype | None:
    """bfloat16 where the hardware supports it natively, otherwise None (float32)."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else None
    return None


def peak_memory(device: torch.device) -> int:
    """Peak memory so far in bytes: of the GPU, otherwise of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if os.uname().sysname == "Darwin" else peak * 1024


def device_memory(device: torch.device) -> int | None:
    """Bytes of memory of a device, for a processor of this machine; None where that is not known."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return total_memory()
