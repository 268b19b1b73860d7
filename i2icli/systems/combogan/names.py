"""The names of layers in the authors' files (AAnoosheh/ComboGAN), and ours for them."""

from i2icli.originals.checkpoint import State

_BLOCK = {
    "conv_block.1": "first.conv",
    "conv_block.2": "first.norm",
    "conv_block.3": "first.activation",
    "conv_block.5": "second",
    "conv_block.6": "norm",
}


def count_blocks(state: State) -> int:
    """Residual blocks in a file."""
    return len({key.split(".")[1] for key in state if ".conv_block." in key})


def encoder_names(num_blocks: int) -> dict[str, str]:
    """Prefixes of an encoder: theirs -> ours."""
    names: dict[str, str] = {}
    for place, ours in ((1, "stem"), (4, "down.0"), (7, "down.1")):
        names |= _layer(place, ours)
    return names | _blocks(10, num_blocks)


def decoder_names(num_blocks: int) -> dict[str, str]:
    """Prefixes of a decoder: theirs -> ours."""
    names = _blocks(0, num_blocks)
    names |= _layer(num_blocks, "up.0") | _layer(num_blocks + 3, "up.1")
    return names | {f"model.{num_blocks + 7}": "head"}


def shared_names(num_blocks: int) -> dict[str, str]:
    """Prefixes of one half of the shared centre: theirs -> ours."""
    return _blocks(0, num_blocks)


def branch_names(num_layers: int) -> dict[str, str]:
    """Prefixes of a discriminator with both of its branches: theirs -> ours."""
    names: dict[str, str] = {}
    for theirs, ours in (("model_gray", "gray"), ("model_rgb", "colour")):
        names |= {f"{theirs}.0.0": f"{ours}.stem.conv", f"{theirs}.0.1": f"{ours}.stem.activation"}
        for stage in range(1, num_layers + 1):
            layer = f"{ours}.last" if stage == num_layers else f"{ours}.layers.{stage - 1}"
            for place, part in enumerate(("conv", "norm", "activation")):
                names[f"{theirs}.{stage}.{place}"] = f"{layer}.{part}"
        names[f"{theirs}.{num_layers}.3"] = f"{ours}.head"
    return names


def _layer(place: int, ours: str) -> dict[str, str]:
    parts = enumerate(("conv", "norm", "activation"))
    return {f"model.{place + offset}": f"{ours}.{part}" for offset, part in parts}


def _blocks(first: int, number: int) -> dict[str, str]:
    return {
        f"model.{first + block}.{theirs}": f"blocks.{block}.{ours}"
        for block in range(number)
        for theirs, ours in _BLOCK.items()
    }
