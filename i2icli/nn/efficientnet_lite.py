"""The convolutions of EfficientNet-Lite0, as far as features are taken from them."""

from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

EPSILON = 1e-3  # of batch norm, as the published weights want it
STEM = 32  # channels
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Of each stage: blocks, side of the kernel, stride of the first block, expansion, channels."""
TAKEN = (2, 4, 10, 15)  # the last blocks before the next stride


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow does, where the weights come from: where a stride leaves an odd
    number of zeros, there is one more below and to the right.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', ceil(H / stride), ceil(W / stride))."""
        margins: list[int] = []
        for side in (3, 2):  # width first, as `pad` wants them
            size, kernel, stride = x.shape[side], self.kernel_size[side - 2], self.stride[side - 2]
            missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
            margins += [missing // 2, missing - missing // 2]
        return conv2d(pad(x, margins), self.weight, self.bias, self.stride, groups=self.groups)


class Block(nn.Module):
    """1x1 convolution to more channels, a convolution of each channel, 1x1 convolution to fewer, all with
    batch norm; added to the input where it has the same shape.
    """

    def __init__(self, channels: int, kernel: int, stride: int, expansion: int, output: int) -> None:
        super().__init__()
        hidden = channels * expansion
        if expansion > 1:
            self.expand_conv = SameConv(channels, hidden, 1, bias=False)
            self.bn0 = nn.BatchNorm2d(hidden, EPSILON)
        self.depthwise_conv = SameConv(hidden, hidden, kernel, stride, groups=hidden, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden, EPSILON)
        self.project_conv = SameConv(hidden, output, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(output, EPSILON)
        self.expands, self.adds = expansion > 1, stride == 1 and channels == output

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C', h / stride, w / stride), rounded up."""
        hidden = _relu6(self.bn0(self.expand_conv(x))) if self.expands else x
        hidden = _relu6(self.bn1(self.depthwise_conv(hidden)))
        projected: Tensor = self.bn2(self.project_conv(hidden))
        return projected + x if self.adds else projected


class EfficientNetLiteFeatures(nn.Module):
    """Five features of EfficientNet-Lite0, one of each size.

    Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
    https://arxiv.org/abs/1905.11946; Lite0 is Google's later one for small devices: B0 without
    squeeze-and-excitation, with ReLU6. Layers are called as in the package's file, less its underscores.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = SameConv(3, STEM, 3, 2, bias=False)
        self.bn0 = nn.BatchNorm2d(STEM, EPSILON)
        self.blocks = nn.ModuleList()
        channels = STEM
        for count, kernel, first_stride, expansion, output in STAGES:
            for number in range(count):
                stride = first_stride if number == 0 else 1
                self.blocks.append(Block(channels, kernel, stride, expansion, output))
                channels = output

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> (B, C, h, w) at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size, rounded up."""
        x = _relu6(self.bn0(self.conv_stem(images)))  # (B, 32, h, w)
        found = [x]
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in TAKEN:
                found.append(x)
        return found


def _relu6(x: Tensor) -> Tensor:
    return x.clamp(0, 6)
