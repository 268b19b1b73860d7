"""pix2pix's and CycleGAN's generators in files of others: read once, for both systems."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from i2icli.originals.checkpoint import State, Weights, fit, mentions, number_of, rename, without_biases
from i2icli.originals.classic_names import (
    PIXEL_NAMES,
    Layout,
    find_layout,
    named_names,
    patch_names,
    resnet_names,
    unet_names,
)


@dataclass(frozen=True)
class ClassicGenerator:
    """A U-Net or a ResNet, as far as its file tells."""

    layout: Layout
    norm: str
    tensors: State  # under our names, not yet compared with a network of ours

    @property
    def settings(self) -> dict[str, Any]:
        """What keys and shapes tell, under the names that both systems' settings share."""
        unet = self.layout.generator == "unet"
        first = self.tensors["down.0.conv.weight" if unet else "stem.conv.weight"]
        head = self.tensors["head.weight"]
        settings = {
            "width": first.shape[0],
            "channels": (first.shape[1], head.shape[1] if unet else head.shape[0]),  # transposed: (in, out)
            "norm": self.norm,
            "dropout": 0.5 if self.layout.dropout else 0.0,
        }
        if unet:
            return settings
        settings |= {"num_blocks": self.layout.size, "upsampling": self.layout.upsampling}
        return settings | {"down_padding": self.layout.down_padding}

    @property
    def reason(self) -> str:
        """By which layers it was recognised."""
        unet = self.layout.generator == "unet"
        first = "down.0.conv" if unet else "stem.conv"
        weight = self.tensors[f"{first}.weight"]
        seen = [f"{self.layout.theirs(first)}.weight of {_kernel(weight)} to {weight.shape[0]} channels"]
        if unet:
            seen.append(f"{self.layout.size} down-samplings nested in each other")
        else:
            inner = self.layout.theirs("blocks.0.first.conv")
            seen.append(f"{self.layout.size} residual blocks ({inner}.weight ...)")
        seen.append(f"{self.layout.theirs('head')}.weight")
        return f"{', '.join(seen)}, and {_NORMS[self.norm]}"

    def fitted(self, wanted: State) -> State | None:
        """The tensors as our generator wants them, float32; None if they are not exactly this network's.

        Counters of batch norm, which old files lack, become 0, as do biases that some programs leave out
        beside a missing norm, or in front of one that takes them away.
        """
        if not self.tensors.keys() <= wanted.keys():
            return None
        optional = self.norm in ("none", "affine-instance")
        return fit(self.tensors, wanted, lambda n: 0.0 if optional and n.endswith("conv.bias") else None)


_NORMS = {
    "batch": "running statistics beside its norms",
    "affine-instance": "weights but no running statistics in its norms",
    "instance": "no weights in its norms",
    "none": "neither norms nor biases in front of them",
}


def read_generator(state: State) -> ClassicGenerator | None:
    """The generator in a state dict; None if the keys are something else's."""
    layout = find_layout(state)
    ours = rename(state, layout.names) if layout else None
    if layout is None or ours is None or "head.weight" not in ours or ours["head.weight"].ndim != 4:
        return None
    norm, tensors = _norm(ours)
    return ClassicGenerator(layout, norm, tensors)


def _norm(state: State) -> tuple[str, State]:
    """The norm, found from what is there, and the state without what it holds for nothing.

    Instance norms of library 0.3 stored running statistics that the program never used. Batch norms have
    weights and statistics, instance norms with weights no statistics; a network without norm has no bias in
    front of where the norm would be.
    """
    if any(name.endswith("norm.weight") for name in state):
        tracked = any(name.endswith("norm.running_mean") for name in state)
        return ("batch", without_biases(state)) if tracked else ("affine-instance", state)
    kept = {name: tensor for name, tensor in state.items() if ".norm." not in name}
    has_bias = any(name.endswith(".conv.bias") for name in kept)
    return ("instance" if has_bias else "none"), kept


def _kernel(weight: Any) -> str:
    return "x".join(map(str, weight.shape[2:]))


def is_discriminator(state: State) -> bool:
    """PatchGAN: model.0, model.2, 4x4; PixelGAN: net.0, net.2, 1x1; both end in one channel."""
    for first, second, side in (("model.0.weight", "model.2.weight", 4), ("net.0.weight", "net.2.weight", 1)):
        if first in state and second in state and state[first].shape[2:] == (side, side):
            return True
    return False


def generator_weights(state: State) -> Weights | None:
    """A generator for a training to start from; None if the keys are something else's."""
    found = read_generator(state)
    if found is None:
        return None
    settings = {name: each for name, each in found.settings.items() if name != "channels"}
    if found.layout.generator == "unet":  # its keys do not show dropout
        del settings["dropout"]
        settings["depth"] = found.layout.size
    return Weights(found.tensors, settings)


def discriminator_weights(state: State) -> Weights | None:
    """A discriminator for a training to start from; None if the keys are something else's.

    As in generators, old files keep statistics beside instance norms for nothing.
    """
    if not is_discriminator(state):
        return None
    pixel = "net.0.weight" in state
    layers = (number for number in range(1, 10) if f"model.{3 * number + 2}.weight" in state)
    num_layers = max(layers, default=0)
    ours = rename(state, PIXEL_NAMES if pixel else patch_names(num_layers))
    if ours is None or not (pixel or num_layers):
        return None
    norm, tensors = _norm(ours)
    width = len(next(iter(state.values())))
    return Weights(
        tensors, {"discriminator_width": width, "norm": norm} | ({} if pixel else {"num_layers": num_layers})
    )


def layouts_like(state: State) -> Iterator[tuple[str, Layout]]:
    """Every kind of generator in a size like that of an unknown file, in words and as layout."""
    if mentions(state, "model.model."):
        levels = number_of(lambda k: f"{'model.model.1.model' + '.3.model' * k}.1.weight" in state, 7, 9)
        yield (
            f"a U-Net of {1 + levels} down-samplings",
            Layout("unet", 1 + levels, False, unet_names(1 + levels)),
        )
    elif mentions(state, "model."):
        yield _numbered_like(state, "conv_block", resized=False)
        yield _numbered_like(state, "block", resized=True)
    if mentions(state, "initial.", "down_blocks.", "res_blocks.", "residual_blocks."):
        name = "residual_blocks" if mentions(state, "residual_blocks.") else "res_blocks"
        blocks = number_of(lambda number: mentions(state, f"{name}.{number}."), 9)
        yield f"a ResNet of {blocks} named blocks", Layout("resnet", blocks, False, named_names(blocks, name))


def _numbered_like(state: State, block: str, *, resized: bool) -> tuple[str, Layout]:
    """A ResNet whose layers have numbers."""
    found = {key.split(".")[1] for key in state if key.startswith("model.") and f".{block}." in key}
    blocks = min(len(found) or 9, 50)
    dropout = f"model.10.{block}.6.weight" in state and f"model.10.{block}.5.weight" not in state
    names = resnet_names(blocks, dropout, block=block, resized=resized)
    layout = Layout("resnet", blocks, dropout, names, "nearest" if resized else "transposed")
    return f"a ResNet of {blocks} blocks", layout


def likely_norm(state: State) -> str:
    """The norm that an unknown file seems to have: of its weights (C,), and statistics beside them."""
    if not any(name.endswith("weight") and tensor.ndim == 1 for name, tensor in state.items()):
        return "instance"
    return "batch" if any(name.endswith("running_mean") for name in state) else "affine-instance"
