"""Finding the images of a folder that show a face."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from i2icli.data.describe import counted
from i2icli.data.kinds.styled_examples import StyledFile
from i2icli.errors import UserError
from i2icli.face import find_face
from i2icli.image import change_type, convert_channels
from i2icli.image.kinds import decode
from i2icli.task import Port


def faces_found(folder: Path, files: Sequence[StyledFile], port: Port) -> tuple[list[StyledFile], list[str]]:
    """The files, read as by a port, that show a face, with its landmarks, and a line about the others.

    Raises UserError if there are none, or if mediapipe is missing.
    """
    found: list[StyledFile] = []
    without: list[Path] = []
    for each in files:
        try:
            pixels = convert_channels(decode(each.file, port), 3)
        except UserError:
            without.append(
                each.file.path
            )  # truncated behind its header, or of more channels than a photo has
            continue
        points = find_face(change_type(pixels, np.uint8))
        if points is None:
            without.append(each.file.path)
        else:
            size = np.array([pixels.shape[1], pixels.shape[0]], np.float32)
            found.append(replace(each, face=points / size))
    if not found:
        raise UserError(
            f"{folder}: no face found in its {counted(len(files), 'image')}, e.g. {without[0].name}; "
            "expected frontal faces; for other images use --synthetic colour and no --regions"
        )
    if not without:
        return found, []
    more = f" and {len(without) - 1} more" if len(without) > 1 else ""
    return found, [f"skipped {counted(len(without), 'image')} without a face: {without[0]}{more}"]
