"""Where the faces are in images, for networks that translate regions of faces."""

from hashlib import blake2b

import numpy as np

from i2icli.errors import UserError
from i2icli.face import Points, find_face
from i2icli.image import Pixels, convert_channels, to_pixels
from i2icli.request import Array

REMEMBERED = 1000  # faces: a reference meets many images, and is searched once

_known: dict[bytes, Points] = {}  # by what an image shows


def faces_of(images: Array, what: str) -> Array:
    """The landmarks (B, N, 2) of the faces in images (B, C, H, W) in [-1, 1].

    what: how messages call an image. Raises UserError if one shows no face.
    """
    return np.stack([_face_of(to_pixels(image, np.uint8), what) for image in images])


def _face_of(pixels: Pixels, what: str) -> Points:
    key = blake2b(pixels.tobytes() + repr(pixels.shape).encode(), digest_size=16).digest()
    points = _known.get(key)  # another thread may forget it at any time
    if points is None:
        points = find_face(convert_channels(pixels, 3))
        if points is None:
            raise UserError(
                f"no face found in the {what}; expected one face seen from the front; "
                "use a larger or clearer image"
            )
        if len(_known) >= REMEMBERED:
            _known.clear()
        _known[key] = points
    return points
