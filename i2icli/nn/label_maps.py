"""Label and instance maps as planes that networks read."""

from collections.abc import Sequence
from colorsys import hsv_to_rgb

import torch
from torch import Tensor


def one_hot(labels: Tensor, channels: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """(B, 1, H, W) class indices -> (B, channels, H, W): 1 in the plane of the class, else 0.

    An index beyond the channels (unlabelled, where the networks have no channel for it) is 0 in all planes.
    """
    classes = torch.arange(channels, device=labels.device)
    return (labels == classes[:, None, None]).to(dtype)  # (B, channels, H, W)


def boundaries(instances: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(B, 1, H, W) ids -> 1 where a pixel has another id than one of its four neighbours, else 0.

    Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", CVPR 2018,
    section 3.3, https://arxiv.org/abs/1711.11585.
    """
    edges = torch.zeros_like(instances, dtype=torch.bool)
    across = instances[..., 1:] != instances[..., :-1]  # (B, 1, H, W - 1)
    down = instances[..., 1:, :] != instances[..., :-1, :]  # (B, 1, H - 1, W)
    edges[..., 1:] |= across
    edges[..., :-1] |= across
    edges[..., 1:, :] |= down
    edges[..., :-1, :] |= down
    return edges.to(dtype)


def coloured(labels: Tensor, colours: Sequence[tuple[int, int, int] | None]) -> Tensor:
    """(B, 1, H, W) class indices -> (B, 3, H, W) in [-1, 1], in the colours of the classes, to be looked at.

    None: one that differs from its neighbours'. An index beyond the classes (unlabelled) is black.
    """
    found = [colour or _default_colour(index) for index, colour in enumerate(colours)]
    palette = torch.tensor([*found, (0, 0, 0)], device=labels.device) / 127.5 - 1  # (L + 1, 3)
    return palette[labels[:, 0]].movedim(-1, 1)


def _default_colour(index: int) -> tuple[int, int, int]:
    hue = 0.6180339887498949 * index % 1  # multiples of the golden ratio lie far from each other
    red, green, blue = (round(255 * value) for value in hsv_to_rgb(hue, 0.65, 0.9))
    return red, green, blue
