"""Label and instance maps as planes that networks read, and as images to look at."""

from collections.abc import Sequence

import torch
from torch import Tensor

from i2icli.classes import Colour


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
    across = instances[..., 1:] != instances[..., :-1]  # (B, 1, H, W - 1)
    down = instances[..., 1:, :] != instances[..., :-1, :]  # (B, 1, H - 1, W)
    column, row = torch.zeros_like(across[..., :1]), torch.zeros_like(down[..., :1, :])
    # Joined, not written into slices, so that exported graphs need no scattering.
    edges = torch.cat([column, across], 3) | torch.cat([across, column], 3)  # (B, 1, H, W)
    edges = edges | torch.cat([row, down], 2) | torch.cat([down, row], 2)
    return edges.to(dtype)


def paint(labels: Tensor, colours: Sequence[Colour]) -> Tensor:
    """(B, 1, H, W) class indices -> (B, 3, H, W) in [-1, 1], in one colour for each index.

    colours: as `image.label_colours.colours_of` gives them; the last is for all that is no class.
    """
    table = torch.tensor(colours, dtype=torch.float32, device=labels.device) / 127.5 - 1  # (L + 1, 3)
    known = labels.clamp(0, len(colours) - 1)
    return table[known[:, 0]].movedim(-1, 1)  # (B, H, W, 3) -> (B, 3, H, W)
