"""Networks saved by the authors' PyTorch code (NVIDIA/pix2pixHD)."""

from i2icli.originals.checkpoint import State


def without_biases(state: State) -> State:
    """Our names, without biases in front of batch norms, which ours lack: they only move the running mean."""
    found = dict(state)
    for name in state:
        layer = name.removesuffix(".norm.running_mean")
        if layer != name and f"{layer}.conv.bias" in state:
            found[name] = state[name] - found.pop(f"{layer}.conv.bias")
    return found
