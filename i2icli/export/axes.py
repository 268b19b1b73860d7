"""What the sides of a graph's tensors are called, found by looking at two examples of different sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

BATCH, HEIGHT, WIDTH = "batch", "height", "width"
REFERENCE_HEIGHT, REFERENCE_WIDTH = "reference_height", "reference_width"

Sizes = Mapping[str, int]
"""What an example's sides are, by symbol: images of a batch, pixels of the first input and of a reference."""


@dataclass(frozen=True)
class Axis:
    """A side that is not fixed: a symbol times a factor."""

    symbol: str
    factor: Fraction = Fraction(1)

    def __str__(self) -> str:
        """As it stands in files: "height", "2*height", "height/8"."""
        number, of = self.factor.as_integer_ratio()
        return f"{number}*" * (number != 1) + self.symbol + f"/{of}" * (of != 1)

    def length(self, sizes: Sizes) -> int:
        """How long it is in an example of these sizes."""
        return round(sizes[self.symbol] * self.factor)


Shape = tuple[int | Axis, ...]


def shape_of(first: Sequence[int], second: Sequence[int], sizes: tuple[Sizes, Sizes]) -> Shape:
    """The shape of a tensor that has these sides in two examples of different sizes.

    The sizes must grow by different factors, so that a side tells by its growth which symbol it follows.
    """
    if len(first) != len(second):
        raise ValueError(f"{tuple(first)} and {tuple(second)} are of different rank")
    return tuple(_axis(*pair, sizes) for pair in zip(first, second, strict=True))


def _axis(first: int, second: int, sizes: tuple[Sizes, Sizes]) -> int | Axis:
    if first == second:
        return first
    for symbol in sizes[0]:
        factor = Fraction(first, sizes[0][symbol])
        if factor == Fraction(second, sizes[1][symbol]):
            return Axis(symbol, factor)
    raise ValueError(f"a side of {first} and {second} follows none of the sizes {sizes}")


def text_of(shape: Shape) -> tuple[int | str, ...]:
    """As it stands in metadata."""
    return tuple(side if isinstance(side, int) else str(side) for side in shape)
