"""Speed of spectral profiles.

    python -m benchmarks.speed.spectra [--count 1000]

Profiles of synthetic 1024x1024 images (JPEG and PNG, a few files read repeatedly), as `i2i spectrum` computes
them: decoding alone, decoding and profile, profile alone. Two slower implementations of the same profile, on
decoded images, for comparison: a loop over the pixels, and numpy with the radii computed and sorted for each
image. Printed is CPU time per image, and wall-clock time for the multi-threaded measurement.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from math import hypot
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.lib.arguments import argument_parser
from i2icli.image import DecodedImage, grey_levels, read_image, write_image
from i2icli.nn.spectrum import EPSILON, profile_of
from i2icli.report.spectra import measure, read_profile

SIDE = 1024  # pixels
FILES = 8  # distinct images
SLOW = 3  # images for the slower implementations

Levels = NDArray[np.uint8]
T = TypeVar("T")


def clouds(seed: int) -> NDArray[np.uint8]:
    """(SIDE, SIDE, 3): noise with a 1/f spectrum plus some white noise."""
    rng = np.random.default_rng(seed)
    frequency = np.fft.fftfreq(SIDE)
    radius = np.maximum(np.hypot(frequency[:, None], frequency), 1 / SIDE)[..., None]
    noise = np.fft.fft2(rng.standard_normal((SIDE, SIDE, 3)), axes=(0, 1))
    image = np.fft.ifft2(noise / radius, axes=(0, 1)).real
    image = 128 + 40 * image / image.std() + 2 * rng.standard_normal(image.shape)
    return image.clip(0, 255).round().astype(np.uint8)


def by_pixel(levels: Levels) -> NDArray[np.float64]:
    """The profile, by a loop over the pixels."""
    values = _log_spectrum(levels)
    height, width = values.shape
    sums: dict[int, float] = {}
    counts: dict[int, int] = {}
    for y in range(height):
        for x in range(width):
            ring = int(hypot(x - (width - 1) / 2, y - (height - 1) / 2))
            sums[ring] = sums.get(ring, 0.0) + values[y, x]
            counts[ring] = counts.get(ring, 0) + 1
    return np.array([sums[ring] / counts[ring] for ring in sorted(sums)[1:-1]])


def by_sorting(levels: Levels) -> NDArray[np.float64]:
    """The profile, from cumulative sums over pixels sorted by radius."""
    values = _log_spectrum(levels)
    y, x = np.indices(values.shape)
    radius = np.hypot(x - (values.shape[1] - 1) / 2, y - (values.shape[0] - 1) / 2)
    order = np.argsort(radius, axis=None)
    ring, total = radius.ravel()[order].astype(int), values.ravel()[order].cumsum()
    ends = np.flatnonzero(np.diff(ring))
    return np.diff(total[ends]) / np.diff(ends)


def _log_spectrum(levels: Levels) -> NDArray[np.float64]:
    result: NDArray[np.float64] = 20 * np.log(np.abs(np.fft.fftshift(np.fft.fft2(levels)) + EPSILON))
    return result


def seconds(work: Callable[[T], object], items: Sequence[T]) -> float:
    """CPU seconds per image; results are discarded."""
    before = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - before) / len(items)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--count", type=int, default=1000, help="number of images to read")
    count = parser.parse_args(arguments).count
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        images = [clouds(seed) for seed in range(FILES)]
        decoded = [grey_levels(image) for image in images]
        profile_of(decoded[0])  # computes the cached rings of this size
        fast = seconds(profile_of, [decoded[number % FILES] for number in range(count)])
        for suffix in (".jpg", ".png"):
            paths = [Path(folder) / f"{number}{suffix}" for number in range(FILES)]
            for path, image in zip(paths, images, strict=True):
                write_image(path, DecodedImage(image, None, "png"))
            every = [paths[number % FILES] for number in range(count)]
            decoding = seconds(lambda path: grey_levels(read_image(path).pixels), every)
            whole = seconds(read_profile, every)
            wall = time.perf_counter()
            measure({"all": every})
            wall = (time.perf_counter() - wall) / count
            print(
                f"{suffix}: decoding {1e3 * decoding:.1f} ms, decoding and profile {1e3 * whole:.1f} ms "
                f"({whole / decoding:.2f} times as long); all threads {1e3 * wall:.1f} ms wall-clock"
            )
    print(f"profile alone, decoded: {1e3 * fast:.1f} ms for each of {count:,} images of {SIDE}x{SIDE}")
    for name, method in (("a loop over the pixels", by_pixel), ("numpy, sorting radii", by_sorting)):
        some = decoded[:SLOW]
        slow = seconds(method, some)
        difference = max(float(np.abs(method(each) - profile_of(each)).max()) for each in some[:1])
        print(f"{name}: {1e3 * slow:.0f} ms, {slow / fast:.0f} times as long, maximum error {difference:.0e}")


if __name__ == "__main__":
    main()
