"""W(x, y): a bare face in the makeup of a reference, as well as landmarks alone can do it.

Chang et al., "PairedCycleGAN", CVPR 2018: the reference's face is warped onto the other's landmarks and
blended in. It is a rough guess, good enough to teach a discriminator what belongs together.
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

    The reference's face lies over the bare one and fades at its border; eyeballs and the inside of the mouth
    stay. `triangles`: those of `triangulate(points)`, where they are known already.
    """
    size = bare.shape[:2]
    between = triangulate(points) if triangles is None else triangles
    bent, inside = warp(reference, reference_points, points, between, (size[0], size[1]))
    mask = (face_mask(points, (size[0], size[1])) * inside)[:, :, None]  # (H, W, 1)
    blended: Values = bare + mask * (bent - bare)
    return blended
