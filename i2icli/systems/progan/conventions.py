"""In what the paper's program and its PyTorch re-implementation differ; their weights do not mix."""

from dataclasses import dataclass, replace

from i2icli.nn.equalised import RELU_GAIN
from i2icli.systems.progan.config import ProGANConfig


@dataclass(frozen=True)
class Convention:
    """How layers are scaled, images grouped, halved and faded, and losses reduced."""

    scale_bias: bool  # biases are scaled along with the weights
    first_gain: float  # of the layer that reads the latent code
    last_gain: float  # of the layers without activation
    bias_per_unit: bool  # the first layer has a bias for every unit, not for every channel
    average_first: bool  # D averages 2x2 pixels before bias and activation, not after
    consecutive: bool  # neighbours in a batch form the groups of minibatch standard deviation
    fade_at_8: bool  # D fades in its second resolution like all others
    summed: bool  # losses are added up over a batch, not averaged


PAPER = Convention(
    scale_bias=False,
    first_gain=RELU_GAIN / 4,
    last_gain=1.0,
    bias_per_unit=False,
    average_first=True,
    consecutive=False,
    fade_at_8=True,
    summed=False,
)
ZOO = Convention(
    scale_bias=True,
    first_gain=RELU_GAIN,
    last_gain=RELU_GAIN,
    bias_per_unit=True,
    average_first=False,
    consecutive=True,
    fade_at_8=False,
    summed=True,
)


def convention_of(config: ProGANConfig) -> Convention:
    """The convention that settings ask for."""
    return ZOO if config.convention == "zoo" else replace(PAPER, average_first=config.fused_scale)
