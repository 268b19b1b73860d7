"""Types of settings: how they are written, checked and kept. No torch here."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from i2icli.reading import parse_background, parse_pages
from i2icli.value_range import parse_ranges
from i2icli.written import parse_list, parse_new_size, parse_size, print_size


def _check_different(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError(f"both domains are called {names[0]!r}; --to could not tell them apart")
    return names


Pixels = Annotated[int, Field(ge=1, le=65536)]
Size = Annotated[tuple[Pixels, Pixels], BeforeValidator(parse_size), PlainSerializer(print_size)]
"""(height, width) in pixels; written as 256 or WIDTHxHEIGHT."""
NewSize = Annotated[Pixels | tuple[Pixels, Pixels] | Literal["trained"], BeforeValidator(parse_new_size)]
"""What inputs are resized to: the shorter side in pixels, (height, width), or the scale of the training."""
Channels = Annotated[
    tuple[Annotated[int, Field(ge=1, le=1024)], ...], BeforeValidator(parse_list), Field(max_length=8)
]
Counts = Annotated[
    tuple[Annotated[int, Field(ge=1, le=1000)], ...], BeforeValidator(parse_list), Field(max_length=64)
]
BestBy = Literal["psnr", "ssim", "miou", "pixel_accuracy"]
"""Scores of validation that any system may have, higher being better."""
Name = Annotated[str, Field(max_length=1000)]
Names = Annotated[tuple[Name, ...], BeforeValidator(parse_list), Field(max_length=100_000)]
TwoNames = Annotated[Names, Field(min_length=2, max_length=2), AfterValidator(_check_different)]
"""What the two domains of a system are called."""
Ranges = Annotated[str, BeforeValidator(parse_ranges)]
Betas = Annotated[tuple[float, float], BeforeValidator(parse_list)]
Threads = Annotated[int, Field(ge=1, le=1024)]
Pages = Annotated[str | None, BeforeValidator(parse_pages)]
Background = Annotated[str, BeforeValidator(parse_background)]
