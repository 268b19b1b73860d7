"""That images are of another scale than those a model learned from, in one line with what to do."""

from collections.abc import Mapping

from i2icli.errors import print_number
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.resizing import FAR, FAR_LINES, Size


def scale_notes(
    spec: OutputSpec, sizes: Mapping[str, Size], trained: str = "--size trained"
) -> tuple[str, ...]:
    """One line about the first image, by its name and (height, width), that is far from the trained scale.

    trained: how the caller types that images are brought to that scale.
    None for a model of one size, which every image is brought to, and for one that upscales.
    """
    port, learned = next(iter(spec.task.inputs.values())), spec.resizing.learned
    if learned is None or port.fixed is not None or spec.task.output.scale != 1:
        return ()
    farthest = FAR if port.condition is None else FAR_LINES
    found = {
        name: size
        for name, size in ((name, spec.resizing.of(given)) for name, given in sizes.items())
        if not 1 / farthest <= learned.factor(size) <= farthest
    }
    if not found:
        return ()
    name, (height, width) = next(iter(found.items()))
    others = " (others likewise)" if len(found) > 1 else ""
    times = print_number(learned.factor((height, width)), 2)
    return (
        f"{name} is translated at {width}x{height} px{others}, {times} times "
        f"the scale that this model learned at ({learned.size[1]}x{learned.size[0]} px); if the result "
        f"disappoints, add {trained}",
    )
