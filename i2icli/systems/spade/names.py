"""The names of layers in the authors' program, and ours."""

from collections.abc import Mapping

import torch
from torch import Tensor

State = dict[str, Tensor]

VECTORS = {"weight_orig": "weight", "weight_u": "spectral.u", "weight_v": "spectral.v"}
"""What spectral normalisation adds to a layer: theirs -> ours."""


def generator_names(num_levels: int) -> dict[str, str]:
    """Prefixes of a generator; `num_levels` with the one that most upsamplings add."""
    names = {"fc": "start", "conv_img": "image"}
    blocks = {"head_0": "head", "G_middle_0": "middle.0", "G_middle_1": "middle.1"}
    blocks |= {f"up_{level}": f"levels.{level}" for level in range(num_levels)}
    for theirs, ours in blocks.items():
        names |= {f"{theirs}.{layer}": f"{ours}.{name}" for layer, name in block_names().items()}
    return names


def block_names() -> dict[str, str]:
    """Prefixes of a residual block."""
    names = {f"conv_{part}": f"conv_{part}" for part in "01s"}
    for part in "01s":
        names |= {f"norm_{part}.{theirs}": f"norm_{part}.{ours}" for theirs, ours in layer_names().items()}
    return names


def layer_names() -> dict[str, str]:
    """Prefixes of a SPADE layer, whose gamma and beta are one convolution here: see `joined`."""
    return {"param_free_norm": "norm", "mlp_shared.0": "shared", "gamma_beta": "gamma_beta"}


def discriminator_names(num_scales: int, num_layers: int) -> dict[str, str]:
    """Prefixes of the discriminators, both times from full resolution down."""
    names: dict[str, str] = {}
    for scale in range(num_scales):
        theirs, ours = f"discriminator_{scale}", f"discriminators.{scale}"
        names |= {f"{theirs}.model0.0": f"{ours}.stem", f"{theirs}.model{num_layers}.0": f"{ours}.head"}
        for layer in range(1, num_layers):
            names[f"{theirs}.model{layer}.0.0"] = f"{ours}.layers.{layer - 1}.conv"
    return names


def encoder_names(num_layers: int) -> dict[str, str]:
    """Prefixes of the encoder."""
    names = {f"layer{layer + 1}.0": f"layers.{layer}.conv" for layer in range(num_layers)}
    return names | {"fc_mu": "mean", "fc_var": "log_variance"}


def renamed(state: Mapping[str, Tensor], names: Mapping[str, str]) -> State | None:
    """The same tensors under our names; None if a tensor has none."""
    found: State = {}
    for name, tensor in joined(with_vectors(state)).items():
        prefix, _, last = name.rpartition(".")
        if prefix not in names:
            return None
        found[f"{names[prefix]}.{VECTORS.get(last, last)}"] = tensor
    return found


def with_vectors(state: Mapping[str, Tensor]) -> State:
    """A state in which every normalised weight has both singular vectors.

    Old versions of the library saved W / sigma beside W and u, but no v. It is found so that u^T W v = sigma.
    """
    found = dict(state)
    for name, tensor in state.items():
        layer = name.removesuffix("weight_orig")
        if layer == name or f"{layer}weight_u" not in state or tensor.ndim < 2:
            continue
        normalised = found.pop(f"{layer}weight", None)
        weight, u = tensor.flatten(1).float(), state[f"{layer}weight_u"].flatten().float()
        if f"{layer}weight_v" not in state and len(u) == len(weight):
            along = weight.T @ u
            sigma = along.norm() if normalised is None else weight.norm() / normalised.float().norm()
            found[f"{layer}weight_v"] = along * (sigma / along.dot(along).clamp_min(1e-24))
    return found


def joined(state: Mapping[str, Tensor]) -> State:
    """A state with every pair of convolutions mlp_gamma and mlp_beta as one, gamma_beta."""
    found: State = {}
    for name, tensor in state.items():
        if "mlp_beta." in name:
            continue
        other = state.get(name.replace("mlp_gamma.", "mlp_beta."))
        if "mlp_gamma." in name and other is not None and other.shape == tensor.shape:
            found[name.replace("mlp_gamma.", "gamma_beta.")] = torch.cat([tensor, other])
        else:
            found[name] = tensor
    return found


def original_shapes(network: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """The shapes of a generator of ours under the names of the authors' program."""
    theirs = {ours: prefix for prefix, ours in names.items()}
    vectors = {f".{ours}": f".{last}" for last, ours in VECTORS.items() if ours != "weight"}
    shapes: dict[str, tuple[int, ...]] = {}
    for name, tensor in network.items():
        ending = next((each for each in vectors if name.endswith(each)), "." + name.rpartition(".")[2])
        prefix, shape = theirs.get(name.removesuffix(ending)), tuple(tensor.shape)
        spectral = f"{name.removesuffix(ending)}.spectral.u" in network
        last = vectors.get(ending, ending) + ("_orig" if spectral and ending == ".weight" else "")
        if prefix is None or last == ".num_batches_tracked":
            continue
        if prefix.endswith("gamma_beta"):
            half = (shape[0] // 2, *shape[1:])
            shapes |= {
                f"{prefix.removesuffix('gamma_beta')}mlp_{each}{last}": half for each in ("gamma", "beta")
            }
        else:
            shapes[f"{prefix}{last}"] = shape
    return shapes
