"""Networks saved by the authors' PyTorch code (NVIDIA/vid2vid).

Its files hold one network each: `<epoch>_net_G0.pth` at the coarsest scale, `_G1` ... the local generators,
and beside them `_D`, `_D_T0`, `_D_T1`, which can only go on learning. Everything but the meaning of the input
channels follows from names and shapes. Its single-image generators are pix2pixHD's.
"""

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import torch

from i2icli.class_files import read_classes
from i2icli.classes import numbered
from i2icli.errors import UserError
from i2icli.originals.checkpoint import (
    Known,
    Original,
    Read,
    State,
    fit,
    inputs_in,
    known,
    mentions,
    rename,
    width_in,
    without_biases,
)
from i2icli.systems.vid2vid.config import Vid2VidConfig
from i2icli.systems.vid2vid.names import coarse_names, discriminator_names, local_names
from i2icli.systems.vid2vid.system import Vid2Vid
from i2icli.written import counted

CITYSCAPES = 35  # classes of the published model
CAR = "26"  # the id that is its foreground
NO_LABELS = (1, 2, 3, 4, 6, 15)  # planes of given films; 6: dense poses and skeletons, 15: faces

MAPS, FRAMES, HEAD = "model_down_seg.1.weight", "model_down_img.1.weight", "model_final_img.1.weight"


def recognise(state: State, path: Path, read: Read) -> Original | None:
    """The generators of all scales that lie beside each other, or None for something else's keys.

    Raises UserError for a local generator whose coarsest one is not beside it.
    """
    if any(name not in state or state[name].ndim != 4 for name in (MAPS, FRAMES, HEAD)):
        return None
    parts = _parts(state, path, read)
    try:
        settings = _settings(parts)
        discriminators = _discriminators(path, read)
        settings |= _discriminator_settings(discriminators, len(parts))
        config = Vid2VidConfig.model_validate(settings)
    except (ValueError, KeyError, ZeroDivisionError):
        return None  # sizes that no such network has
    tensors = _generator_tensors(config, parts)
    if tensors is None:
        return None
    others = _discriminator_tensors(config, discriminators)
    reason = (
        f"{MAPS} and {FRAMES} of 7x7 to {config.width} channels, {HEAD}, {config.depth} down-samplings, "
        f"{config.num_blocks} residual blocks, {len(parts)} scales"
    )
    return Original("vid2vid", config, tensors | others, _notes(config, others), reason=reason)


def networks_like(state: State) -> Iterator[Known]:
    """The coarsest generator in a size like that of an unknown file."""
    if not mentions(state, "model_"):
        return
    depth = min(max(_depth(state), 1), 5) if MAPS in state else 3
    blocks = len({key.split(".")[1] for key in state if key.startswith("model_res_img.")})
    num_blocks = min(2 * blocks or 9, 50)
    sizes = {"depth": depth, "num_blocks": num_blocks, "width": width_in(state, MAPS), "crop_size": 512}
    planes = max(1, inputs_in(state, MAPS, 111) // 3)
    source = {"classes": numbered(planes), "boundaries": False, "grown": 0}
    config = Vid2VidConfig.model_validate(sizes | source)
    with torch.device("meta"):
        network = Vid2Vid(config).G.state_dict()
    inside = "scales.0."
    ours = {name.removeprefix(inside): each for name, each in network.items() if name.startswith(inside)}
    yield known(f"a generator of {num_blocks} blocks", ours, coarse_names(depth, num_blocks))


def _parts(state: State, path: Path, read: Read) -> list[State]:
    """The generators of all scales, the coarsest first."""
    match = re.fullmatch(r"(.*_net_G)(\d+)", path.stem)
    if match is None or (match[2] != "0" and not _beside(path, match[1], 0).is_file()):
        if _number(lambda k: f"model_res_img.{k}.conv_block.1.weight" in state) or _depth(state) > 1:
            return [state]
        raise UserError(
            f"{path}: a local generator of vid2vid; expected the generator of the coarsest scale beside it "
            "(.._net_G0.pth and .._net_G1.pth in one folder)"
        )
    numbers = range(_number(lambda k: _beside(path, match[1], k).is_file()))
    return [state if k == int(match[2]) else read(_beside(path, match[1], k)) for k in numbers]


def _beside(path: Path, start: str, number: int) -> Path:
    return path.with_name(f"{start}{number}{path.suffix}")


def _depth(state: State) -> int:
    """Down-samplings of a generator: convolutions that double the channels."""

    def doubles(level: int) -> bool:
        weight = state.get(f"model_down_seg.{4 + 3 * level}.weight")
        return weight is not None and weight.ndim == 4 and weight.shape[0] == 2 * weight.shape[1]

    return _number(doubles)


def _settings(parts: list[State]) -> dict[str, Any]:
    """What names and shapes tell. Raises ValueError or KeyError for what no such network has."""
    coarse, depth = parts[0], _depth(parts[0])
    shown, width = len(coarse[HEAD]), len(coarse[MAPS])
    frames = coarse[FRAMES].shape[1] // shown + 1
    planes, rest = divmod(coarse[MAPS].shape[1], frames)
    if rest or not depth or coarse[FRAMES].shape[1] % shown:
        raise ValueError
    before = _number(lambda k: f"model_down_seg.{4 + 3 * depth + k}.conv_block.1.weight" in coarse)
    after = _number(lambda k: f"model_res_img.{k}.conv_block.1.weight" in coarse)
    local = _number(lambda k: f"model_up_img.{k}.conv_block.1.weight" in parts[-1])
    grown = len(parts) - 1
    side = max(256, 2 << depth + grown)
    return _source_settings(planes, shown, foreground="indv_down.1.weight" in coarse) | {
        "width": width,
        "depth": depth,
        "num_blocks": before + after,
        "num_local_blocks": local or 3,
        "num_frames": frames,
        "norm": "batch" if "model_down_seg.2.weight" in coarse else "instance",
        "flow": "model_final_flow.1.weight" in coarse,
        "first_frames": "real",
        "grown": grown,
        "grown_before": grown,
        "crop_size": (side, 2 * side),
    }


def _source_settings(planes: int, shown: int, *, foreground: bool) -> dict[str, Any]:
    """What the planes of a frame are: classes and boundaries, or channels of a film."""
    if planes in NO_LABELS and not foreground:
        return {"channels": (planes, shown), "perceptual": "vgg19" if planes in (1, 3) else "off"}
    boundaries = planes != CITYSCAPES
    number = planes - boundaries
    classes = read_classes("cityscapes").classes if number == CITYSCAPES else numbered(number)
    names = [str(each.id) for each in classes]
    chosen = (CAR if CAR in names else names[-1],) if foreground else ()
    return {
        "classes": classes,
        "boundaries": boundaries,
        "instances": boundaries,
        "foreground": chosen,
        "channels": (shown,),
    }


def _generator_tensors(config: Vid2VidConfig, parts: list[State]) -> State | None:
    """The tensors as our networks want them; None if they are not exactly these networks'."""
    ours: State = {}
    for level, state in enumerate(parts):
        names = (
            local_names(config.num_local_blocks) if level else coarse_names(config.depth, config.num_blocks)
        )
        renamed = _renamed(state, names)
        if renamed is None:
            return None
        ours |= {f"G.scales.{level}.{name}": tensor for name, tensor in renamed.items()}
    with torch.device("meta"):
        system = Vid2Vid(config)
    wanted = {f"G.{name}": tensor for name, tensor in system.G.state_dict().items()}
    return fit(ours, wanted) if ours.keys() <= wanted.keys() else None


def _renamed(state: State, names: dict[str, str]) -> State | None:
    """Tensors under our names, without what norms take away or never used."""
    ours = rename(state, names)
    if ours is None or any(name.endswith("norm.weight") for name in ours):
        return ours and without_biases(ours)
    return {
        name: tensor
        for name, tensor in ours.items()
        if ".norm." not in name and not name.endswith(".conv.bias")
    }


def _discriminators(path: Path, read: Read) -> dict[str, State]:
    """Those that lie beside a generator: "D", and "D_T.0" ..."""
    match = re.fullmatch(r"(.*_net_)G\d+", path.stem)
    if match is None:
        return {}
    files = {"D": path.with_name(f"{match[1]}D{path.suffix}")}
    files |= {f"D_T.{scale}": path.with_name(f"{match[1]}D_T{scale}{path.suffix}") for scale in range(4)}
    return {name: read(file) for name, file in files.items() if file.is_file()}


def _discriminator_settings(found: dict[str, State], num_parts: int) -> dict[str, Any]:
    """The sizes of the discriminators of frames, if they are there."""
    if "D" not in found:
        return {}
    state = found["D"]
    scales = _number(lambda k: f"scale{k}_layer0.0.weight" in state)
    layers = _number(lambda k: f"scale0_layer{k}.0.weight" in state)
    return {
        "num_scales": scales - num_parts + 1,
        "num_layers": layers - 2,
        "discriminator_width": len(state[f"scale{scales - 1}_layer0.0.weight"]),
    }


def _discriminator_tensors(config: Vid2VidConfig, found: dict[str, State]) -> State:
    """Those that fit ours, under our names."""
    with torch.device("meta"):
        system = Vid2Vid(config)
    names = discriminator_names(config.num_scales + config.grown, config.num_layers + 1)
    tensors: State = {}
    for name, state in found.items():
        renamed = _renamed(state, names)
        wanted = {key: value for key, value in system.state_dict().items() if key.startswith(f"{name}.")}
        ours = renamed and fit({f"{name}.{key}": value for key, value in renamed.items()}, wanted)
        tensors |= ours or {}
    return tensors


def _notes(config: Vid2VidConfig, discriminators: State) -> tuple[str, ...]:
    """What names and shapes leave open."""
    if config.reads == "labels":
        number = len(config.label_set.classes)
        names = "taken for Cityscapes'" if number == CITYSCAPES else "whose names the file does not tell"
        edges = "and the boundaries of instances" if config.boundaries else "without boundaries"
        notes = [f"the generator reads {counted(number, 'class')}, {names}, {edges}"]
        if config.foreground:
            notes.append(f"its foreground is taken for class {config.foreground[0]}, as in the paper")
    else:
        channels = counted(config.source_channels, "channel")
        notes = [f"the generator reads {channels} of a video, of unknown kind"]
    if config.norm == "batch":
        notes.append("batch norm uses the statistics of each frame, as the authors' test program does")
    notes.append("it may have learned no first frames: give one (--first-frame or --first-model)")
    if discriminators:
        notes.append("the discriminators beside it serve --init-from")
    return tuple(notes)


def _number(there: Callable[[int], bool]) -> int:
    """How many of something there are, numbered from 0."""
    return next(index for index in count() if not there(index))
