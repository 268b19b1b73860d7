"""A trained system at work: what a user wishes of a picture -> the same kind of picture out."""

from dataclasses import replace
from math import lcm
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.image import (
    DecodedImage,
    convert_channels,
    crop_back,
    pad_to_multiple,
    resize,
    to_pixels,
    to_tensor,
)
from i2icli.inference.reference_cache import ReferenceCache
from i2icli.inference.requests import Asked, Wish, make_wishes
from i2icli.runtime.device import Placement
from i2icli.system import Request, System

SMALLEST = 16  # pixels: smaller pictures are padded to it, or reflections inside networks would not fit


class Inference:
    """A system, the file it came from, and the device where its networks answer."""

    def __init__(
        self, system: System[Any], placement: Placement, model: Path, notes: tuple[str, ...] = ()
    ) -> None:
        self.system = system
        self.placement = placement
        self.model = model
        self.notes = notes  # what an original checkpoint cannot tell about itself
        for name in system.inference_modules:
            placement.prepare_for_inference(system.get_submodule(name))
        self.looks = ReferenceCache(placement)

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

    def tensor(self, picture: DecodedImage, wish: Wish) -> Tensor:
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

    def result(self, picture: DecodedImage, answer: Tensor, wish: Wish) -> DecodedImage:
        """The answer (1, C, H', W') as a picture of the kind that came in, alpha kept."""
        scale = self.system.scale(wish.to)
        height, width = (round(side * scale) for side in wish.size or picture.pixels.shape[:2])
        pixels = to_pixels(crop_back(answer, (height, width))[0], picture.pixels.dtype)
        alpha = picture.alpha
        if alpha is not None:
            alpha = resize(alpha[:, :, None], (height, width))[:, :, 0]
        return replace(picture, pixels=pixels, alpha=alpha)

    def picture(self, picture: DecodedImage, wish: Wish) -> DecodedImage:
        """Translate one decoded picture."""
        return self.result(picture, self.answer(self.tensor(picture, wish), wish), wish)
