"""Label maps at the sizes that networks read them in, and the first convolution on them.

A convolution of one-hot planes adds, for every tap of its kernel, the weights of one class. So it can be
looked up in a table of (tap, class) -> output channels, without planes and without products with zero.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, pad

from i2icli.nn.label_maps import one_hot

Size = tuple[int, int]

MANY = 32
"""Channels from which the table is faster in training, too, where the gradient of its rows takes time: in
single precision, measured by benchmarks/speed/label_conv.py. In lower precision it never is."""


class LabelPlanes:
    """A label map, as indices of classes, and the boundaries in it.

    What is made of it is made once for all layers of a size. An index from `classes` on (unlabelled, where
    the networks have no channel for it) is none of the classes.
    """

    def __init__(self, labels: Tensor, classes: int, edges: Tensor | None = None) -> None:
        """labels: (B, 1, H, W) int64; classes: one-hot planes; edges: (B, 1, H, W) bool, one more plane."""
        self.labels, self.classes, self.edges = labels, classes, edges
        self._smaller: dict[tuple[int, int], LabelPlanes] = {}  # by strides
        self._planes: dict[torch.dtype, Tensor] = {}
        self._rows: dict[int, Tensor] = {}

    @property
    def channels(self) -> int:
        """Planes altogether."""
        return self.classes + (self.edges is not None)

    @property
    def size(self) -> Size:
        """(height, width)."""
        return self.labels.shape[-2], self.labels.shape[-1]

    def at(self, size: Size) -> "LabelPlanes":
        """The map in a smaller size by which its own is divisible, by nearest-neighbour interpolation."""
        strides = int(self.size[0] // size[0]), int(self.size[1] // size[1])  # no symbols while exporting
        if strides == (1, 1):
            return self
        if strides not in self._smaller:
            edges = None if self.edges is None else _thinned(self.edges, size, strides)
            labels = _thinned(self.labels, size, strides)
            self._smaller[strides] = LabelPlanes(labels, self.classes, edges)
        return self._smaller[strides]

    def planes(self, dtype: torch.dtype) -> Tensor:
        """(B, channels, H, W), 0 or 1, channels last in memory."""
        if dtype not in self._planes:
            planes = one_hot(self.labels, self.classes, dtype)  # (B, classes, H, W)
            if self.edges is not None:
                planes = torch.cat([planes, self.edges.to(dtype)], 1)
            last = not torch.compiler.is_exporting()  # there whoever runs the graph decides
            self._planes[dtype] = planes.contiguous(memory_format=torch.channels_last) if last else planes
        return self._planes[dtype]

    def rows(self, kernel: int) -> Tensor:
        """Rows of the table (see `LabelConv2d`) that each pixel adds: (B * H * W, kernel * kernel)."""
        if kernel not in self._rows:
            codes = self.labels.clamp(max=self.classes)  # (B, 1, H, W)
            rows = self.classes + 1
            if self.edges is not None:
                codes, rows = codes + rows * self.edges, 2 * rows
            # Outside is no class. 32 bits: half to read, and a table has few rows.
            padded = pad(codes, (kernel // 2,) * 4, value=self.classes)[:, 0].int()  # (B, H + k, W + k)
            windows = padded.unfold(1, kernel, 1).unfold(2, kernel, 1)  # (B, H, W, k, k)
            taps = rows * torch.arange(kernel**2, dtype=torch.int32, device=codes.device)
            self._rows[kernel] = windows.reshape(-1, kernel**2) + taps
        return self._rows[kernel]


class LabelConv2d(nn.Conv2d):
    """A convolution of the planes of a label map, of odd kernel, zero-padded to keep the size.

    Either of the planes or looked up, which is the same but for rounding: see `prefers_table`.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__(in_channels, out_channels, kernel, padding=kernel // 2)

    def forward(self, labels: LabelPlanes) -> Tensor:  # type: ignore[override]
        """A map of B rows -> (B, out_channels, H, W), channels last in memory."""
        if prefers_table(self.weight, labels.channels):
            return self.looked_up(labels)
        return self.by_planes(labels)

    def by_planes(self, labels: LabelPlanes) -> Tensor:
        """The convolution as it is."""
        return super().forward(labels.planes(_computed_in(self.weight)))

    def looked_up(self, labels: LabelPlanes) -> Tensor:
        """The convolution by its table."""
        table, dtype = self._table(labels), _computed_in(self.weight)
        if not table.requires_grad:
            table = table.to(dtype)  # otherwise gradients would be added up in low precision
        sums = embedding_bag(labels.rows(self.kernel_size[0]), table, mode="sum").to(dtype)
        return sums.view(-1, *labels.size, self.out_channels).permute(0, 3, 1, 2)  # (B, O, H, W)

    def _table(self, labels: LabelPlanes) -> Tensor:
        """Output channels by tap and, where there are boundaries, by off and on, and class: (rows, O).

        The last of the classes is none of them. The middle tap, which every pixel has, brings the bias.
        """
        taps = self.weight.permute(2, 3, 1, 0).flatten(0, 1)  # (k * k, channels, O)
        table = pad(taps[:, : labels.classes], (0, 0, 0, 1))  # (k * k, classes + 1, O)
        if labels.edges is not None:
            table = torch.cat([table, table + taps[:, labels.classes :]], 1)  # (k * k, 2 (classes + 1), O)
        if self.bias is not None:
            middle = torch.arange(len(table), device=table.device) == len(table) // 2
            table = table + middle[:, None, None] * self.bias
        return table.flatten(0, 1)


def _thinned(values: Tensor, size: Size, strides: tuple[int, int]) -> Tensor:
    """(B, 1, H, W) -> (B, 1, *size), every so many rows and columns: a view.

    Not by slices with steps, after which an export would not know the sides to be the size.
    """
    (height, width), (down, across) = size, strides
    return values.view(values.shape[0], 1, height, down, width, across)[:, :, :, 0, :, 0]


def prefers_table(weight: Tensor, channels: int) -> bool:
    """Whether looking up is faster: on a CPU, for inference, and for many classes in single precision.

    Compilers and exporters get the convolution, which all of them know.
    """
    kind = weight.device.type
    if kind != "cpu" or torch.compiler.is_compiling():
        return False
    if not (torch.is_grad_enabled() and weight.requires_grad):
        return True
    return channels >= MANY and _computed_in(weight).itemsize >= 4


def _computed_in(weight: Tensor) -> torch.dtype:
    """The number type of a convolution with this weight."""
    kind = weight.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    return weight.dtype
