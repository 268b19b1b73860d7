"""What file names tell about the truth: whose picture it is, and in which style."""

from collections.abc import Sequence
from dataclasses import dataclass

BETWEEN = "+"  # anna+evening is anna in the style evening


@dataclass(frozen=True)
class Comparison:
    """Places in the bare and the styled collection: what is translated, and what should come out."""

    bare: int
    styled: int
    truth_bare: int | None  # the styled picture without its style
    truth_styled: int | None  # the bare picture in the style of the styled one


def compare_by_name(bare: Sequence[str], styled: Sequence[str]) -> list[Comparison]:
    """One comparison for each styled picture, by the pictures' keys (paths below their folder, no suffix).

    A styled picture shows what the bare one of the same name shows. Where names have the form
    subject+style, every subject may be there in any style; the bare picture is then another subject
    that is there in the same style: a reference of the subject itself would give the answer away.
    """
    subjects = {name: place for place, name in enumerate(bare)}
    looks = {name: place for place, name in enumerate(styled)}
    found = []
    for place, name in enumerate(styled):
        subject, _, style = name.partition(BETWEEN)
        others = [
            (number, looks[other + BETWEEN + style])
            for other, number in subjects.items()
            if style and other != subject and other + BETWEEN + style in looks
        ]
        if others:
            number, truth = others[place % len(others)]
            found.append(Comparison(number, place, subjects.get(subject), truth))
        else:
            number = place % len(bare)
            if bare[number] == subject:
                number = (number + 1) % len(bare)
            found.append(Comparison(number, place, subjects.get(subject), None))
    return found
