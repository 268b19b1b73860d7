"""Networks saved by the authors' program and by its PyTorch re-implementation.

tkarras/progressive_growing_of_gans: pickles of the networks G, D and Gs, fused or not. Their averaged
generator, Gs, is what translates. facebookresearch/pytorch_GAN_zoo: netG, netD and avgG in one file.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from i2icli.errors import UserError
from i2icli.originals.checkpoint import Known, Original, Read, State
from i2icli.systems.progan.config import ProGANConfig
from i2icli.systems.progan.names import from_paper, from_zoo, paper_shapes, zoo_shapes
from i2icli.systems.progan.system import ProGAN

_NEEDED = {"use_wscale": 1, "normalize_latents": 1, "use_pixelnorm": 1, "use_leakyrelu": 1, "tanh_at_end": 0}
"""Settings of the authors' networks that ours always have."""
MOST_LABELS = 10_000
FADE_IMAGES = 16_000_000  # of a fade that was left in the middle: so many that its step tells any alpha


def recognise(state: State, path: Path, _read: Read) -> Original | None:
    """The networks under our names, or None if the keys are not theirs.

    Raises UserError for a file without a generator and for settings that no network here has.
    """
    parts = _parts(state)
    if any(re.fullmatch(r"(4x4|8x8)/\w+/weight", key) for part in parts.values() for key in part):
        return _paper(parts, path)
    if any(key.startswith(("formatLayer.", "decisionLayer.")) for part in parts.values() for key in part):
        return _zoo(parts, path)
    return None


def _parts(state: State) -> dict[str, State]:
    """The networks of a file by name; keys of a single one stand under ""."""
    parts: dict[str, State] = {}
    for key, value in state.items():
        match = re.match(r"(G|D|Gs|netG|netD|avgG|config)\.", key)
        name = match[1] if match else ""
        parts.setdefault(name, {})[key.removeprefix(f"{name}.") if match else key] = value
    return parts


def _paper(parts: dict[str, State], path: Path) -> Original | None:
    G, D = parts.get("Gs") or parts.get("G") or parts.get(""), parts.get("D")
    if G is None or "4x4/Dense/weight" not in G:
        raise UserError(f"{path}: this is Progressive GAN's discriminator; give a file with its generator")
    _refuse_unknown_kinds(G, path)
    renamed = from_paper(_variables(G), "G")
    discriminator = from_paper(_variables(D), "D") if D is not None else None
    if renamed is None:
        return None
    lod = _number(G, "lod", 0, (0, _levels(renamed) - 1), path)
    levels = _levels(renamed) - int(lod)  # those above were not reached
    fused = any("Conv0_up" in key for key in G)
    settings = {"convention": "paper", "fused_scale": fused}
    if D is not None and "static_kwargs/mbstd_group_size" in D:
        settings["stddev_group"] = int(_number(D, "static_kwargs/mbstd_group_size", 4, (1, 1024), path))
    elif not fused:
        settings["stddev_group"] = 16
    labels = int(_number(G, "static_kwargs/label_size", 0, (0, MOST_LABELS), path))
    return _original(renamed, discriminator, levels, labels, settings, 1 - lod % 1)


def _zoo(parts: dict[str, State], path: Path) -> Original | None:
    G, D = parts.get("avgG") or parts.get("netG") or parts.get(""), parts.get("netD")
    if G is None or not any(key.startswith("formatLayer.") for key in G):
        raise UserError(f"{path}: this is Progressive GAN's discriminator; give a file with its generator")
    renamed = from_zoo(G, "G")
    discriminator = from_zoo(D, "D") if D is not None else None
    if renamed is None:
        return None
    old = _number(parts.get("config", {}), "alpha", 0, (0, 1), path)  # weight of the level below
    settings = {"convention": "zoo", "fused_scale": False}
    return _original(renamed, discriminator, _levels(renamed), 0, settings, 1 - old)


def _refuse_unknown_kinds(G: State, path: Path) -> None:
    for name, wanted in _NEEDED.items():
        found = _number(G, f"static_kwargs/{name}", wanted, (0, 1), path)
        if found != wanted:
            raise UserError(
                f"{path}: its networks were built with {name} {bool(found)}; "
                f"only those with {bool(wanted)}, as in the paper, are known here"
            )


def _number(state: State, name: str, otherwise: float, bounds: tuple[float, float], path: Path) -> float:
    """A setting that was saved with the networks. Raises UserError for one that no network has."""
    found = state.get(name)
    if found is None:
        return otherwise
    low, high = bounds
    value = float(found) if found.numel() == 1 else float("nan")
    if not low <= value <= high:
        raise UserError(
            f"{path}: its settings give {name.rpartition('/')[2]} {value:g}; "
            f"expected a number from {low:g} to {high:g}"
        )
    return value


def _variables(state: State) -> State:
    return {
        key: value for key, value in state.items() if key != "lod" and not key.startswith("static_kwargs/")
    }


def _levels(G: State) -> int:
    return sum(re.fullmatch(r"to_rgb\.\d+\.weight", key) is not None for key in G)


def _original(
    G: State, D: State | None, levels: int, labels: int, settings: dict[str, Any], alpha: float
) -> Original | None:
    """Put together what was found, if it is exactly a network of ours. alpha: of the newest level."""
    kept = {name: value for name, value in G.items() if _level(name) < levels}
    discriminator = {name: value for name, value in (D or {}).items() if _level(name) < levels}
    side = 4 << max(levels - 1, 0)
    first = "4x4/Dense/weight" if settings["convention"] == "paper" else "formatLayer"
    reason = (
        f"{first}, {levels} levels up to {side} px{', a discriminator beside it' if D is not None else ''}"
    )
    fading = levels > 1 and alpha < 1
    notes = ["the file does not name its classes: they are called by their numbers"] * (labels > 0)
    if fading:
        notes.append(
            f"it was saved while {side} px were faded in (alpha {alpha:.2f}), and generates with that alpha"
        )
        settings |= {"fade_images": FADE_IMAGES}
    settings |= {"crop_size": side, "start_size": side // 2 if fading else side}
    config = _config(kept, discriminator, levels, labels, settings)
    if config is None:
        return None
    with torch.device("meta"):
        ours = ProGAN(config)
    if not _same_shapes(kept, ours.G.state_dict()):
        return None
    tensors = {f"G.{name}": value.float().contiguous() for name, value in kept.items()}
    if _same_shapes(discriminator, ours.D.state_dict()):
        tensors |= {f"D.{name}": value.float().contiguous() for name, value in discriminator.items()}
    if not fading:
        return Original("progan", config, tensors, tuple(notes), reason=reason)
    _, stage, _ = config.planned_stages()
    step = round(alpha * stage.steps)
    found = Original("progan", config, tensors, tuple(notes), stage=stage.name, stage_step=step)
    return replace(found, reason=reason)


def networks_like(state: State) -> Iterator[Known]:
    """Generators of both programs, up to the resolution that an unknown file seems to have."""
    sides = [int(match[1]) for key in state if (match := re.search(r"(?:^|\.)(\d{1,4})x\1/", key))]
    levels = max(sides, default=128).bit_length() - 2
    if 1 < levels < 12:
        yield Known(f"the authors' generator of {4 << levels - 1} px", paper_shapes(levels))
    scales = len({match[1] for key in state if (match := re.search(r"scaleLayers\.(\d+)\.", key))})
    levels = min(scales or 5, 10) + 1
    yield Known(f"pytorch_GAN_zoo's generator of {4 << levels - 1} px", zoo_shapes(levels))


def _config(G: State, D: State, levels: int, labels: int, settings: dict[str, Any]) -> ProGANConfig | None:
    """The settings completed by the sizes of the weights; None for sizes beyond what any such network has."""
    codes = G.get("blocks.0.dense.weight")
    heads = [G.get(f"to_rgb.{level}.weight", torch.empty(0)) for level in range(levels)]
    if not heads or codes is None or codes.ndim != 2 or any(head.ndim != 4 for head in heads):
        return None
    widths = [head.shape[1] for head in heads]
    dense = D.get("blocks.0.dense.weight")
    sizes = {
        "num_latents": codes.shape[1] - labels,
        "channels": (len(heads[0]),),
        "width": max([*widths, dense.shape[0] if dense is not None and dense.ndim == 2 else 0]),
        "widths": widths,
        "conditional": labels > 0,
        "classes": tuple(str(number + 1) for number in range(labels)),
    }
    try:
        return ProGANConfig.model_validate(settings | sizes)
    except ValueError:
        return None


def _level(name: str) -> int:
    """The level that a layer belongs to."""
    match = re.match(r"(?:blocks|to_rgb|from_rgb)\.(\d+)\.", name)
    return int(match[1]) if match else 0


def _same_shapes(found: State, wanted: State) -> bool:
    return {name: value.shape for name, value in found.items()} == {
        name: value.shape for name, value in wanted.items()
    }
