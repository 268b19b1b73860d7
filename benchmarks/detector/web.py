"""Photographs from the web that the shipped detector was not fitted to.

    npm pack material-kit now-ui-kit paper-kit-2 argon-design-system-free blk-design-system \\
        soft-ui-design-system material-kit-react now-ui-kit-react paper-kit-react startbootstrap-agency \\
        startbootstrap-creative startbootstrap-grayscale startbootstrap-freelancer \\
        startbootstrap-clean-blog startbootstrap-landing-page startbootstrap-new-age \\
        startbootstrap-business-casual startbootstrap-one-page-wonder startbootstrap-coming-soon \\
        startbootstrap-stylish-portfolio
    for each in *.tgz; do mkdir ${each%.tgz}; tar xzf $each -C ${each%.tgz}; done
    python -m benchmarks.detector.web . photographs
    i2i detect-fake photographs

Website templates (MIT) and their photographs, mostly portraits and landscapes, downscaled and compressed by
their publishers. Duplicates, screenshots and computer graphics (by name) and images with a side below 200 px
are skipped. The thresholds of the detector's verdicts were chosen with squares of them in view.
"""

from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.lib.arguments import argument_parser

NOT_PHOTOGRAPHS = ("curved", "img-", "logo-", "blurred-image")
SCREENSHOTS = ("landing.jpg", "profile.jpg", "presentation.jpg")  # if largely white
MIN_SIDE = 200  # pixels
DUPLICATE = 0.97  # correlation of thumbnails from which two files are duplicates


def thumbnail(path: Path) -> NDArray[np.float64]:
    """16x16 grey levels, mean 0, standard deviation 1."""
    with Image.open(path) as image:
        small = np.asarray(image.convert("L").resize((16, 16)), np.float64)
    centred: NDArray[np.float64] = (small - small.mean()) / (small.std() + 1e-6)
    return centred


def is_photograph(path: Path) -> bool:
    """Whether a file is a photograph, by its name and size."""
    if path.suffix.lower() not in (".jpg", ".jpeg") or path.name.startswith(NOT_PHOTOGRAPHS):
        return False
    with Image.open(path) as image:
        return min(image.size) >= MIN_SIDE and not (path.name in SCREENSHOTS and _white(image))


def _white(image: Image.Image) -> bool:
    """Whether more than a tenth of an image is white, as on web pages."""
    return float((np.asarray(image.convert("L")) > 253).mean()) > 0.1


def main(arguments: Sequence[str] | None = None) -> None:
    """Copy every photograph once, numbered."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True)
    known: list[NDArray[np.float64]] = []
    for path in sorted(file for file in options.folder.rglob("*") if file.is_file()):
        if not is_photograph(path):
            continue
        small = thumbnail(path)
        if any(float((small * other).mean()) > DUPLICATE for other in known):
            continue
        known.append(small)
        copyfile(path, options.out / f"{len(known):03d}-{path.name}")
    print(f"{len(known)} photographs: {options.out}")


if __name__ == "__main__":
    main()
