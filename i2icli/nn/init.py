"""Weight initialisation."""

from torch import nn


def init_normal(network: nn.Module, std: float = 0.02, *, zero_biases: bool = True) -> None:
    """Initialise convolutions from N(0, std) and batch norms from N(1, std), biases with 0.

    Isola et al., CVPR 2017, appendix 6.2, https://arxiv.org/abs/1611.07004; also used by CycleGAN.
    zero_biases: False leaves those of convolutions as they are, as in pix2pixHD.
    """
    if next(network.parameters()).is_meta:
        return  # normal_ on the meta device would import torch's compiler, which takes over a second
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, std)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, std)
        else:
            continue
        if module.bias is not None and (zero_biases or isinstance(module, nn.BatchNorm2d)):
            nn.init.zeros_(module.bias)
