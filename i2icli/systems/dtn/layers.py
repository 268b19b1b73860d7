"""The layers of DTN's networks: TensorFlow's rule for borders, its batch norm, and how weights start."""

from torch import Tensor, nn
from torch.nn.functional import pad


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME: an output per stride, and odd padding falls on the end."""

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> (B, C', ceil(H / stride), ceil(W / stride))."""
        down = self._border(x.shape[2], 0)
        across = self._border(x.shape[3], 1)
        return super().forward(pad(x, (*across, *down)))

    def _border(self, side: int, axis: int) -> tuple[int, int]:
        """Pixels of zeros before and after."""
        kernel, stride = self.kernel_size[axis], self.stride[axis]
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        return total // 2, total - total // 2


class SameTransposed2d(nn.ConvTranspose2d):
    """A 3x3 transposed convolution of stride 2 as TensorFlow's SAME: twice the size, the end cut off."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, 2)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """x: (B, C, H, W) -> (B, C', 2 H, 2 W)."""
        return super().forward(x, output_size)[:, :, :-1, :-1]


def build_norm(norm: str, channels: int) -> nn.Module:
    """Batch norm with the public code's epsilon, 0.001, and decay of averages, 0.95; or "none"."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.05) if norm == "batch" else nn.Identity()


def init_xavier(network: nn.Module) -> None:
    """Draw the weights of convolutions as Glorot and Bengio (AISTATS 2010, Eq. (16)) do; biases are 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and not module.weight.is_meta:
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
