"""Planes of a label map that are made where they are used, a strip of rows at a time.

All one-hot planes of a large map at once would take more memory than anything else in a network.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import conv2d, embedding_bag, pad

from i2icli.nn.label_maps import one_hot
from i2icli.nn.multiscale import half_size
from i2icli.nn.padding import STRIP, ReflectConv2d, reflected


class MapPlanes:
    """What a generator reads of a label map: one-hot planes, perhaps boundaries, perhaps features."""

    def __init__(
        self,
        labels: Tensor,
        classes: int,
        edges: Tensor | None,
        features: Tensor | None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """labels: (B, 1, H, W) indices; classes: one-hot planes; edges: (B, 1, H, W) bool, one more plane;
        features: (B, F, H, W), so many more; dtype: of the planes, that of the weights.
        """
        self.labels, self.classes, self.edges, self.features = labels, classes, edges, features
        self.dtype = dtype

    def dense(self) -> Tensor:
        """All planes (B, C, H, W)."""
        planes = [one_hot(self.labels, self.classes, self.dtype)]
        planes += [] if self.edges is None else [self.edges.to(self.dtype)]
        planes += [] if self.features is None else [self.features.to(self.dtype)]
        return torch.cat(planes, 1)

    def half_size(self) -> Tensor:
        """(B, C, ceil(H / 2), ceil(W / 2)): as `nn.multiscale.half_size` of the planes."""
        height = self.labels.shape[2]
        found = []
        for start, stop in self._strips(even=True):
            above = min(start, 2)  # a row of outputs that lacks its upper row of pixels, and is dropped
            rows = torch.arange(start - above, min(stop, height), device=self.labels.device)
            found.append(half_size(self._part(rows).dense())[:, :, above // 2 :])
        return torch.cat(found, 2)

    def convolved(self, layer: ReflectConv2d) -> Tensor:
        """(B, C', H, W): the layer's output for the planes.

        Looked up where that is faster: on a CPU in float32. It is the same but for rounding.
        """
        lookup = self.dtype is torch.float32 and self.labels.device.type == "cpu"
        part = self._lookup(layer) if lookup else self._convolution(layer)
        height, width = self.labels.shape[2:]
        columns = reflected(-layer.border, width + layer.border, width, self.labels.device)
        found = []
        for start, stop in self._strips():
            rows = reflected(start - layer.border, stop + layer.border, height, self.labels.device)
            found.append(part(self._part(rows, columns)))
        return torch.cat(found, 2)

    def _convolution(self, layer: ReflectConv2d) -> Callable[["MapPlanes"], Tensor]:
        return lambda part: conv2d(part.dense(), layer.weight, layer.bias)

    def _lookup(self, layer: ReflectConv2d) -> Callable[["MapPlanes"], Tensor]:
        """As nn.label_conv: a convolution of one-hot planes adds one row of a table for each tap."""
        known = self.classes + (self.edges is not None)
        kernel = layer.weight.shape[-1]
        taps = layer.weight.permute(2, 3, 1, 0).flatten(0, 1)  # (k * k, C, C')
        table = pad(taps[:, : self.classes], (0, 0, 0, 1))  # (k * k, classes + 1, C'), the last is none
        if self.edges is not None:
            table = torch.cat([table, table + taps[:, self.classes : known]], 1)
        offsets = table.shape[1] * torch.arange(kernel**2, dtype=torch.int32, device=taps.device)
        flat, rest = table.flatten(0, 1), layer.weight[:, known:]

        def look_up(part: "MapPlanes") -> Tensor:
            codes = part.labels.clamp(max=self.classes)
            if part.edges is not None:
                codes = codes + (self.classes + 1) * part.edges
            windows = codes[:, 0].int().unfold(1, kernel, 1).unfold(2, kernel, 1)  # (B, h, w, k, k)
            sums = embedding_bag(windows.reshape(-1, kernel**2) + offsets, flat, mode="sum")
            found = sums.view(*windows.shape[:3], -1).movedim(-1, 1)  # (B, C', h, w)
            found = found.contiguous() if layer.weight.is_contiguous() else found
            found = found if layer.bias is None else found + layer.bias[:, None, None]
            return found if part.features is None else found + conv2d(part.features.to(found), rest)

        return look_up

    def _part(self, rows: Tensor, columns: Tensor | None = None) -> "MapPlanes":
        """The planes of some rows and columns, all columns by default, in their order."""

        def part(plane: Tensor | None) -> Tensor | None:
            if plane is None:
                return None
            found = plane.index_select(2, rows)
            return found if columns is None else found.index_select(3, columns)

        labels = part(self.labels)
        assert labels is not None
        return MapPlanes(labels, self.classes, part(self.edges), part(self.features), self.dtype)

    def _strips(self, *, even: bool = False) -> Iterator[tuple[int, int]]:
        """First and last row + 1 of strips, from top to bottom; even: of an even number of rows."""
        height, width = self.labels.shape[2:]
        rows = max(2, STRIP // width // 2 * 2) if even else max(1, STRIP // width)
        return ((start, min(start + rows, height)) for start in range(0, height, rows))
