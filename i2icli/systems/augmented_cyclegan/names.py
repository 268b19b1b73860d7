"""How the authors' program numbers its layers, beside our names for them.

Names are prefixes: "model.4" stands for "model.4.weight", "model.4.bias" and so on.
"""

from collections.abc import Mapping

from torch import Tensor

BLOCKS = 10  # number of the first residual block in a generator


def generator_names(num_blocks: int, *, coded: bool) -> dict[str, str]:
    """Prefixes of a generator of so many blocks; `coded`: it reads latent codes (netG_A_B)."""
    after = BLOCKS + num_blocks
    layers = {1: "stem", 4: "down.0", 7: "down.1", after: "up.0", after + 3: "up.1"}
    names = {f"model.{after + 6}": "head"}
    for number, ours in layers.items():
        names[f"model.{number}"] = f"{ours}.conv"
        names |= _norm_names(f"model.{number + 1}", f"{ours}.norm", coded)
    for block in range(num_blocks):
        theirs, ours = f"model.{BLOCKS + block}.conv_block", f"blocks.{block}"
        if coded:
            names[f"{theirs}.1.module1"] = f"{ours}.first.conv"
            names |= _norm_names(f"{theirs}.1.module2", f"{ours}.first.norm", coded)
        else:
            names[f"{theirs}.1"] = f"{ours}.first"
        names |= {f"{theirs}.4": f"{ours}.second.conv", f"{theirs}.5": f"{ours}.second.norm"}
    return names


def _norm_names(theirs: str, ours: str, coded: bool) -> dict[str, str]:
    if not coded:
        return {theirs: ours}
    return {f"{theirs}.scale_conv.0": f"{ours}.scale", f"{theirs}.shift_conv.0": f"{ours}.shift"}


def encoder_names() -> dict[str, str]:
    """Prefixes of the latent encoder."""
    names = {"conv_modules.0": "stem", "enc_mu": "mean", "enc_logvar": "log_variance"}
    for layer in range(4):
        names |= {
            f"conv_modules.{2 + 3 * layer}": f"convs.{layer}",
            f"conv_modules.{3 + 3 * layer}": f"norms.{layer}",
        }
    return names


def discriminator_names() -> dict[str, str]:
    """Prefixes of a discriminator of images."""
    names = {"model.0": "stem", "model.11": "head"}
    for layer in range(3):
        names |= {
            f"model.{2 + 3 * layer}": f"layers.{layer}.conv",
            f"model.{3 + 3 * layer}": f"layers.{layer}.norm",
        }
    return names


def latent_names() -> dict[str, str]:
    """Prefixes of the discriminator of codes."""
    names = {"model.9": "head"}
    for layer in range(3):
        names |= {f"model.{3 * layer}": f"layers.{layer}", f"model.{3 * layer + 1}": f"norms.{layer}"}
    return names


def once(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A generator's state without the second names of its blocks' layers.

    The program registers these layers twice, as "model.10.conv_block.4" and "model.10.4"; a file may
    hold either or both. The long spelling is kept.
    """
    result: dict[str, Tensor] = {}
    for name, tensor in state.items():
        model, number, *rest = name.split(".")
        in_block = model == "model" and len(rest) > 1 and number.isdigit() and int(number) >= BLOCKS
        if in_block and rest[0].isdigit():
            name = ".".join([model, number, "conv_block", *rest])
        result[name] = tensor
    return result
