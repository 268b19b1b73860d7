"""Reading images as the experiments compare them: RGB, of one size."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from i2icli.image import Pixels, convert_channels, read_image, resize, to_tensor


def read_rgb(path: Path) -> Pixels:
    """(H, W, 3)."""
    return convert_channels(read_image(path).pixels, 3)


def read_batch(paths: Iterable[Path], side: int | None = None) -> Tensor:
    """(N, 3, side, side) in [-1, 1]; by default the height of the first image."""
    images: list[Tensor] = []
    for path in paths:
        pixels = read_rgb(path)
        side = side or pixels.shape[0]
        images.append(to_tensor(resize(pixels, (side, side))))
    return torch.stack(images)
