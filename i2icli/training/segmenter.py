"""The segmentation network that scores photos which were generated from label maps.

It is trained on the real photos and label maps of a run, photo -> label map, and asked whether it finds in
generated photos what their label maps say. With other networks: Isola et al., CVPR 2017, section 4.1; Park et
al., "Semantic Image Synthesis with Spatially-Adaptive Normalization", CVPR 2019, section 4,
https://arxiv.org/abs/1903.07291.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.nn.functional import cross_entropy

from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.nn.segmentation import SegmentationNetwork
from i2icli.system import Batch

KEY = "i2icli.segmenter"  # of the description in the header of its file
LR, FLAT = 4e-3, 0.5  # learning rate of Adam, and the fraction of the steps after which it falls to zero
LATEST = 50  # steps over which the accuracy is averaged that is reported


class SegmenterInfo(BaseModel):
    """What a segmentation network was trained for. The JSON under `KEY` in its file."""

    model_config = ConfigDict(frozen=True)

    classes: tuple[str, ...]  # as texts, see `LabelClass`, by index
    channels: int = Field(ge=1, le=1024)  # of the photos
    size: tuple[int, int]  # (height, width) of the training crops
    steps: int  # most steps it may be trained for


@dataclass(frozen=True)
class Segmenter:
    """A trained segmentation network, in evaluation mode."""

    network: SegmentationNetwork
    info: SegmenterInfo

    @property
    def classes(self) -> int:
        """The number of classes it knows."""
        return len(self.info.classes)

    @torch.no_grad()
    def predict(self, photos: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] -> (B, 1, H, W) int64: the class index of every pixel."""
        return self.network(photos.float()).argmax(1, keepdim=True)  # type: ignore[no-any-return]


def fit_segmenter(
    info: SegmenterInfo,
    batches: Iterable[Batch],
    device: torch.device,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Segmenter, float] | None:
    """Train a network for `info.steps` steps; also its accuracy on the last of them, in [0, 1].

    batches: with "image" (B, C, H, W) and "labels" (B, 1, H, W), as many as there are steps. None if `stop`
    asked for an end before. Random draws outside are not disturbed, and the result follows from the seed.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.enable_grad():
        torch.manual_seed(seed)
        network = SegmentationNetwork(info.channels, len(info.classes)).to(device).train()
        optimizer = torch.optim.Adam(network.parameters(), LR)
        accuracies: list[float] = []
        for step, batch in enumerate(batches):
            if stop():
                return None
            optimizer.param_groups[0]["lr"] = LR * min(1.0, (1 - step / info.steps) / (1 - FLAT))
            accuracies.append(_step(network, optimizer, batch, len(info.classes)))
    latest = accuracies[-LATEST:]
    return Segmenter(network.eval().requires_grad_(False), info), sum(latest) / len(latest)


def _step(
    network: SegmentationNetwork, optimizer: torch.optim.Optimizer, batch: Batch, classes: int
) -> float:
    """One step; the fraction of labelled pixels that the network named correctly before."""
    labels = batch["labels"][:, 0]  # (B, H, W)
    labelled = labels < classes
    count = labelled.sum().clamp_min(1)
    logits = network(batch["image"].float())  # (B, classes, H, W)
    loss = cross_entropy(logits, labels.where(labelled, -1), ignore_index=-1, reduction="sum") / count
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    correct = (logits.argmax(1) == labels) & labelled
    return float(correct.sum() / count)


def write_segmenter(path: Path, segmenter: Segmenter) -> None:
    """Write its weights, with what it was trained for as metadata."""
    tensors = {key: value.cpu().contiguous() for key, value in segmenter.network.state_dict().items()}
    with atomic_write(path) as beside:
        beside.write_bytes(save(tensors, metadata={KEY: json.dumps(segmenter.info.model_dump())}))


def read_segmenter(path: Path, device: torch.device | None = None) -> Segmenter:
    """The network in a file of `write_segmenter`. Raises UserError for a file that is damaged or another."""
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(KEY, "")
            info = SegmenterInfo.model_validate_json(text)
            with torch.device("meta"):  # the sizes of a hostile file cost no memory
                network = SegmentationNetwork(info.channels, len(info.classes))
            network.load_state_dict(_tensors(file), assign=True)
    except (SafetensorError, OSError, ValidationError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a segmentation network of i2i train, or damaged ({reason}); a run that is resumed "
            "trains a new one"
        ) from None
    return Segmenter(network.to(device or "cpu").eval().requires_grad_(False), info)


def _tensors(file: Any) -> dict[str, Tensor]:
    return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no dictionary
