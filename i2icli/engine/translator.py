"""A trained system at work on one picture: the same kind of picture out."""

from collections.abc import Iterable
from dataclasses import replace
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from i2icli.engine.device import Placement, choose_device
from i2icli.engine.inputs import folders_above
from i2icli.engine.looks import Looks
from i2icli.engine.models import load_with_notes
from i2icli.engine.pipeline import Translation, Writing
from i2icli.engine.precision import place
from i2icli.engine.projection import Projection, plan_projection
from i2icli.engine.sampling import Sampling, plan_sampling
from i2icli.engine.wishes import Asked, Wish, infer_source, make_wishes
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
        self.looks = Looks(placement)

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
        source: str | None = None,
        reference: str | Path | None = None,
        latent: NDArray[np.floating] | None = None,
        seed: int = 0,
    ) -> Image.Image | NDArray[Any]:
        """Translate one image. An array (H, W, C) or (H, W) gives an array, anything else a Pillow image.

        uint8 and uint16 arrays are scaled by their range, floats are taken as in [-1, 1]. `to` and
        `source` name domains or attributes, `latent` is one code (Z,), where the system reads them.
        Raises UserError for an unreadable image and for requests the system does not read.
        """
        references = () if reference is None else (reference,)
        wishes = self.wishes(Asked(to, source, references, latent=latent, seed=seed))
        if len(wishes) > 1:
            raise UserError("one image is asked for, not several: name one target and give one latent code")
        folders = folders_above(Path(image), Path(image).parent) if isinstance(image, str | Path) else ()
        wish = infer_source(self.system, wishes[0], folders)
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

    def run(
        self, inputs: Iterable[str], out: Path, asked: Asked | None = None, writing: Writing | None = None
    ) -> "Translation | Projection":
        """Translate files into a folder, one result per answer as it is iterated; a bad input is reported.

        What an earlier run of the same model and settings left there stands. Where a picture gets
        several answers, each goes to a folder of its own below `out`, and sheets show them together.
        With a system that reads latent codes alone the inputs are projected: the nearest pictures it
        can make are found. Raises UserError if the request as a whole is wrong.
        """
        plan = Translation if "image" in self.system.accepts else plan_projection
        return plan(self, inputs, out, asked or Asked(), writing or Writing())

    def sample(self, out: Path, asked: Asked | None = None, writing: Writing | None = None) -> Sampling:
        """Make pictures from latent codes alone, into a folder, one result each as it is iterated.

        Raises UserError for a system that needs an image, and for what it does not read or know.
        """
        return plan_sampling(self, out, asked or Asked(), writing or Writing())

    def wishes(self, asked: Asked) -> list[Wish]:
        """One wish for every answer a picture is to get.

        Raises UserError naming what the system takes, or a reference whose look it cannot take over.
        """
        wishes = make_wishes(self.system, asked)
        for path, to in dict.fromkeys((wish.reference, wish.to) for wish in wishes):
            if path is None:
                continue
            try:
                self.system.check_reference(self.reference(path, to), to)
            except UserError as error:
                raise UserError(f"--reference {path}: {error}") from None
        return wishes

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

    def reference(self, path: Path, to: str | None) -> Tensor:
        """The image whose look is taken over, (1, C, h, w), at its own size."""
        _, channels = self.system.channels(to)
        return self.looks.get(path, channels)

    def answer(self, images: Tensor, wish: Wish) -> Tensor:
        """Translate images (B, C, H, W) in [-1, 1] whose sides fit the system; float32 on the CPU."""
        count = len(images)
        look = None if wish.reference is None else self.reference(wish.reference, wish.to)
        latent = None if wish.latent is None else wish.latent.to(self.placement.device)
        request = Request(
            image=self.placement.tensor(images),
            to=wish.to,
            source=wish.source,
            reference=None if look is None else look.expand(count, -1, -1, -1),
            latent=None if latent is None else latent.expand(count, -1),  # (B, Z)
        )
        torch.manual_seed(wish.seed)  # noise is a matter of the seed, not of how many images came before
        with torch.inference_mode(), self.placement.autocast():
            answer = self.system.translate(request)
        return answer.float().cpu()

    def result(self, picture: Picture, answer: Tensor, wish: Wish) -> Picture:
        """The answer (1, C, H', W') as a picture of the kind that came in, alpha kept."""
        scale = self.system.scale(wish.to)
        height, width = (round(side * scale) for side in wish.size or picture.pixels.shape[:2])
        pixels = to_pixels(crop_back(answer, (height, width))[0], picture.pixels.dtype)
        alpha = picture.alpha
        if alpha is not None:
            alpha = resize(alpha[:, :, None], (height, width))[:, :, 0]
        return replace(picture, pixels=pixels, alpha=alpha)

    def picture(self, picture: Picture, wish: Wish) -> Picture:
        """Translate one decoded picture."""
        return self.result(picture, self.answer(self.tensor(picture, wish), wish), wish)
