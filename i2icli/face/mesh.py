"""Indices of the face mesh by facial part. Left and right are the person's."""

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Face contour, from the middle of the forehead."""

LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
"""Outer contour of the lips."""

MOUTH = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
"""Inner contour of the lips."""

LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
"""Contours of the eye openings."""

LEFT_BROW = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
RIGHT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
"""Contours of the eyebrows."""

NOSE_RIDGE = (168, 6, 197, 195, 5, 4)
"""From between the eyes to the tip of the nose."""

NOSTRILS = (98, 97, 2, 326, 327)
"""Below the nose, from the right to the left."""

LEFT_UNDER_EYE = (446, 261, 448, 449, 450, 451, 452, 453, 464)
RIGHT_UNDER_EYE = (226, 31, 228, 229, 230, 231, 232, 233, 244)
"""Below the eyes, where eye makeup ends."""
