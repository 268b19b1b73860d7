"""Ground truth by file names: which subject an image shows, and in which style."""

from collections.abc import Sequence
from dataclasses import dataclass

BETWEEN = "+"  # anna+evening is anna in the style evening


@dataclass(frozen=True)
class Comparison:
    """Indices into the bare and the styled images: what is translated, and what should come out."""

    bare: int
    styled: int
    truth_bare: int | None  # the styled image without its style
    truth_styled: int | None  # the bare image in the style of the styled one


def compare_by_name(bare: Sequence[str], styled: Sequence[str]) -> list[Comparison]:
    """One comparison for each styled image, by the images' keys (paths below their folder, no suffix).

    A styled image shows the same as the bare one with its name. Where names have the form subject+style,
    every subject may come in any style; the bare image is then another subject that exists in the
    same style, as a reference of the subject itself would give the result away.
    """
    subjects = {name: index for index, name in enumerate(bare)}
    indices = {name: index for index, name in enumerate(styled)}
    found = []
    for index, name in enumerate(styled):
        subject, _, style = name.partition(BETWEEN)
        others = [
            (number, indices[other + BETWEEN + style])
            for other, number in subjects.items()
            if style and other != subject and other + BETWEEN + style in indices
        ]
        if others:
            number, truth = others[index % len(others)]
            found.append(Comparison(number, index, subjects.get(subject), truth))
        else:
            number = index % len(bare)
            if bare[number] == subject:
                number = (number + 1) % len(bare)
            found.append(Comparison(number, index, subjects.get(subject), None))
    return found
