"""Networks saved by the authors' PyTorch code (NVIDIA/pix2pixHD).

Its files hold one network each: `<epoch>_net_G.pth`, and beside it `_E` and `features_clustered_010.npy`
where features were learned. Everything but the meaning of the input channels follows from names and shapes.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from i2icli.class_files import read_classes
from i2icli.classes import LabelClass, numbered
from i2icli.errors import UserError
from i2icli.originals.checkpoint import (
    Known,
    Original,
    Part,
    Read,
    State,
    Weights,
    fit,
    inputs_in,
    known,
    mentions,
    number_of,
    rename,
    width_in,
)
from i2icli.originals.options_file import options_beside
from i2icli.systems.pix2pixhd.cluster_file import PATTERN, read_clusters
from i2icli.systems.pix2pixhd.config import Pix2PixHDConfig
from i2icli.systems.pix2pixhd.layout import (
    Layout,
    find_layout,
    has_kernel,
    number_there,
    renamed,
    without_norms,
)
from i2icli.systems.pix2pixhd.names import discriminator_names
from i2icli.systems.pix2pixhd.styles import Styles
from i2icli.systems.pix2pixhd.system import Pix2PixHD
from i2icli.written import counted

CITYSCAPES = 35  # classes of the published model

Clusters = Mapping[int, Tensor]
"""(K, F) by class index."""


def recognise(state: State, path: Path, read: Read) -> Original | None:
    """A global generator or local enhancers, with the encoder beside it, or None for something else's keys.

    Raises UserError for the other networks of the same code, which cannot translate alone.
    """
    _refuse_others(state, path)
    layout = find_layout(state)
    ours = renamed(state, layout)
    if layout is None or not layout.num_blocks or ours is None:
        return None
    tensors = {f"G.{name}": tensor for name, tensor in ours.items()}
    if layout.head not in tensors:
        return None
    encoder = _encoder(path, read) or {}
    tensors |= {f"E.{name}": tensor for name, tensor in encoder.items()}
    clusters = _clusters_beside(path) if encoder else {}
    options = options_beside(path)
    try:
        config = Pix2PixHDConfig.model_validate(_settings(layout, tensors, clusters, options))
    except ValueError:
        return None  # sizes beyond what any such network has
    filled = _filled_and_checked(config, tensors, clusters)
    if filled is None:
        return None
    reason = (
        f"model.1.weight of 7x7 to {counted(config.width, 'channel')}, {layout.depth} down-samplings, "
        f"{layout.num_blocks} residual blocks, {layout.enhancers} local enhancers (model1_1 ...)"
    )
    return Original("pix2pixhd", config, filled, _notes(config, clusters), reason=reason)


def parts(_config: Pix2PixHDConfig) -> dict[str, Part]:
    """Those beside a generator, which is read with its encoder, for a training to start from each alone."""
    return {"E": Part("E", _encoder_weights), "D": Part("D", _discriminator_weights)}


def _encoder_weights(state: State) -> Weights | None:
    layout = find_layout(state)
    found = renamed(state, layout)
    return Weights(found) if layout is not None and not layout.num_blocks and found is not None else None


def _discriminator_weights(state: State) -> Weights | None:
    num_scales = number_there(lambda k: mentions(state, f"scale{k}_layer0.", f"layer{k}.0."))
    layers = number_there(lambda k: mentions(state, f"scale0_layer{k}.0.", f"layer0.{max(0, 3 * k - 1)}."))
    ours = rename(state, discriminator_names(num_scales, layers - 1)) if num_scales and layers > 2 else None
    if ours is None:
        return None
    if not any(name.endswith("norm.weight") for name in ours):
        ours = without_norms(ours)
    return Weights(ours, {"discriminator_width": len(next(iter(ours.values()))), "num_layers": layers - 2})


def networks_like(state: State) -> Iterator[Known]:
    """Global generators, alone and in local enhancers, in a size like that of an unknown file."""
    if not mentions(state, "model."):
        return
    found = find_layout(state) or Layout(4, 9)
    width, planes = width_in(state, "model.1.weight"), inputs_in(state, "model.1.weight", 36)
    for enhancers in sorted({0, 1, min(found.enhancers, 3)}):
        blocks = found.num_blocks if 0 < found.num_blocks <= 50 else 9
        inner = number_of(lambda k: f"model1_2.{k}.conv_block.1.weight" in state, 3)
        layout = Layout(min(found.depth, 6), blocks, enhancers, inner)
        sizes = {"depth": layout.depth, "num_blocks": blocks, "width": width, "num_enhancer_blocks": inner}
        config = Pix2PixHDConfig.model_validate(
            sizes
            | {
                "classes": numbered(planes),
                "boundaries": False,
                "grown": enhancers,
                "grown_before": enhancers,
                "crop_size": 512,
            }
        )
        with torch.device("meta"):
            network = Pix2PixHD(config).G
        what = f"a generator of {layout.depth} down-samplings and {enhancers} local enhancers"
        yield known(what, network.state_dict(), layout.names)


def _refuse_others(state: State, path: Path) -> None:
    """Raise UserError for discriminators and for the encoder."""
    generator = "give the generator's file beside it (.._net_G.pth)"
    for first in ("scale0_layer0.0.weight", "layer0.0.weight"):
        if has_kernel(state, first, 4):
            raise UserError(f"{path}: these are discriminators of pix2pixHD or vid2vid; {generator}")
    layout = find_layout(state)
    if layout is not None and not layout.num_blocks and renamed(state, layout) is not None:
        raise UserError(f"{path}: this is pix2pixHD's encoder of features; {generator}")


def _encoder(path: Path, read: Read) -> State | None:
    """The encoder beside a generator, under our names; None if there is none. Raises UserError for others."""
    beside = path.with_name(path.name.replace("_net_G", "_net_E"))
    if beside == path or not beside.is_file():
        return None
    state = read(beside)
    layout = find_layout(state)
    found = renamed(state, layout)
    if layout is None or layout.num_blocks or found is None:
        raise UserError(f"{beside}: not the encoder of the generator {path.name}; move it away to do without")
    return found


def _clusters_beside(path: Path) -> Clusters:
    """The clusters beside a generator; empty if there are none."""
    files = sorted(path.parent.glob(PATTERN))
    return read_clusters(files[-1]) if files else {}


def _settings(
    layout: Layout, tensors: State, clusters: Clusters, options: Mapping[str, str]
) -> dict[str, Any]:
    """What names and shapes tell, and options beside the file, as settings."""
    inside = "G.small." if layout.enhancers else "G."
    stem = tensors[f"{inside}stem.conv.weight"]
    encoder = _encoder_settings(tensors, clusters) if "E.stem.conv.weight" in tensors else {}
    planes = stem.shape[1] - encoder.get("num_features", 0)
    boundaries = _has_boundaries(planes, options)
    side = max(512, 2 << max(layout.depth, encoder.get("encoder_depth", 0)) + layout.enhancers)
    return encoder | {
        "classes": _classes(planes - boundaries),
        "instances": boundaries or bool(encoder),
        "boundaries": boundaries,
        "channels": (tensors[layout.head].shape[0],),
        "width": stem.shape[0],
        "depth": layout.depth,
        "num_blocks": layout.num_blocks,
        "norm": "batch" if f"{inside}stem.norm.weight" in tensors else "instance",
        "grown": layout.enhancers,
        "grown_before": layout.enhancers,
        "num_enhancer_blocks": layout.enhancer_blocks or 3,
        "crop_size": (side, 2 * side),
    }


def _has_boundaries(planes: int, options: Mapping[str, str]) -> bool:
    """Whether one of the planes that are read is that of boundaries."""
    said = options.get("no_instance")
    if said in ("True", "False") and options.get("label_nc") == str(planes - (said == "False")):
        return said == "False"
    return planes != CITYSCAPES  # these with boundaries would be a set of 34 classes


def _encoder_settings(tensors: State, clusters: Clusters) -> dict[str, Any]:
    return {
        "features": "instance",
        "num_features": tensors["E.head.weight"].shape[0],
        "encoder_width": tensors["E.stem.conv.weight"].shape[0],
        "encoder_depth": number_there(lambda k: f"E.down.{k}.conv.weight" in tensors),
        "num_clusters": max((len(each) for each in clusters.values()), default=1),
    }


def _classes(number: int) -> tuple[LabelClass, ...]:
    """Cityscapes' if there are as many, else numbered ones."""
    return read_classes("cityscapes").classes if number == CITYSCAPES else numbered(number)


def _filled_and_checked(config: Pix2PixHDConfig, tensors: State, clusters: Clusters) -> State | None:
    """The tensors as our networks want them; None if they are not exactly these networks'.

    Layers that lead from lower levels to an image are not in the files, and are not used.
    """
    with torch.device("meta"):
        system = Pix2PixHD(config)
    wanted = {
        f"{module}.{name}": tensor
        for module in ("G", "E")
        for name, tensor in system.get_submodule(module).state_dict().items()
    }
    networks = ["G.small", *(f"G.levels.{level}" for level in range(config.grown))]
    unused = {f"{network}.head" for network in networks[:-1]}
    found = fit(tensors, wanted, lambda name: 0.0 if name.rpartition(".")[0] in unused else None)
    if found is None or not tensors.keys() <= wanted.keys():
        return None
    return found | _styles(config, clusters)


def _styles(config: Pix2PixHDConfig, clusters: Clusters) -> State:
    """The tables of clusters, empty for classes of which the file has none."""
    if not config.feature_channels:
        return {}
    styles = Styles(len(config.label_set.classes) + 1, config.num_clusters, config.num_features)
    for index, centres in clusters.items():
        if 0 <= index < len(styles.clusters) and centres.shape[1] == config.num_features:
            styles.clusters[index, : len(centres)] = centres
            styles.cluster_counts[index] = len(centres)
    return {f"styles.{name}": tensor for name, tensor in styles.state_dict().items()}


def _notes(config: Pix2PixHDConfig, clusters: Clusters) -> tuple[str, ...]:
    """What names and shapes leave open."""
    number = len(config.label_set.classes)
    with_boundaries = "and the boundaries of instances" if config.boundaries else "without boundaries"
    names = "taken for Cityscapes'" if number == CITYSCAPES else "whose names the file does not tell"
    notes = [f"the generator reads {counted(number, 'class')}, {names}, {with_boundaries}"]
    if not config.feature_channels:
        notes.append("if it was trained with features, put the encoder's file (.._net_E.pth) beside it")
    elif not clusters:
        notes.append(f"there is no {PATTERN} beside it: give --reference, the photo whose features it takes")
    if config.norm == "batch":
        notes.append("batch norm uses the statistics of each image, as the authors' test program does")
    return tuple(notes)
