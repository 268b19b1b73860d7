"""What the detector makes of photographs with a lattice: of a camera's mosaic, a screen, a scan, resizing.

    python -m benchmarks.detector.false_alarms PHOTOGRAPHS [--limit 9] [--networks 3]

Photographs are halved and taken again by simulated cameras (`benchmarks/detector/cameras.py`). Printed are
the fractions called fake: of whole images (about 1000 px), before and after the rule that peaks at half the
sampling rate alone could be a mosaic (`i2icli/detector/mosaic.py`), and of their middles of 256 px, to which
it does not apply; and the mean height of the peaks of the whole images in dB. Then the same for fakes of some
of the photographs by networks with random weights, whole and with a fifth of their fine detail (weak).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.detector.cameras import Camera, Planes, developed, photographed, scene
from benchmarks.detector.examples import injected
from benchmarks.detector.fakes import SHAPES, UPSAMPLINGS, Level, Pixels, jpeg, network, noisy, translated
from benchmarks.lib.arguments import argument_parser
from i2icli.detector.abstention import MOSAIC, abstention_reasons
from i2icli.detector.detector import Detector
from i2icli.detector.explanation import DECIBEL
from i2icli.detector.mosaic import half_and_quarter
from i2icli.detector.peaks import ORBITS
from i2icli.detector.view import View
from i2icli.image.finding import find_images

SMALL = 256  # pixels of a side
CAMERAS = {
    **{f"{name}, Malvar": Camera(name) for name in ("RGGB", "GRBG", "GBRG", "BGGR")},
    **{
        f"RGGB, {name}": Camera(demosaicing=name)
        for name in ("nearest", "bilinear", "hamilton-adams", "opencv", "opencv-ea", "opencv-vng")
    },
    "RGGB, Malvar, sharpened": Camera(sharpening=1),
    "RGGB, bilinear, sharpened": Camera(demosaicing="bilinear", sharpening=1),
    "RGGB, opencv-ea, sharpened": Camera(demosaicing="opencv-ea", sharpening=1),
    "RGGB, Malvar, noisy": Camera(noise=0.02),
    "RGGB, bilinear, noisy": Camera(demosaicing="bilinear", noise=0.02),
    "RGGB, opencv-ea, noisy": Camera(demosaicing="opencv-ea", noise=0.02),
    "RGGB, Malvar, bilateral": Camera(denoising="bilateral"),
    "RGGB, Malvar, chroma median": Camera(denoising="median"),
    "RGGB, Malvar, greens 1 % apart": Camera(imbalance=0.01),
    "RGGB, Malvar, greens 3 % apart": Camera(imbalance=0.03),
    "RGGB, opencv-ea, greens 3 % apart": Camera(demosaicing="opencv-ea", imbalance=0.03),
    "X-Trans, nearest": Camera("X-Trans", "nearest"),
    "X-Trans, distance": Camera("X-Trans", "distance"),
    "quad Bayer, nearest": Camera("quad", "nearest"),
    "quad Bayer, distance": Camera("quad", "distance"),
    "quad Bayer, remosaiced, Malvar": Camera("quad", "remosaiced"),
}
COMPRESSED = ("RGGB, Malvar", "RGGB, Malvar, noisy", "RGGB, Malvar, greens 3 % apart")
RESIZERS = ("nearest", "bilinear", "bicubic", "lanczos")


@dataclass
class Row:
    """The results of all images of one kind."""

    name: str
    large: list[tuple[bool, bool]]  # whether called fake, before and after the rule
    small: list[bool]
    peaks: list[tuple[float, ...]]  # of the large ones, else of the small ones

    def __str__(self) -> str:
        before, after = (_share([each[place] for each in self.large]) for place in (0, 1))
        heights = " ".join(f"{DECIBEL * each:5.1f}" for each in np.mean(self.peaks, 0))
        return f"{self.name:46}{before:>5}{after:>7}{_share(self.small):>6} {heights}"


def _share(called: Sequence[bool]) -> str:
    return f"{100 * np.mean(called):.0f} %" if called else "-"


def photographs(light: Planes, rng: np.random.Generator) -> Iterator[tuple[str, Pixels]]:
    """Kinds of images of one scene."""
    plain = developed(cv2.GaussianBlur(light, (0, 0), 0.45), Camera())
    yield "no mosaic", plain
    for name, camera in CAMERAS.items():
        image = photographed(light, camera, rng)
        yield name, image
        if name in COMPRESSED:
            for quality, subsampling, chroma in ((95, 0, "4:4:4"), (95, 2, "4:2:0"), (85, 2, "4:2:0")):
                yield f"{name}, JPEG {quality} {chroma}", jpeg(image, quality, subsampling)
    yield "screenshot", screenshot(plain)
    for pitch in (4, 6, 9):
        yield f"scan of a print, {pitch} px screen", scan(plain, pitch, rng)
    for factor in (1.5, 2, 3, 4):
        for method in RESIZERS:
            yield f"upscaled {factor:g}x, {method}", upscaled(plain, factor, method)
    for factor in (0.5, 2):
        for method in RESIZERS:
            yield f"JPEG 60, {factor:g}x, {method}", upscaled(jpeg(plain, 60), factor, method)


def screenshot(photograph: Pixels) -> Pixels:
    """A window with text and a photograph that is scaled to fit."""
    height, width = photograph.shape[:2]
    page = Image.new("RGB", (width, height), (250, 250, 252))
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, width, 60), fill=(60, 63, 70))
    shown = Image.fromarray(photograph).resize((width * 9 // 10, height * 3 // 4), Image.Resampling.BILINEAR)
    page.paste(shown, (width // 20, 80))
    for top in range(100 + shown.height, height, 14):
        draw.text((width // 20, top), "The quick brown fox jumps over the lazy dog. " * 3, fill=(30, 30, 30))
    return np.asarray(page)


def scan(photograph: Pixels, pitch: int, rng: np.random.Generator) -> Pixels:
    """Printed in dots of one screen for each colour at 15, 45 and 75 degrees, blurred by a scanner, noisy."""
    rows, columns = np.mgrid[: photograph.shape[0], : photograph.shape[1]].astype(np.float32)
    printed = []
    for plane, angle in zip(np.moveaxis(photograph, 2, 0), (15, 45, 75), strict=True):
        sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
        across, down = columns * cosine + rows * sine, rows * cosine - columns * sine
        waves = np.cos(2 * np.pi / pitch * across) + np.cos(2 * np.pi / pitch * down)
        threshold = 127.5 + 63 * waves
        printed.append(255 * (plane > threshold))
    blurred = cv2.GaussianBlur(np.stack(printed, 2).astype(np.float32), (0, 0), 1.2)
    return noisy(blurred.astype(np.uint8), 2, rng)


def upscaled(photograph: Pixels, factor: float, method: str) -> Pixels:
    """The middle of a photograph, enlarged to the size of the whole; or all of it, made smaller."""
    height, width = photograph.shape[:2]
    inner = (int(height / max(1, factor)), int(width / max(1, factor)))
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    part = Image.fromarray(photograph[top : top + inner[0], left : left + inner[1]])
    size = (round(inner[1] * factor), round(inner[0] * factor))
    return np.asarray(part.resize(size, Image.Resampling[method.upper()]))


def fakes(photograph: Pixels, rng: np.random.Generator) -> Iterator[tuple[str, Pixels]]:
    """Fakes of one photograph by a network of every shape and up-sampling, and by those with a single one."""
    for shape in SHAPES:
        for kind in UPSAMPLINGS:
            fake = translated(network(shape, kind, rng), photograph)
            name = f"{shape}, {kind}"
            yield name, fake
            yield f"{name}, weak", injected(photograph, fake, 0.2)
    for kind in UPSAMPLINGS:
        single = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 5, padding=2),
            torch.nn.ReLU(),
            Level(16, 24, None, kind, skip=bool(rng.random() < 0.5)),
            torch.nn.Conv2d(16, 3, 3, padding=1),
        )
        yield f"single up-sampling, {kind}", translated(single, photograph)


def judge(detector: Detector, rows: dict[str, Row], name: str, pixels: Pixels) -> None:
    """Add an image and its middle to the row of its kind."""
    row = rows.setdefault(name, Row(name, [], [], []))
    top, left = ((side - SMALL) // 16 * 8 for side in pixels.shape[:2])
    for image in (pixels, np.ascontiguousarray(pixels[top : top + SMALL, left : left + SMALL])):
        features = detector.extract(image)
        verdict = detector.verdict(float(detector.probabilities(features[None])[0]))
        reasons = abstention_reasons(detector.info, features, View(image), None, None, verdict)
        before, after = (verdict == "fake" and not found for found in (set(reasons) - {MOSAIC}, reasons))
        if image is pixels:
            row.large.append((before, after))
            row.peaks.append(_heights(features))
        else:
            row.small.append(after)


def _heights(features: NDArray[np.float64]) -> tuple[float, ...]:
    """Peaks at (0, 1/2) and (1/2, 1/2), in brightness and in the stronger colour difference; at quarters."""
    peaks = features[: 3 * len(ORBITS)].reshape(3, len(ORBITS))
    edge, corner = ORBITS.index((0, 4)), ORBITS.index((4, 4))
    colour = peaks[1:].max(0)
    return (peaks[0, edge], peaks[0, corner], colour[edge], colour[corner], half_and_quarter(features)[1])


def _print(title: str, rows: dict[str, Row]) -> None:
    print(f"\n{'':46}  called fake        peaks in brightness, colour")
    print(f"{title:46}large  after small   0,½   ½,½   0,½   ½,½     ¼")
    for row in rows.values():
        print(row, flush=True)
    large = [each for row in rows.values() for each in row.large]
    small = [each for row in rows.values() for each in row.small]
    before, after = (_share([each[place] for each in large]) for place in (0, 1))
    print(f"{'together':46}{before:>5}{after:>7}{_share(small):>6}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=9, help="photographs, evenly spaced")
    parser.add_argument("--networks", type=int, default=3, help="networks of every kind")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(0)
    rng, detector = np.random.default_rng(0), Detector.shipped("traces")
    files = find_images(options.folder)
    files = [files[index * len(files) // options.limit] for index in range(min(options.limit, len(files)))]
    real: dict[str, Row] = {}
    for file in files:
        for name, pixels in photographs(scene(file), rng):
            judge(detector, real, name, pixels)
    _print(f"{len(files)} photographs", real)
    fake: dict[str, Row] = {}
    for file in files[:: max(1, len(files) // options.networks)][: options.networks]:
        pixels = developed(scene(file), Camera())
        pixels = np.ascontiguousarray(pixels[: pixels.shape[0] // 32 * 32, : pixels.shape[1] // 32 * 32])
        for name, made in fakes(pixels, rng):
            judge(detector, fake, name, made)
    _print(f"fakes of {options.networks} photographs", fake)


if __name__ == "__main__":
    main()
