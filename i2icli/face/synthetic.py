"""W(x, y): synthetic makeup transfer from a reference to a bare face, by warping.

Chang et al., "PairedCycleGAN", CVPR 2018: the reference's face is warped onto the other's landmarks and
blended in. A rough approximation, good enough as a real example for the discriminator of pairs.
"""

import numpy as np
from numpy.typing import NDArray

from i2icli.face.landmarks import Points
from i2icli.face.regions import face_mask
from i2icli.face.triangles import Triangles, triangulate, warp

Values = NDArray[np.float32]


def synthetic_transfer(
    bare: Values,
    points: Points,
    reference: Values,
    reference_points: Points,
    triangles: Triangles | None = None,
) -> Values:
    """(H, W, C) and landmarks of the bare face, (h, w, C) and landmarks of the reference -> (H, W, C).

    The reference's face is blended over the bare one with a feathered border; eyeballs and inner mouth are
    kept. triangles: `triangulate(points)`, if known.
    """
    size = bare.shape[:2]
    mesh = triangulate(points) if triangles is None else triangles
    warped, inside = warp(reference, reference_points, points, mesh, (size[0], size[1]))
    mask = (face_mask(points, (size[0], size[1])) * inside)[:, :, None]  # (H, W, 1)
    blended: Values = bare + mask * (warped - bare)
    return blended
