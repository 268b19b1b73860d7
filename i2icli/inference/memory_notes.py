"""How much memory large images take, said before they are translated."""

from collections.abc import Mapping
from math import sqrt

import numpy as np

from i2icli.image import kinds
from i2icli.inference.inference import Inference
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.resizing import Size
from i2icli.machine import free_memory
from i2icli.request import Arrays
from i2icli.task import Port
from i2icli.written import print_bytes, print_megapixels

LARGE = 4_000_000  # pixels: smaller images fit everywhere
LISTED = 3  # images
SHARE = 0.8  # of the free memory that a smaller size is chosen for


def memory_notes(inference: Inference, spec: OutputSpec, sizes: Mapping[str, Size]) -> tuple[str, ...]:
    """One line about the largest images, by name and (height, width), if there are large ones.

    Nothing where it cannot be told: of graphs, and of tasks that compute a condition of every image.
    """
    if next(iter(spec.task.inputs.values())).fixed is not None or spec.task.condition_per_input:
        return ()
    found = {name: spec.resizing.of(size) for name, size in sizes.items()}
    large = sorted(
        ((name, size) for name, size in found.items() if size[0] * size[1] >= LARGE),
        key=lambda each: -each[1][0] * each[1][1],
    )
    if not large:
        return ()
    needed = inference.memory(spec, _blank(spec, large[0][1]))
    if needed is None:
        return ()
    free = free_memory() if inference.backend.device == "cpu" else None
    per_pixel = needed / (large[0][1][0] * large[0][1][1])
    each = [f"{name} {_taken(size, per_pixel)}" for name, size in large[:LISTED]]
    more = ", others less" if len(large) > LISTED else ""
    line = f"memory: {', '.join(each)}{more}"
    if free is None:
        return (line,)
    if needed <= free:
        return (f"{line}; {print_bytes(free)} are free",)
    fitting = int(min(large[0][1]) * sqrt(SHARE * free / needed))
    advice = f"; --size {fitting} would fit" if fitting else ""
    return (f"{line}, but only {print_bytes(free)} are free: it may fail{advice}",)


def _taken(size: Size, per_pixel: float) -> str:
    """ "(24 MP) takes about 5.5 GB"."""
    pixels = size[0] * size[1]
    return f"({print_megapixels(pixels)}) takes about {print_bytes(per_pixel * pixels)}"


def _blank(spec: OutputSpec, size: Size) -> Arrays:
    """Inputs of a size as `Inference.read` gives them, which take no memory."""
    return {name: _input(port, size) for name, port in spec.task.inputs.items()}


def _input(port: Port, size: Size) -> "np.ndarray[tuple[int, ...], np.dtype[np.generic]]":
    ids = kinds.holds_ids(port.kind)
    multiple = max(1, port.multiple)
    height, width = (-(-side // multiple) * multiple for side in size)
    shape = (1, 1 if ids else port.channels, height, width)
    return np.broadcast_to(np.zeros((), np.int64 if ids else np.float32), shape)
