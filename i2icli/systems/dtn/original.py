"""Networks with the layers of the public code (yunjey/domain-transfer-network), and classifiers of ccexam.

The public code is TensorFlow: `content_extractor/conv1/weights`, `generator/bn1/gamma`, ... We read its
variables from a torch.save'd dict, under these names and in TensorFlow's layout, or as modules of the
same names (`conv1.weight`, `bn1.running_mean`); all networks in one file, under the scopes' names or as f,
g and D, or each in a file of its own, the other beside it. A file that holds f alone, as the classifiers of
the Python package ccexam do, is a start for training, and no more.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals.checkpoint import Known, Original, Read, State, fit, known, mentions
from i2icli.systems.dtn.config import DTNConfig
from i2icli.systems.dtn.features import CCEXAM
from i2icli.systems.dtn.system import DTN

_SCOPES = {"content_extractor": "f", "generator": "g", "discriminator": "D", "f": "f", "g": "g", "D": "D"}
_SIBLINGS = (("generator", "content_extractor"), ("g", "f"), ("G", "F"))
"""How a file of g may be called, and the one of f beside it."""

MOST_CLASSES = 10_000

_TENSORS = {
    "weights": "weight", "biases": "bias", "gamma": "weight", "beta": "bias",
    "moving_mean": "running_mean", "moving_variance": "running_var",
}  # fmt: skip


def recognise(state: State, path: Path, read: Read) -> Original | None:
    """f and g in our names, or f alone as a start; None if the keys are something else's.

    Raises UserError for a discriminator alone, and for g without f beside it.
    """
    classifier = _ccexam(state)
    if classifier is not None:
        return classifier
    networks = _networks(state)
    if networks is None:
        return None
    if "g" in networks and "f" not in networks:
        networks["f"] = _feature_function_beside(path, read)
    if "f" not in networks:
        if not _is_discriminator(networks["D"]):
            return None
        raise UserError(f"{path}: this is a discriminator; give the file of f and g")
    return _original(
        {f"{name}.{key}": value for name in "fg" for key, value in networks.get(name, {}).items()}
    )


# -- the public code's networks ------------------------------------------------------------------


def rename(state: State, num_blocks: int) -> State:
    """Names like "f.conv1.weight" and "f.out.weight" -> ours: "f.blocks.0.weight", "head.conv.weight"."""
    names = _names(num_blocks)
    layers = {key: tuple(key.rpartition(".")[::2]) for key in state}
    return {f"{names[layer]}.{kind}": state[key] for key, (layer, kind) in layers.items() if layer in names}


def _names(num_blocks: int) -> dict[str, str]:
    """The public code's layers under our names; layers count from 1 there."""
    last = num_blocks + 1
    names = {f"f.conv{last}": "f.last", f"f.bn{last}": "f.last_norm", "f.out": "head.conv"}
    names |= {"g.conv_transpose1": "g.first", "g.bn1": "g.blocks.0", f"g.conv_transpose{last}": "g.last"}
    names |= {"D.conv1": "D.blocks.0", "D.bn1": "D.blocks.2", f"D.conv{last}": "D.last"}
    for layer in range(1, last):
        place = 3 * (layer - 1)
        names |= {f"f.conv{layer}": f"f.blocks.{place}", f"f.bn{layer}": f"f.blocks.{place + 1}"}
    for layer in range(2, last):
        place = 3 * (layer - 2)
        names |= {
            f"g.conv_transpose{layer}": f"g.blocks.{place + 2}",
            f"g.bn{layer}": f"g.blocks.{place + 3}",
        }
        names |= {f"D.conv{layer}": f"D.blocks.{place + 4}", f"D.bn{layer}": f"D.blocks.{place + 5}"}
    return names


def _networks(state: State) -> dict[str, State] | None:
    """{"f": {"conv1.weight": ...}, "g": ...}, as many as there are; None if a key is no such layer's."""
    networks: dict[str, State] = {}
    for key, tensor in state.items():
        match = re.fullmatch(r"(?:(\w+)[./])?((?:conv_transpose|conv|bn)\d+|out)[./](\w+)", key)
        if match is None:
            if "/" in key or re.fullmatch(r"\w+_power|global_step", key):
                continue  # TensorFlow keeps the optimiser's variables among the others
            return None
        scope, layer, kind = match.groups()
        name = _SCOPES.get(scope, "") if scope else _owner(state)
        if not name:
            return None
        part = networks.setdefault(name, {})
        if kind == "weights" and tensor.ndim == 4:
            # (kh, kw, in, out) -> (out, in, kh, kw); transposed: (kh, kw, out, in) -> (in, out, kh, kw)
            tensor = tensor.permute(3, 2, 0, 1)
        part[f"{layer}.{_TENSORS.get(kind, kind)}"] = tensor
    return networks or None


def _is_discriminator(state: State) -> bool:
    """Whether these layers end in the kinds of images that D tells apart, three or one."""
    last = state.get(
        f"conv{sum(re.fullmatch(r'conv[0-9]+[.]weight', key) is not None for key in state)}.weight"
    )
    return "bn1.bias" in state and last is not None and last.shape[0] in (1, 3)


def _owner(state: State) -> str:
    """Which network this is: only g has transposed layers, only f a norm after its last convolution."""
    layers = {re.split(r"[./]", key)[0] for key in state}
    if "conv_transpose1" in layers:
        return "g"
    return "f" if f"bn{sum(layer.startswith('conv') for layer in layers)}" in layers else "D"


def _feature_function_beside(path: Path, read: Read) -> State:
    """The state of f, from the file whose name has f where this one has g."""
    tried = []
    for own, other in _SIBLINGS:
        stem = re.sub(rf"(?<![A-Za-z]){own}(?![A-Za-z])", other, path.stem)
        sibling = path.with_name(stem + path.suffix)
        if stem == path.stem or sibling in tried:
            continue
        tried.append(sibling)
        if sibling.is_file():
            found = (_networks(read(sibling)) or {}).get("f")
            if found is not None:
                return found
    looked = f" (looked for {', '.join(each.name for each in tried)})" if tried else ""
    raise UserError(
        f"{path}: this is g alone, and f is not beside it{looked}; give a file of both, or name them "
        "generator.pth and content_extractor.pth"
    )


def _original(state: State) -> Original | None:
    """Both networks, or f alone; None if shapes do not belong together."""
    try:
        settings = _settings(state)
        config = DTNConfig.model_validate(settings)
    except (KeyError, ValueError, IndexError):
        return None  # layers are missing, or sizes are beyond what any such network has
    complete = any(key.startswith("g.") for key in state)
    renamed = rename(state, config.num_blocks)
    if len(renamed) < len(state):
        return None  # layers that ours do not have
    return _checked(config, renamed, ("f", "g") if complete else ("f",))


def _settings(state: State) -> dict[str, Any]:
    """What keys and shapes tell, as fields of DTNConfig."""
    blocks = sum(re.fullmatch(r"f\.conv\d+\.weight", key) is not None for key in state) - 1
    first, last = state["f.conv1.weight"], state[f"f.conv{blocks + 1}.weight"]
    side = [kernel * 2**blocks for kernel in last.shape[2:]]
    settings: dict[str, Any] = {
        "extractor": "strided",
        "width": first.shape[0],
        "num_features": last.shape[0],
        "num_blocks": blocks,
        "crop_size": tuple(side),
        "norm": "batch" if "f.bn1.running_mean" in state else "none",
    }
    if "f.out.weight" in state and state["f.out.weight"].shape[0] <= MOST_CLASSES:
        settings["classes"] = tuple(map(str, range(state["f.out.weight"].shape[0])))
    if not any(key.startswith("g.") for key in state):
        return settings
    drawing = state[f"g.conv_transpose{blocks + 1}.weight"]
    return settings | {"generator_width": drawing.shape[0], "channels": (first.shape[1], drawing.shape[1])}


def _checked(config: DTNConfig, tensors: State, parts: tuple[str, ...], *notes: str) -> Original | None:
    """What the file gives, float32, if it is exactly our networks of these parts; None if it is not.

    Counters of batch norm, which TensorFlow lacks, become 0, and its scale 1 where it was left out.
    """
    with torch.device("meta"):
        system = DTN(config)
    if "head.conv.weight" in tensors:
        parts = (*parts, "head")
    wanted = {name: like for name, like in system.state_dict().items() if name.partition(".")[0] in parts}

    def scale(name: str) -> float | None:
        norm, _, last = name.rpartition(".")
        return 1.0 if last == "weight" and f"{norm}.running_mean" in tensors else None

    found = fit(tensors, wanted, scale)
    if found is None:
        return None
    layers = f"{config.num_blocks} blocks to {config.num_features} features"
    reason = f"layers conv1 ... of f, {layers}" + (", conv_transpose1 ... of g" if "g" in parts else "")
    return Original("dtn", config, found, notes, translates="g" in parts, reason=reason)


def networks_like(state: State) -> Iterator[Known]:
    """f and g of the public code in one file, and each alone."""
    if not mentions(state, "f.", "g.", "conv", "bn", "out."):
        return
    config = DTNConfig.model_validate({"extractor": "strided", "classes": tuple("0123456789")})
    with torch.device("meta"):
        ours = DTN(config).state_dict()
    whole = known("f and g in one file", ours, _names(config.num_blocks))
    yield whole
    for name in "fg":
        own = {key.removeprefix(f"{name}."): shape for key, shape in whole.shapes.items() if key[0] == name}
        yield Known(f"{name} alone", own)


# -- classifiers of ccexam -----------------------------------------------------------------------


def _ccexam(state: State) -> Original | None:
    """f and its head from a digit classifier; None if it is none of the three."""
    linear = sorted(key for key in state if re.fullmatch(r"classifier\.\d+\.weight", key))
    if len(linear) != 2:
        return None
    blocks: State = {}
    for key, tensor in state.items():
        match = re.fullmatch(r"features\.(?:(\d)\.)?(\d)\.(\w+)", key)
        if match is not None:
            # A block of two convolutions has seven layers there; here all lie in one row.
            place = 7 * int(match[1] or 0) + int(match[2])
            blocks[f"f.blocks.{place}.{match[3]}"] = tensor
    for extractor, layers in CCEXAM.items():
        tensors = blocks | {"f.mean": _column(layers.mean) * 2 - 1, "f.std": _column(layers.std) * 2}
        small = layers.side // 2 ** len(layers.widths)
        for key, name in zip(linear, ("f.last", "head.conv"), strict=True):
            weight = state[key]
            side = small if name == "f.last" else 1
            if weight.ndim != 2 or weight.shape[1] % side**2:
                break
            tensors[f"{name}.weight"] = torch.unflatten(weight, 1, (-1, side, side))  # (out, in, side, side)
            tensors[f"{name}.bias"] = state.get(key.replace("weight", "bias"), torch.empty(0))
        config = DTNConfig(extractor=extractor, classes=tuple("0123456789"))
        found = _checked(config, tensors, ("f",), f"a digit classifier: f with --extractor {extractor}")
        if found is not None and set(found.tensors) >= tensors.keys():
            return found
    return None


def _column(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values)[:, None, None]  # (C, 1, 1)
