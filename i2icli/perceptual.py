"""The networks of the perceptual loss by name, and which settings rule it out. No torch here."""

from collections.abc import Sequence
from typing import Literal

Perceptual = Literal["vgg19", "vgg16-hed", "squeezenet", "efficientnet-lite", "off"]
"""Whose features it compares; `backbones/catalogue.py` describes them."""


def check_compared(reconstructs: bool, channels: Sequence[int] | None) -> None:
    """Raise ValueError if a system has no images to compare, or images of other channels than 1 or 3."""
    if not reconstructs:
        raise ValueError(
            "--perceptual-weight compares generated images with those they should show; this system has "
            "none of these, leave it out"
        )
    for count in channels or ():
        if count not in (1, 3):
            raise ValueError(
                f"the perceptual loss compares grey and RGB images, not those of {count} channels; "
                "choose --channels 3 or --perceptual off"
            )
