"""A trained system at work on one picture: the same kind of picture out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from i2icli.engine.device import Placement, choose_device
from i2icli.engine.models import load_with_notes
from i2icli.engine.pipeline import translate_files
from i2icli.engine.precision import place
from i2icli.engine.results import Result
from i2icli.errors import UserError
from i2icli.image import (
    Picture,
    convert_channels,
    crop_back,
    from_pillow,
    pad_to_multiple,
    read_picture,
    resize,
    to_pillow,
    to_pixels,
    to_tensor,
)
from i2icli.models import find_model
from i2icli.system import Request, System

SMALLEST = 16  # pixels: smaller pictures are padded to it, or reflections inside networks would not fit


@dataclass(frozen=True)
class Wish:
    """What is asked of every picture."""

    to: str | None = None
    reference: Tensor | None = None  # (1, C, H, W) in [-1, 1]
    size: tuple[int, int] | None = None  # (height, width) that inputs are resized to
    seed: int = 0


class Translator:
    """Answers requests with a system that was trained before.

    >>> translator = Translator.load("runs/horse2zebra")
    >>> translator.translate("photo.jpg", to="zebra").save("zebra.jpg")
    """

    def __init__(
        self, system: System[Any], placement: Placement, model: Path, notes: tuple[str, ...] = ()
    ) -> None:
        self.system = system
        self.placement = placement
        self.model = model
        self.notes = notes  # what an original checkpoint cannot tell about itself
        for name in system.inference_modules:
            placement.settle(system.get_submodule(name))

    @classmethod
    def load(cls, model: str | Path, device: str | None = None, precision: str = "auto") -> "Translator":
        """A model by path, by the name of a run under runs/, or by its system (the newest run).

        Raises UserError if there is none, or if the file cannot be used.
        """
        path = find_model(str(model))
        (system, notes), where = load_with_notes(path), choose_device(device)
        networks = (system.get_submodule(name) for name in system.inference_modules)
        return cls(system, place(where, precision, networks), path, notes)

    def translate(
        self,
        image: str | Path | Image.Image | NDArray[Any],
        *,
        to: str | None = None,
        reference: str | Path | None = None,
        seed: int = 0,
    ) -> Image.Image | NDArray[Any]:
        """Translate one image. An array (H, W, C) or (H, W) gives an array, anything else a Pillow image.

        uint8 and uint16 arrays are scaled by their range, floats are taken as in [-1, 1].
        Raises UserError for an unreadable image and for requests the system does not read.
        """
        wish = self.wish(to=to, reference=reference, seed=seed)
        if isinstance(image, np.ndarray):
            if image.ndim not in (2, 3) or image.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
                raise UserError(
                    f"an array of {image.dtype} and shape {image.shape} is no image; "
                    "expected (H, W) or (H, W, C) of uint8, uint16 or float32"
                )
            pixels = image if image.ndim == 3 else image[:, :, None]  # (H, W, C)
            answer = self.picture(Picture(pixels, None, "npy"), wish).pixels
            return answer[:, :, 0] if image.ndim == 2 and answer.shape[2] == 1 else answer
        picture = from_pillow(image) if isinstance(image, Image.Image) else read_picture(image)
        return to_pillow(self.picture(picture, wish))

    def run(self, inputs: Iterable[str], out: Path, **options: Any) -> Iterator[Result]:
        """Translate files into a folder; see `translate_files`."""
        return translate_files(self, inputs, out, **options)

    def wish(
        self,
        *,
        to: str | None = None,
        reference: str | Path | None = None,
        size: tuple[int, int] | None = None,
        seed: int = 0,
    ) -> Wish:
        """Check a request against what the system reads. Raises UserError naming what it takes instead."""
        accepts, targets = self.system.accepts, self.system.targets()
        for option, value in {"to": to, "reference": reference}.items():
            if value is not None and option not in accepts:
                others = ", ".join(f"--{field}" for field in sorted(accepts - {"image"}))
                takes = f"it takes {others}" if others else "it translates images in one way only"
                raise UserError(f"{type(self.system).__name__} has no --{option}; {takes}")
        if targets and (to := to or targets[0]) not in targets:
            raise UserError(f"--to {to}: unknown target; this model knows: {', '.join(targets)}")
        look = None if reference is None else self.tensor(read_picture(reference), Wish(to=to))
        return Wish(to, look, size, seed)

    def tensor(self, picture: Picture, wish: Wish) -> Tensor:
        """A picture as the system reads it: its channels, the wished size, padded; (1, C, H, W)."""
        channels, _ = self.system.channels(wish.to)
        pixels = convert_channels(picture.pixels, channels)
        if wish.size is not None:
            pixels = resize(pixels, wish.size)
        multiple = self.system.multiple_of()
        if min(pixels.shape[:2]) < SMALLEST:
            multiple = lcm(multiple, SMALLEST)
        return pad_to_multiple(to_tensor(pixels)[None], multiple)  # (1, C, H', W')

    def answer(self, images: Tensor, wish: Wish) -> Tensor:
        """Translate images (B, C, H, W) in [-1, 1] whose sides fit the system; float32 on the CPU."""
        device = self.placement.device
        look = None if wish.reference is None else wish.reference.to(device).expand(len(images), -1, -1, -1)
        torch.manual_seed(wish.seed)  # noise is a matter of the seed, not of how many images came before
        with torch.inference_mode(), self.placement.autocast():
            request = Request(image=self.placement.tensor(images), to=wish.to, reference=look)
            answer = self.system.translate(request)
        return answer.float().cpu()

    def result(self, picture: Picture, answer: Tensor, wish: Wish) -> Picture:
        """The answer (1, C, H', W') as a picture of the kind that came in, alpha kept."""
        height, width = wish.size or picture.pixels.shape[:2]
        pixels = to_pixels(crop_back(answer, (height, width))[0], picture.pixels.dtype)
        alpha = picture.alpha
        if alpha is not None:
            alpha = resize(alpha[:, :, None], (height, width))[:, :, 0]
        return replace(picture, pixels=pixels, alpha=alpha)

    def picture(self, picture: Picture, wish: Wish) -> Picture:
        """Translate one decoded picture."""
        return self.result(picture, self.answer(self.tensor(picture, wish), wish), wish)
