"""The way in for Python: load a model, translate an image, files, or make samples."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.errors import UserError
from i2icli.image import DecodedImage, from_pillow, read_image, to_pillow
from i2icli.inference.inference import Inference
from i2icli.inference.inputs import folders_above
from i2icli.inference.loading import load_with_notes
from i2icli.inference.pipeline import Translation, Writing
from i2icli.inference.projection import Projection, plan_projection
from i2icli.inference.requests import Asked, infer_source
from i2icli.inference.sampling import Sampling, plan_sampling
from i2icli.runs import find_model
from i2icli.runtime.device import choose_device
from i2icli.runtime.precision import place


class Translator(Inference):
    """Answers requests with a system that was trained before.

    >>> translator = Translator.load("runs/horse2zebra")
    >>> translator.translate("photo.jpg", to="zebra").save("zebra.jpg")
    """

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
            answer = self.picture(DecodedImage(pixels, None, "npy"), wish).pixels
            return answer[:, :, 0] if image.ndim == 2 and answer.shape[2] == 1 else answer
        picture = from_pillow(image) if isinstance(image, Image.Image) else read_image(image)
        return to_pillow(self.picture(picture, wish))

    def run(
        self, inputs: Iterable[str], out: Path, asked: Asked | None = None, writing: Writing | None = None
    ) -> Translation | Projection:
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
