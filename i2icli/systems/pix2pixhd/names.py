"""How the authors' code numbers the layers of pix2pixHD's networks, beside our names for them.

Names are prefixes: "model.4" stands for "model.4.weight" and "model.4.bias". Layers without weights take a
number too (padding, ReLU), which is what makes the gaps.
"""

from i2icli.nn.growth import SMALL


def resnet_names(depth: int, num_blocks: int, ours: str = "") -> dict[str, str]:
    """Prefixes of the global generator, or with no blocks the encoder; `ours` is put before our names."""
    names = {"model.1": "stem.conv", "model.2": "stem.norm"}
    first_block = 4 + 3 * depth
    after = first_block + num_blocks
    for level in range(depth):
        names |= {
            f"model.{4 + 3 * level}": f"down.{level}.conv",
            f"model.{5 + 3 * level}": f"down.{level}.norm",
        }
        up = after + 3 * level
        names |= {f"model.{up}": f"up.{level}.conv", f"model.{up + 1}": f"up.{level}.norm"}
    names[f"model.{after + 3 * depth + 1}"] = "head"
    for block in range(num_blocks):
        names |= _block_names(f"model.{first_block + block}", f"blocks.{block}")
    return {theirs: f"{ours}{each}" for theirs, each in names.items()}


def enhancer_names(number: int, num_blocks: int) -> dict[str, str]:
    """Prefixes of a local enhancer, the first of which is number 1."""
    first, second, ours = f"model{number}_1", f"model{number}_2", f"levels.{number - 1}"
    names = {
        f"{first}.1": f"{ours}.stem.conv",
        f"{first}.2": f"{ours}.stem.norm",
        f"{first}.4": f"{ours}.down.conv",
        f"{first}.5": f"{ours}.down.norm",
        f"{second}.{num_blocks}": f"{ours}.up.conv",
        f"{second}.{num_blocks + 1}": f"{ours}.up.norm",
        f"{second}.{num_blocks + 4}": f"{ours}.head",
    }
    for block in range(num_blocks):
        names |= _block_names(f"{second}.{block}", f"{ours}.blocks.{block}")
    return names


def grown_names(depth: int, num_blocks: int, num_enhancers: int, num_enhancer_blocks: int) -> dict[str, str]:
    """Prefixes of the global generator inside local enhancers."""
    names = resnet_names(depth, num_blocks, f"{SMALL}.")
    for number in range(1, num_enhancers + 1):
        names |= enhancer_names(number, num_enhancer_blocks)
    return names


def _block_names(theirs: str, ours: str) -> dict[str, str]:
    return {
        f"{theirs}.conv_block.1": f"{ours}.first.conv",
        f"{theirs}.conv_block.2": f"{ours}.first.norm",
        f"{theirs}.conv_block.5": f"{ours}.second.conv",
        f"{theirs}.conv_block.6": f"{ours}.second.norm",
    }


def discriminator_names(num_scales: int, num_layers: int) -> dict[str, str]:
    """Prefixes of the discriminators, in both of the authors' spellings; num_layers: before the scores."""
    names = {}
    for scale in range(num_scales):
        ours = ["stem", *(f"layers.{layer}" for layer in range(num_layers - 1)), "head"]
        for layer, name in enumerate(ours):
            place, inner = max(0, 3 * layer - 1), name.startswith("layers")
            conv = f"scales.{scale}.{name}{'.conv' * inner}"
            names[f"scale{scale}_layer{layer}.0"] = names[f"layer{scale}.{place}"] = conv
            if inner:
                norm = f"scales.{scale}.{name}.norm"
                names[f"scale{scale}_layer{layer}.1"] = names[f"layer{scale}.{place + 1}"] = norm
    return names
