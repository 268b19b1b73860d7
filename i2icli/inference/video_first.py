"""The first frame of a result that is given instead of computed: an image, or what another model makes."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from i2icli.errors import UserError, about
from i2icli.image import DecodedImage, change_type, convert_channels, kinds, resize, with_values
from i2icli.image.items import FileItem, Item
from i2icli.inference.inference import Inference
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import OutputSpec
from i2icli.task import Port


class FirstFrame(Protocol):
    """What the memory begins with."""

    once: bool
    """Whether it is that of the video only, and not of every new start at a scene cut."""

    def result(self, item: Item) -> DecodedImage:
        """The result of a frame. Raises UserError."""


class GivenFrame:
    """An image as the first frame."""

    once = True

    def __init__(self, path: Path, port: Port) -> None:
        """Read it as the results that a port describes. Raises UserError."""
        with about("--first-frame"):
            self.image = kinds.decoded(FileItem(path), port)

    def result(self, item: Item) -> DecodedImage:  # noqa: ARG002 - the same for every frame
        """See `FirstFrame`."""
        return self.image


class TranslatedFrame:
    """The first frame as another model translates it, at the size that the video is translated at."""

    once = False

    def __init__(self, inference: Inference, name: str, options: TranslateOptions) -> None:
        """name: what messages call the model. Raises UserError for one that will not do."""
        self.inference, self.name = inference, name
        if not inference.translates:
            raise UserError(f"--first-model {name} generates from noise; expected one that translates images")
        plain = TranslateOptions(size=options.size, detail=options.detail, seed=options.seed, source=None)
        with about(f"--first-model {name}"):
            self.spec: OutputSpec = inference.specs(plain)[0]
        if self.spec.task.memory:
            raise UserError(f"--first-model {name} needs a first frame itself; expected a model of images")

    def result(self, item: Item) -> DecodedImage:
        """See `FirstFrame`."""
        with about(f"--first-model {self.name}"):
            image = self.inference.decode(item, self.spec.task)
            inputs = self.inference.read({next(iter(self.spec.task.inputs)): image}, self.spec)
            return self.inference.result(image, self.inference.compute(inputs, self.spec), self.spec)


def fitted(image: DecodedImage, like: DecodedImage, size: tuple[int, int], port: Port) -> DecodedImage:
    """A first frame as a result of `size` (height, width), with the values of the port it stands for.

    Where that has no number type, that of the frame of the input. Raises UserError if its channels cannot be
    converted.
    """
    colours = convert_channels(resize(image.pixels, size), port.channels)
    made = with_values(colours, np.dtype(port.dtype or like.number_type), port.range)
    alpha = like.alpha
    if alpha is not None:
        alpha = change_type(resize(alpha[:, :, None], size)[:, :, 0], made.pixels.dtype)
    return replace(like, pixels=made.pixels, alpha=alpha, stored=made.stored)
