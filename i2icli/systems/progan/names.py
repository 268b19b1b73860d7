"""How the weights are called in the paper's program and in its re-implementation, and how they lie there."""

import re

from torch import Tensor

State = dict[str, Tensor]


def from_paper(state: State, kind: str) -> State | None:
    """The variables of a network ("G" or "D") of the paper's program in our names and layout.

    Convolutions lie there as (k, k, inputs, outputs), but `Conv0_up` as (k, k, outputs, inputs) and turned
    by 180 degrees; dense layers as (inputs, outputs). None if a name or shape is unknown.
    """
    finest = max((int(match[1]) for name in state if (match := re.match(r"(\d+)x\1/", name))), default=4)
    levels = finest.bit_length() - 2
    renamed: State = {}
    for name, value in state.items():
        layer, _, part = name.rpartition("/")
        ours = _paper_layer(layer, part, kind, levels)
        sides = 1 if part == "bias" else 2 if "Dense" in layer else 4
        if ours is None or part not in ("weight", "bias") or value.ndim != sides:
            return None
        renamed[ours] = _turned(value, layer) if part == "weight" else value
    return renamed


def _paper_layer(layer: str, part: str, kind: str, levels: int) -> str | None:
    if match := re.fullmatch(r"(ToRGB|FromRGB)_lod(\d+)", layer):
        level = levels - 1 - int(match[2])
        known = level >= 0 and (match[1] == "ToRGB") == (kind == "G")
        return f"{'to_rgb' if kind == 'G' else 'from_rgb'}.{level}.{part}" if known else None
    match = re.fullmatch(r"(\d+)x\1/(\w+)", layer)
    if match is None:
        return None
    level = int(match[1]).bit_length() - 3
    if kind == "G":
        first = {"Dense": f"dense.{part}" if part == "weight" else "bias", "Conv": f"conv.{part}"}
        others = {"Conv0_up": f"up.{part}", "Conv0": f"up.{part}", "Conv1": f"conv.{part}"}
    else:
        if match[2] == "Dense1":
            return f"decision.{part}"
        first = {"Conv": f"conv.{part}", "Dense0": f"dense.{part}"}
        others = {"Conv0": f"conv.{part}", "Conv1": f"down.{part}", "Conv1_down": f"down.{part}"}
    found = (others if level else first).get(match[2])
    return f"blocks.{level}.{found}" if found else None


def _turned(weight: Tensor, layer: str) -> Tensor:
    if weight.ndim == 2:
        return weight.t().contiguous()  # (outputs, inputs)
    if layer.endswith("Conv0_up"):
        return weight.permute(2, 3, 0, 1).flip(2, 3).contiguous()  # (outputs, inputs, k, k)
    return weight.permute(3, 2, 0, 1).contiguous()  # (outputs, inputs, k, k)


ZOO = {
    "G": (
        (r"formatLayer", "blocks.0.dense"),
        (r"groupScale0\.0", "blocks.0.conv"),
        (r"scaleLayers\.(\d+)\.0", "blocks.{}.up"),
        (r"scaleLayers\.(\d+)\.1", "blocks.{}.conv"),
        (r"toRGBLayers\.(\d+)", "to_rgb.{}"),
    ),
    "D": (
        (r"groupScaleZero\.0", "blocks.0.conv"),
        (r"groupScaleZero\.1", "blocks.0.dense"),
        (r"scaleLayers\.(\d+)\.0", "blocks.{}.conv"),
        (r"scaleLayers\.(\d+)\.1", "blocks.{}.down"),
        (r"fromRGBLayers\.(\d+)", "from_rgb.{}"),
        (r"decisionLayer", "decision"),
    ),
}
"""Names in the re-implementation's generator and discriminator, and here; `scaleLayers` begin at 8 px."""


def from_zoo(state: State, kind: str) -> State | None:
    """The weights of a network ("G" or "D") of the re-implementation in our names. None if one is unknown."""
    renamed: State = {}
    for name, value in state.items():
        match = re.fullmatch(r"(.+?)(?:\.module)?\.(weight|bias)", name)
        ours = _zoo_layer(match[1], kind) if match else None
        if match is None or ours is None:
            return None
        renamed[f"{ours}.{match[2]}"] = value
    return renamed


def _zoo_layer(layer: str, kind: str) -> str | None:
    for pattern, ours in ZOO[kind]:
        if match := re.fullmatch(pattern, layer):
            above = layer.startswith("scaleLayers")
            return ours.format(*(int(number) + above for number in match.groups()))
    return None


# -- how files look, for unknown ones to be compared with --------------------------------------------

LATENTS = 512
"""Numbers in a code of the published networks, and the channels of their coarse levels."""


def paper_shapes(levels: int) -> dict[str, tuple[int, ...]]:
    """The variables of a generator of the paper's program with so many levels, with the paper's widths."""
    widths = _widths(levels)
    shapes: dict[str, tuple[int, ...]] = {
        "4x4/Dense/weight": (LATENTS, 16 * widths[0]),
        "4x4/Conv/weight": (3, 3, widths[0], widths[0]),
    }
    for level in range(1, levels):
        side, below, here = 4 << level, widths[level - 1], widths[level]
        shapes[f"{side}x{side}/Conv0_up/weight"] = (3, 3, here, below)
        shapes[f"{side}x{side}/Conv1/weight"] = (3, 3, here, here)
    for level, width in enumerate(widths):
        shapes[f"ToRGB_lod{levels - 1 - level}/weight"] = (1, 1, width, 3)
    outputs = {name: shape[2 if "Conv0_up" in name else -1] for name, shape in shapes.items()}
    outputs["4x4/Dense/weight"] = widths[0]
    return shapes | {name.replace("weight", "bias"): (number,) for name, number in outputs.items()}


def zoo_shapes(levels: int) -> dict[str, tuple[int, ...]]:
    """The same of the re-implementation's generator."""
    widths = _widths(levels)
    shapes: dict[str, tuple[int, ...]] = {
        "formatLayer": (16 * widths[0], LATENTS),
        "groupScale0.0": (widths[0], widths[0], 3, 3),
    }
    for level in range(1, levels):
        shapes[f"scaleLayers.{level - 1}.0"] = (widths[level], widths[level - 1], 3, 3)
        shapes[f"scaleLayers.{level - 1}.1"] = (widths[level], widths[level], 3, 3)
    shapes |= {f"toRGBLayers.{level}": (3, width, 1, 1) for level, width in enumerate(widths)}
    biases = {f"{name}.module.bias": shape[:1] for name, shape in shapes.items()}
    return {f"{name}.module.weight": shape for name, shape in shapes.items()} | biases


def _widths(levels: int) -> list[int]:
    return [min(LATENTS, 2**13 >> level) for level in range(levels)]
