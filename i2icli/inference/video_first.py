"""The first frame of a result that is given instead of computed: an image, or what another model makes."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from i2icli.errors import UserError, about
from i2icli.image import DecodedImage, change_type, convert_channels, resize
from i2icli.image.items import FileItem, Item
from i2icli.inference.inference import Inference
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import OutputSpec


class FirstFrame(Protocol):
    """What the memory begins with."""

    once: bool
    """Whether it is that of the video only, and not of every new start at a scene cut."""

    def result(self, item: Item) -> DecodedImage:
        """The result of a frame. Raises UserError."""


class GivenFrame:
    """An image as the first frame."""

    once = True

    def __init__(self, path: Path) -> None:
        """Read it. Raises UserError."""
        with about("--first-frame"):
            self.image = FileItem(path).read()

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
        plain = TranslateOptions(size=options.size, seed=options.seed, source=None)
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


def fitted(image: DecodedImage, like: DecodedImage, size: tuple[int, int], channels: int) -> DecodedImage:
    """A first frame as a result of `size` (height, width), with the number type of the frame it stands for.

    Raises UserError if its channels cannot be converted.
    """
    pixels = change_type(convert_channels(resize(image.pixels, size), channels), like.pixels.dtype)
    alpha = like.alpha
    if alpha is not None:
        alpha = change_type(resize(alpha[:, :, None], size)[:, :, 0], like.pixels.dtype)
    return replace(like, pixels=pixels, alpha=alpha)
