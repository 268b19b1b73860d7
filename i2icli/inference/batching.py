"""Which outputs are computed together, within bounds of memory, and what happens where that fails."""

from collections.abc import Sequence

import numpy as np

from i2icli.errors import UserError
from i2icli.inference.inference import Inference
from i2icli.inference.outputs import OutputSpec
from i2icli.request import Array, Arrays

ROWS = 8  # styles of an image in a forward pass
MOST_PIXELS = 4 * 512 * 512  # of all styles in a forward pass on a processor: about 2 GB with SPADE


def images_together(inference: Inference, asked: int | None) -> int:
    """Images of a forward pass: as asked for, else as the backend likes it."""
    return asked or inference.backend.rows


def together(
    inference: Inference, specs: Sequence[OutputSpec], inputs: Sequence[Arrays], asked: int | None
) -> list[list[int]]:
    """The numbers of the specs that one image is computed for in a forward pass each, in order.

    inputs: what each spec reads. Several are, where they only differ in their style and the task broadcasts:
    what depends on the image alone is then computed once.
    """
    found: list[list[int]] = []
    for number, (spec, own) in enumerate(zip(specs, inputs, strict=True)):
        if found and spec.task.broadcasts and len(found[-1]) < _styles_together(inference, own, asked):
            last = found[-1][-1]
            if (specs[last].task, specs[last].resizing) == (spec.task, spec.resizing) and inputs[last] is own:
                found[-1].append(number)
                continue
        found.append([number])
    return found


def compute(inference: Inference, inputs: Sequence[Arrays], specs: Sequence[OutputSpec]) -> list[Array | str]:
    """The output (1, C, H, W) of each of some inputs for one spec, or of one input for each of some specs.

    A text is why there is none. Inputs that fail together, as they do not fit into memory, are tried in
    halves, specs one by one.
    """
    try:
        batch = {name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]}  # (B, C, H, W)
        output = inference.compute(batch, *specs)
        return list(np.split(output, len(output)))
    except UserError as error:
        text = str(error)
    except Exception as error:
        if not inference.backend.is_out_of_memory(error):
            raise
        text = out_of_memory(inputs[0])
    if len(inputs) > 1:  # outside of the error, which holds what was in memory
        half = len(inputs) // 2
        return [*compute(inference, inputs[:half], specs), *compute(inference, inputs[half:], specs)]
    if len(specs) > 1:
        return [each for spec in specs for each in compute(inference, inputs, [spec])]
    return [text]


def out_of_memory(inputs: Arrays) -> str:
    """That an input (1, C, H, W) does not fit into memory, and what to do."""
    height, width = next(iter(inputs.values())).shape[-2:]
    return (
        f"out of memory at {width}x{height} px; try a smaller --size, such as "
        f"{max(1, width // 2)}x{max(1, height // 2)}"
    )


def _styles_together(inference: Inference, inputs: Arrays, asked: int | None) -> int:
    if asked is not None or inference.backend.rows > 1:
        return asked or ROWS
    height, width = next(iter(inputs.values())).shape[-2:]
    return max(1, min(ROWS, int(MOST_PIXELS // (height * width))))
