"""How the authors' code numbers the layers of vid2vid's networks, beside our names for them.

Names are prefixes, as for pix2pixHD: "model_down_seg.4" stands for its weight and its bias; layers without
weights take a number too.
"""

BRANCHES = {"seg": "maps", "img": "frames"}
HEADS = {"img": "image", "flow": "flow", "w": "weight"}


def coarse_names(depth: int, num_blocks: int) -> dict[str, str]:
    """Prefixes of the generator at the coarsest scale (`_net_G0.pth`)."""
    after = num_blocks // 2  # blocks of each decoder; the others are in the encoders
    names = _head_names()
    for theirs, ours in BRANCHES.items():
        names |= _encoder_names(f"model_down_{theirs}", ours, depth, num_blocks - after)
    for theirs, ours in (("img", "image"), ("flow", "flow")):
        names |= _block_names(f"model_res_{theirs}", ours, after)
        names |= _up_names(f"model_up_{theirs}", ours, depth)
    names |= _encoder_names("indv_down", "foreground_maps", depth, 0)
    names |= _block_names("indv_res", "foreground", num_blocks)
    return names | _up_names("indv_up", "foreground", depth)


def local_names(num_blocks: int) -> dict[str, str]:
    """Prefixes of a local generator (`_net_G1.pth`, ...)."""
    names = _head_names()
    for theirs, ours in (*((f"model_down_{key}", each) for key, each in BRANCHES.items()),
                         ("indv_down", "foreground_maps")):  # fmt: skip
        names |= _encoder_names(theirs, ours, 1, 0)
    for theirs, ours in (("model_up_img", "image"), ("model_up_flow", "flow"), ("indv_up", "foreground")):
        names |= _block_names(theirs, ours, num_blocks)
        names |= _up_names(theirs, ours, 1, num_blocks)
    return names


def discriminator_names(num_scales: int, num_layers: int) -> dict[str, str]:
    """Prefixes of discriminators of so many layers before the scores (`_net_D.pth`, `_net_D_T0.pth`, ...)."""
    names = {}
    for scale in range(num_scales):
        theirs, ours = f"scale{scale}_layer", f"scales.{scale}"
        names[f"{theirs}0.0"] = f"{ours}.stem"
        for layer in range(1, num_layers):
            names[f"{theirs}{layer}.0"] = f"{ours}.layers.{layer - 1}.conv"
            names[f"{theirs}{layer}.1"] = f"{ours}.layers.{layer - 1}.norm"
        names[f"{theirs}{num_layers}.0"] = f"{ours}.head"
    return names


def _head_names() -> dict[str, str]:
    names = {f"model_final_{theirs}.1": f"heads.{ours}" for theirs, ours in HEADS.items()}
    return names | {"indv_final.1": "heads.foreground"}


def _encoder_names(theirs: str, ours: str, depth: int, num_blocks: int) -> dict[str, str]:
    names = {f"{theirs}.1": f"{ours}.stem.conv", f"{theirs}.2": f"{ours}.stem.norm"}
    for level in range(depth):
        names[f"{theirs}.{4 + 3 * level}"] = f"{ours}.down.{level}.conv"
        names[f"{theirs}.{5 + 3 * level}"] = f"{ours}.down.{level}.norm"
    return names | _block_names(theirs, ours, num_blocks, 4 + 3 * depth)


def _up_names(theirs: str, ours: str, depth: int, first: int = 0) -> dict[str, str]:
    names = {}
    for level in range(depth):
        names[f"{theirs}.{first + 3 * level}"] = f"{ours}.up.{level}.conv"
        names[f"{theirs}.{first + 3 * level + 1}"] = f"{ours}.up.{level}.norm"
    return names


def _block_names(theirs: str, ours: str, num_blocks: int, first: int = 0) -> dict[str, str]:
    names = {}
    for block in range(num_blocks):
        inner, own = f"{theirs}.{first + block}.conv_block", f"{ours}.blocks.{block}"
        for number, layer in ((1, "first.conv"), (2, "first.norm"), (5, "second.conv"), (6, "second.norm")):
            names[f"{inner}.{number}"] = f"{own}.{layer}"
    return names
