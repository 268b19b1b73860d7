"""Faces in images: landmarks, regions, and transferring makeup between faces by warping landmarks.

Landmarks are detected by mediapipe (`pip install 'i2icli[face]'`), which is imported on first use.
"""

from i2icli.face.landmarks import Points, find_face
from i2icli.face.regions import REGIONS, Box, blank, face_mask, points_in, region_box, region_mask
from i2icli.face.synthetic import synthetic_transfer
from i2icli.face.triangles import Triangles, triangulate, warp

__all__ = [
    "REGIONS",
    "Box",
    "Points",
    "Triangles",
    "blank",
    "face_mask",
    "find_face",
    "points_in",
    "region_box",
    "region_mask",
    "synthetic_transfer",
    "triangulate",
    "warp",
]
