"""Generators of one level, with the names that ports of the authors' program use.

The authors published Torch7 files (.net) only, which this program does not read. What is recognised
is a state dict with their layers: conv1, conv2, conv3 of a generator, and class1 where it is told a
class. Such a file holds one level of a pyramid, so the model upscales images by 2.
"""

from collections.abc import Iterator
from math import isqrt
from pathlib import Path

from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals.checkpoint import Known, Original, Read, State, mentions, width_in
from i2icli.systems.lapgan.config import LAPGANConfig
from i2icli.written import counted

SIDE = 32  # pixels: of the pictures a level made, where the file does not tell

MOST_CLASSES = 10_000

_NAMES = {"class1": "plane.linear", "linear": "head"}


def rename(state: State) -> State:
    """The weights of one network under our names: the convolutions in order, and the last one as head."""
    convolutions = sorted({key.split(".")[0] for key in state if key.startswith("conv")})
    generator = not any(key.startswith("linear.") for key in state)
    names = dict(_NAMES)
    hidden = convolutions[:-1] if generator else convolutions
    names |= {name: f"layers.{2 * place}" for place, name in enumerate(hidden)}
    if generator:
        names[convolutions[-1]] = "head"
    return {f"{names[key.split('.')[0]]}.{key.split('.')[1]}": value for key, value in state.items()}


def recognise(state: State, path: Path, _read: Read) -> Original | None:
    """A generator of one level, or None if the keys or shapes are something else's.

    Raises UserError for a discriminator of the same layout, which cannot translate.
    """
    if _is_discriminator(state):
        raise UserError(f"{path}: this is a discriminator of LAPGAN; give the generator's file")
    if not _is_generator(state):
        return None
    channels, classes = state["conv3.weight"].shape[0], 0
    side = SIDE
    if "class1.weight" in state:
        pixels, classes = state["class1.weight"].shape
        if classes > MOST_CLASSES:
            return None
        side = isqrt(pixels)
    config = _config(channels, state["conv1.weight"].shape[0], side, classes)
    if config is None:
        return None
    tensors = {f"G.levels.0.{name}": value.float().contiguous() for name, value in rename(state).items()}
    notes = ["one level of a pyramid: it upscales images by 2 and cannot generate any"]
    if not classes:
        notes.append(f"the file does not give the size of its images; assumed {side}x{side}")
    notes.append("the authors standardise every pixel by its mean and deviation; those are not in the file")
    reason = f"conv1, conv2, conv3 of 7x7, 7x7, 5x5 over {counted(config.width, 'channel')}" + (
        f" and class1 of {counted(classes, 'class')}" if classes else ""
    )
    return Original("lapgan", config, tensors, tuple(notes), reason=reason)


def networks_like(state: State) -> Iterator[Known]:
    """A generator of one level, told a class or not."""
    if not mentions(state, "conv", "class1."):
        return
    width = width_in(state, "conv1.weight")
    for classes in (0, 10):
        inputs = 4 + bool(classes)
        convs = {"conv1": (width, inputs, 7, 7), "conv2": (width, width, 7, 7), "conv3": (3, width, 5, 5)}
        shapes: dict[str, tuple[int, ...]] = {f"{name}.weight": shape for name, shape in convs.items()}
        shapes |= {f"{name}.bias": shape[:1] for name, shape in convs.items()}
        if classes:
            shapes |= {"class1.weight": (SIDE**2, classes), "class1.bias": (SIDE**2,)}
        yield Known("a generator of one level" + (" with classes" if classes else ""), shapes)


def _config(channels: int, width: int, side: int, classes: int) -> LAPGANConfig | None:
    """The settings of one level; None for sizes beyond what any such network has."""
    try:
        return LAPGANConfig.model_validate(
            {
                "channels": (channels,),
                "crop_size": side,
                "sides": (side // 2, side),
                "coarsest": False,
                "width": width,
                "conditional": classes > 0,
                "classes": tuple(map(str, range(classes))),
            }
        )
    except ValueError:
        return None


def _is_generator(state: State) -> bool:
    """7x7, 7x7, 5x5; noise, maybe a class, and the picture's channels go in, the latter come out."""
    expected = {f"conv{number}.{part}" for number in (1, 2, 3) for part in ("weight", "bias")}
    classes = {"class1.weight", "class1.bias"} & state.keys()
    if set(state) != expected | classes or len(classes) == 1:
        return False
    first, second, last = (state[f"conv{number}.weight"] for number in (1, 2, 3))
    if first.ndim != 4 or last.ndim != 4:
        return False
    width, channels = first.shape[0], last.shape[0]
    if classes and not _makes_a_plane(state["class1.weight"], state["class1.bias"]):
        return False
    return (
        first.shape == (width, 1 + bool(classes) + channels, 7, 7)
        and second.shape == (width, width, 7, 7)
        and last.shape == (channels, width, 5, 5)
        and all(state[f"conv{n}.bias"].shape == (c,) for n, c in ((1, width), (2, width), (3, channels)))
    )


def _is_discriminator(state: State) -> bool:
    expected = {f"{name}.{part}" for name in ("conv1", "conv2", "linear") for part in ("weight", "bias")}
    if set(state) - {"class1.weight", "class1.bias"} != expected:
        return False
    first, second, linear = (state[f"{name}.weight"] for name in ("conv1", "conv2", "linear"))
    return first.shape[2:] == second.shape[2:] == (5, 5) and linear.ndim == 2 and linear.shape[0] == 1


def _makes_a_plane(weight: Tensor, bias: Tensor) -> bool:
    """Classes in, the pixels of a square with an even side out."""
    if weight.ndim != 2 or weight.shape[1] == 0 or bias.shape != weight.shape[:1]:
        return False
    side = isqrt(len(bias))
    return side**2 == len(bias) and side % 2 == 0
