"""RAFT (Teed and Deng, ECCV 2020, https://arxiv.org/abs/2003.12039), as torchvision has it."""

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from i2icli.errors import UserError
from i2icli.flow.teachers import padded
from i2icli.flow.warp import Flow, Frame

FILES = ("raft_large_C_T_SKHT_V2-ff5fadd5.pth", "raft_small_C_T_V2-01064c6d.pth")
"""As torchvision publishes them, the better one first; the digits begin their SHA-256."""

_MULTIPLE, _LEAST = 8, 128  # pixels: features are an eighth of a frame, their correlations an eighth of that


class Raft:
    """The large or the small network, whichever the weights are of."""

    def __init__(self, weights: Path | None, device: str) -> None:
        """weights: a file; None: what torchvision's cache has. Raises UserError as `teacher`."""
        self.network = _network(weights or _cached()).eval().requires_grad_(False).to(device)
        self.device = device

    def __call__(self, current: Frame, previous: Frame) -> Flow:
        """See `Teacher`."""
        height, width = current.shape[:2]
        with torch.inference_mode():
            found = self.network(self._tensor(current), self._tensor(previous))[-1]  # (1, 2, h, w)
        flow = found[0].permute(1, 2, 0)[:height, :width].float().cpu().numpy()
        return np.ascontiguousarray(flow, np.float32)

    def _tensor(self, frame: Frame) -> Tensor:
        """(H, W, 3) -> (1, 3, h, w) in [-1, 1], padded."""
        pixels = padded(frame, _LEAST, _MULTIPLE)
        return torch.from_numpy(pixels).to(self.device).permute(2, 0, 1)[None].float() / 127.5 - 1


def _cached() -> Path:
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    found = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if found is None:
        raise UserError(
            f"RAFT's weights are not in {folder}; put {FILES[0]} of torchvision there (or set TORCH_HOME), "
            "name the file with --flow-weights, or use --flow-teacher dis, which needs none"
        )
    return found


def _network(path: Path) -> nn.Module:
    state = _state(path)
    from torchvision.models.optical_flow import raft_large, raft_small  # type: ignore[import-untyped]

    for build in (raft_large, raft_small):
        with torch.device("meta"):  # so a hostile file cannot ask for memory
            network: nn.Module = build()
        own = network.state_dict()
        if state.keys() == own.keys() and all(state[name].shape == own[name].shape for name in own):
            network.load_state_dict(state, assign=True)
            return network
    raise UserError(f"{path}: not the weights of torchvision's RAFT; expected {FILES[0]} or {FILES[1]}")


def _state(path: Path) -> dict[str, Tensor]:
    """The tensors of a file; nothing else in it is read. Raises UserError."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected the weights of RAFT, {FILES[0]}")
    digits = re.search(r"-([0-9a-f]{8})\.pth$", path.name)
    if path.name in FILES and digits:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not found.startswith(digits[1]):
            raise UserError(f"{path}: damaged: its SHA-256 begins with {found[:8]}; get the file again")
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # hostile files find every way to fail
        raise UserError(
            f"{path}: not a readable file of weights; expected {FILES[0]} of torchvision"
        ) from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{path}: not the weights of torchvision's RAFT; expected {FILES[0]}")
    return state
