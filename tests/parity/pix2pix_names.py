"""Our discriminators' names for those of the reference; generators are in i2icli.originals.classic_names."""


def patch_names(num_layers: int) -> dict[str, str]:
    """Prefixes of a patch discriminator: theirs -> ours."""
    names = {"model.0": "stem", f"model.{3 * num_layers + 2}": "head"}
    for layer in range(num_layers):
        names[f"model.{3 * layer + 2}"] = f"layers.{layer}.conv"
        names[f"model.{3 * layer + 3}"] = f"layers.{layer}.norm"
    return names


PIXEL_NAMES = {"net.0": "stem", "net.2": "layer.conv", "net.3": "layer.norm", "net.5": "head"}
"""Prefixes of a pixel discriminator: theirs -> ours."""
