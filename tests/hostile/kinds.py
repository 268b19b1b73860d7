"""Every kind of file that is opened, as one line: how a good one is made, and who opens it.

To add a kind, add a line to `KINDS`: its seed is written by `seed(path)`, and `open(path)` reads whatever
became of it, as the toolkit does. `suffix` is that of the file; `parts` names how it is taken apart so that
changes reach what lies inside checksums or lengths (see `changes`).
"""

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import tifffile
import torch
from PIL import Image
from safetensors.torch import save_file

from i2icli import registry
from i2icli.image import DecodedImage, write_image
from i2icli.image.read import read_image
from i2icli.inference.loading import load_with_notes
from i2icli.reading import Reading
from i2icli.runtime.checkpoint import write_model
from i2icli.systems.pix2pixhd.cluster_file import read_clusters
from i2icli.training.run_folder import RunFolder
from tests.originals.references import NumberedResnet, shaken
from tests.parity import cases
from tests.tiny import tiny_config

Parts = str
"""How a file is taken apart: "bytes", "zip" or "safetensors"."""


@dataclass(frozen=True)
class Kind:
    """A kind of file."""

    suffix: str
    seed: Callable[[Path], Any]
    open: Callable[[Path], Any]
    parts: Parts = "bytes"


def _state() -> dict[str, torch.Tensor]:
    return cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()


def _whole(path: Path) -> None:
    """A training checkpoint with an optimiser and objects of a program."""
    network = shaken(NumberedResnet(affine=True))
    content = {"G_A2B": network.state_dict(), "G_B2A": network.state_dict(), "options": Path("data")}
    moments = {n: {"exp_avg": torch.ones_like(weight)} for n, weight in enumerate(network.parameters())}
    optimizer = {"state": moments, "param_groups": [{"lr": 1e-4, "betas": (0.5, 0.999)}]}
    torch.save(content | {"optimizer": optimizer, "epoch": np.float64(3)}, path)


def _ours(path: Path) -> None:
    system = registry.system_type("pix2pix")(tiny_config("pix2pix"))
    write_model(path, system, "pix2pix", {"G": system.G})


def _networks(path: Path) -> None:
    """Pickled networks of the paper's program, whose class exists while they are written."""
    module = ModuleType("tfutil")
    module.Network = type("Network", (SimpleNamespace,), {"__module__": "tfutil"})  # type: ignore[attr-defined]
    with patch.dict(sys.modules, tfutil=module):
        G = cases.read("progan", "official_generator").state()
        state = {
            "name": "Gs",
            "static_kwargs": {"fused_scale": True},
            "variables": [(name, value.numpy()) for name, value in G.items()],
        }
        path.write_bytes(pickle.dumps((module.Network(**state),), 4))


def _clusters(path: Path) -> None:
    np.save(path, {7: np.ones((2, 3), np.float32), 8: np.zeros((1, 3))}, allow_pickle=True)  # type: ignore[arg-type]


def _resume(path: Path) -> None:
    torch.save({"system": _state(), "clock": {"stage": "main", "step": 3}, "ranks": [], "seconds": 1.5}, path)


def _read_resume(path: Path) -> Any:
    path.replace(path.with_name("resume.pt"))
    return RunFolder(path.parent).load_state()


def _image(path: Path) -> None:
    write_image(path, DecodedImage(np.arange(9 * 7 * 3, dtype=np.uint8).reshape(9, 7, 3), None, "png"))


def _stack(path: Path) -> None:
    planes = np.arange(3 * 9 * 7, dtype=np.uint8).reshape(3, 9, 7)
    tifffile.imwrite(path, planes, ome=True, metadata={"axes": "ZYX"}, photometric="minisblack")


KINDS: dict[str, Kind] = {
    "pth": Kind(".pth", lambda path: torch.save(_state(), path), load_with_notes, "zip"),
    "whole checkpoint": Kind(".ckpt", _whole, load_with_notes, "zip"),
    "old pth": Kind(
        ".pth", lambda path: torch.save(_state(), path, _use_new_zipfile_serialization=False), load_with_notes
    ),
    "pickled networks": Kind(".pkl", _networks, load_with_notes),
    "model": Kind(".safetensors", _ours, load_with_notes, "safetensors"),
    "other safetensors": Kind(
        ".safetensors", lambda path: save_file(_state(), path), load_with_notes, "safetensors"
    ),
    "resume": Kind(".pt", _resume, _read_resume, "zip"),
    "npy": Kind(".npy", lambda path: np.save(path, np.ones((9, 7, 3), np.float32)), read_image),
    "ppm": Kind(".ppm", _image, read_image),
    "jp2": Kind(".jp2", _image, read_image),
    "avif": Kind(".avif", _image, read_image),
    "gif": Kind(".gif", lambda path: Image.new("P", (9, 7), 3).save(path), read_image),
    "ome": Kind(".tif", _stack, lambda path: read_image(path, reading=Reading("channels"))),
    "clusters": Kind(".npy", _clusters, read_clusters),
}


def with_header(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the header of a safetensors file; its length is put right."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
