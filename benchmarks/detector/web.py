"""Photographs as the web has them, to which the shipped detector was not fitted.

    npm pack material-kit now-ui-kit paper-kit-2 argon-design-system-free blk-design-system \\
        soft-ui-design-system material-kit-react now-ui-kit-react paper-kit-react startbootstrap-agency \\
        startbootstrap-creative startbootstrap-grayscale startbootstrap-freelancer \\
        startbootstrap-clean-blog startbootstrap-landing-page startbootstrap-new-age \\
        startbootstrap-business-casual startbootstrap-one-page-wonder startbootstrap-coming-soon \\
        startbootstrap-stylish-portfolio
    for each in *.tgz; do mkdir ${each%.tgz}; tar xzf $each -C ${each%.tgz}; done
    python -m benchmarks.detector.web . photographs
    i2i detect-fake photographs

Templates of web pages (MIT) and their photographs, mostly portraits and views, made smaller and compressed
by their makers. Each is taken once, however often it occurs; screenshots and computer graphics are left out
by name, and what was published with a side below 200 px. The thresholds of its verdicts were chosen with
squares of them in view.
"""

import argparse
from pathlib import Path
from shutil import copyfile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NOT_PHOTOGRAPHS = ("curved", "img-", "logo-", "blurred-image")
SCREENSHOTS = ("landing.jpg", "profile.jpg", "presentation.jpg")  # of pages, where they are largely white
LEAST_SIDE = 200  # pixels
ALIKE = 0.97  # correlation of thumbnails from which two files show the same photograph


def thumbnail(path: Path) -> NDArray[np.float64]:
    """16x16 levels of grey, mean 0, deviation 1."""
    with Image.open(path) as image:
        small = np.asarray(image.convert("L").resize((16, 16)), np.float64)
    centred: NDArray[np.float64] = (small - small.mean()) / (small.std() + 1e-6)
    return centred


def is_photograph(path: Path) -> bool:
    """Judged by name and size."""
    if path.suffix.lower() not in (".jpg", ".jpeg") or path.name.startswith(NOT_PHOTOGRAPHS):
        return False
    with Image.open(path) as image:
        return min(image.size) >= LEAST_SIDE and not (path.name in SCREENSHOTS and _white(image))


def _white(image: Image.Image) -> bool:
    """Whether a tenth of a picture is plain white, as pages are."""
    return float((np.asarray(image.convert("L")) > 253).mean()) > 0.1


def main() -> None:
    """Copy every photograph once, numbered in the order of the files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    known: list[NDArray[np.float64]] = []
    for path in sorted(file for file in options.folder.rglob("*") if file.is_file()):
        if not is_photograph(path):
            continue
        small = thumbnail(path)
        if any(float((small * other).mean()) > ALIKE for other in known):
            continue
        known.append(small)
        copyfile(path, options.out / f"{len(known):03d}-{path.name}")
    print(f"{len(known)} photographs: {options.out}")


if __name__ == "__main__":
    main()
