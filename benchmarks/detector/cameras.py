"""A camera, simulated: a scene through a colour mosaic, demosaicing, denoising, sharpening and a tone curve.

Scenes are photographs halved in size at least, so that nothing is left of the mosaic and the JPEG of the
camera that took them. Malvar's demosaicing after: Malvar, He, Cutler, "High-quality linear
interpolation for demosaicing of Bayer-patterned color images", ICASSP 2004,
https://doi.org/10.1109/ICASSP.2004.1326587; edge-aware: Hamilton and Adams, US 5,629,734, 1997; OpenCV's are
tools here. X-Trans and quad Bayer sensors, whose makers publish no demosaicing, are interpolated with weights
that fall with distance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt

from benchmarks.detector.fakes import Pixels

Plane = NDArray[np.float32]  # (H, W) in 0..1
Planes = NDArray[np.float32]  # (H, W, 3) in 0..1, red, green, blue

RED, GREEN, BLUE = range(3)
MOSAICS: dict[str, tuple[str, ...]] = {  # rows of one period
    "RGGB": ("RG", "GB"),
    "GRBG": ("GR", "BG"),
    "GBRG": ("GB", "RG"),
    "BGGR": ("BG", "GR"),
    "X-Trans": ("GBGGRG", "RGRBGB", "GBGGRG", "GRGGBG", "BGBRGR", "GRGGBG"),
    "quad": ("RRGG", "RRGG", "GGBB", "GGBB"),
}
BAYER = ("RGGB", "GRBG", "GBRG", "BGGR")
BAYER_DEMOSAICING = ("nearest", "bilinear", "malvar", "hamilton-adams", "opencv", "opencv-ea", "opencv-vng")
GAIN = (0.5, 1.0, 0.65)  # of the sensor for red, green, blue, undone by the white balance
SIDE = 1024  # pixels of a scene, at most


@dataclass(frozen=True)
class Camera:
    """What happens to a scene."""

    mosaic: str = "RGGB"
    demosaicing: str = "malvar"
    sharpening: float = 0.0  # of unsharp masking
    denoising: str = ""  # "", "median", "bilateral"
    noise: float = 0.004  # deviation at middle grey, 0..1
    imbalance: float = 0.0  # by how much the greens of one row are more sensitive than those of the other


def any_camera(rng: np.random.Generator) -> Camera:
    """A camera with a random mosaic and a demosaicing that suits it."""
    mosaic = str(rng.choice([*BAYER, "X-Trans", "quad"]))
    names = BAYER_DEMOSAICING if mosaic in BAYER else ("distance", "remosaiced", "nearest")
    return Camera(
        mosaic,
        str(rng.choice(names)),
        sharpening=float(rng.choice([0, rng.uniform(0, 1.2)])),
        denoising=str(rng.choice(["", "", "median", "bilateral"])),
        noise=float(rng.uniform(0.001, 0.012)),
        imbalance=float(rng.choice([0, 0, rng.uniform(0, 0.04)])),
    )


def scene(path: Path) -> Planes:
    """Linear light of the middle of a photograph of half its size or less, with even sides."""
    image = Image.open(path).convert("RGB")
    image = image.reduce(max(2, min(image.size) // SIDE)) if min(image.size) >= SIDE else image
    height, width = (min(side, SIDE) // 24 * 24 for side in (image.height, image.width))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    values = np.asarray(image.crop((left, top, left + width, top + height)), np.float32)
    return np.asarray((values / 255) ** 2.2, np.float32)


def photographed(light: Planes, camera: Camera, rng: np.random.Generator) -> Pixels:
    """The image (H, W, 3) that a camera makes of a scene in linear light."""
    seen = cv2.GaussianBlur(light, (0, 0), 0.45) * np.array(GAIN, np.float32)  # by lens and area of a pixel
    colours = pattern(camera.mosaic, *seen.shape[:2])
    raw = np.take_along_axis(seen, colours[..., None], 2)[..., 0]  # (H, W)
    raw[::2][colours[::2] == GREEN] *= 1 + camera.imbalance
    raw = raw + rng.normal(0, camera.noise, raw.shape) * np.sqrt(raw / 0.2 + 0.05)
    raw = np.asarray(raw.clip(0, 1), np.float32)
    image = DEMOSAICING[camera.demosaicing](raw, colours) / np.array(GAIN, np.float32)
    image = np.asarray(image.clip(0, 1), np.float32)
    return developed(image, camera)


def developed(image: Planes, camera: Camera) -> Pixels:
    """Linear light -> denoised, sharpened, with a tone curve, 8 bits."""
    image = image ** (1 / 2.2)
    if camera.denoising == "bilateral":
        image = cv2.bilateralFilter(image, 5, 0.05, 1.5)
    if camera.denoising == "median":
        grey = image.mean(2, keepdims=True)
        chroma = [cv2.medianBlur(np.ascontiguousarray(plane), 3) for plane in np.moveaxis(image - grey, 2, 0)]
        image = grey + np.stack(chroma, 2)
    if camera.sharpening:
        image = image + camera.sharpening * (image - cv2.GaussianBlur(image, (0, 0), 0.8))
    return (image * 255 + 0.5).clip(0, 255).astype(np.uint8)


@cache
def pattern(mosaic: str, height: int, width: int) -> NDArray[np.intp]:
    """(H, W): which colour every pixel of a mosaic sees."""
    rows = np.array([["RGB".index(letter) for letter in row] for row in MOSAICS[mosaic]])
    repeated = np.tile(rows, (-(-height // len(rows)), -(-width // len(rows))))
    return np.ascontiguousarray(repeated[:height, :width])


def _apart(raw: Plane, colours: NDArray[np.intp]) -> tuple[Planes, Planes]:
    """The values of every colour, 0 elsewhere; and where they are, 1 or 0."""
    masks = np.stack([colours == colour for colour in range(3)], 2).astype(np.float32)
    return raw[..., None] * masks, masks


def _filtered(planes: Planes, kernel: NDArray[np.float32]) -> Planes:
    return np.asarray(cv2.filter2D(planes, -1, kernel, borderType=cv2.BORDER_REFLECT_101), np.float32)


def weighted(raw: Plane, colours: NDArray[np.intp], kernel: NDArray[np.float32]) -> Planes:
    """Every colour from its neighbours by the weights of a kernel; what was seen is kept."""
    values, masks = _apart(raw, colours)
    around = _filtered(values, kernel) / np.maximum(_filtered(masks, kernel), 1e-6)
    return np.where(masks > 0, values, around).astype(np.float32)


def nearest(raw: Plane, colours: NDArray[np.intp]) -> Planes:
    """Every colour from one of its nearest neighbours."""
    found = []
    for colour in range(3):
        rows, columns = distance_transform_edt(colours != colour, return_distances=False, return_indices=True)
        found.append(raw[rows, columns])
    return np.stack(found, 2)


def bilinear(raw: Plane, colours: NDArray[np.intp]) -> Planes:
    """The mean of the nearest neighbours."""
    return weighted(raw, colours, np.outer((1, 2, 1), (1, 2, 1)).astype(np.float32))


def distance(raw: Plane, colours: NDArray[np.intp]) -> Planes:
    """Neighbours within two pixels by weights that fall with distance, for mosaics of larger periods."""
    rows, columns = np.mgrid[-3:4, -3:4]
    return weighted(raw, colours, np.exp(-(rows**2 + columns**2) / 1.6).astype(np.float32))


def remosaiced(raw: Plane, colours: NDArray[np.intp]) -> Planes:
    """A mosaic of larger period made RGGB first, as in telephones."""
    usual = pattern("RGGB", *raw.shape)
    guessed = distance(raw, colours)
    return malvar(np.take_along_axis(guessed, usual[..., None], 2)[..., 0], usual)


def malvar(raw: Plane, colours: NDArray[np.intp]) -> Planes:
    """Bilinear, corrected by the Laplacian of the colour that was seen: the 5x5 kernels of figure 2."""
    cross = np.array(
        [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]], np.float32
    )
    along = np.array(
        [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]],
        np.float32,
    )
    corner = np.array(
        [
            [0, 0, -1.5, 0, 0],
            [0, 2, 0, 2, 0],
            [-1.5, 0, 6, 0, -1.5],
            [0, 2, 0, 2, 0],
            [0, 0, -1.5, 0, 0],
        ],
        np.float32,
    )
    green, in_row, in_column, diagonal = (
        _filtered(raw, kernel / 8) for kernel in (cross, along, along.T, corner)
    )
    image = np.repeat(raw[..., None], 3, 2)
    image[..., GREEN] = np.where(colours == GREEN, raw, green)
    for colour in (RED, BLUE):
        here = (colours == colour).any(1)[:, None]  # rows with this colour
        image[..., colour] = np.where(colours == GREEN, np.where(here, in_row, in_column), diagonal)
        image[..., colour] = np.where(colours == colour, raw, image[..., colour])
    return image


def hamilton_adams(raw: Plane, colours: NDArray[np.intp]) -> Planes:
    """Green along the direction of less change; the others by differences from green."""
    guesses, changes = [], []
    for kernel in (np.ones((1, 5), np.float32), np.ones((5, 1), np.float32)):
        shape = kernel.shape
        mean = _filtered(raw, np.array((0, 0.5, 0, 0.5, 0), np.float32).reshape(shape))
        slope = _filtered(raw, np.array((0, -1, 0, 1, 0), np.float32).reshape(shape))
        bend = _filtered(raw, np.array((-1, 0, 2, 0, -1), np.float32).reshape(shape))
        guesses.append(mean + bend / 4)
        changes.append(np.abs(slope) + np.abs(bend))
    across, down = guesses
    equal = np.where(changes[0] == changes[1], (across + down) / 2, down)
    chosen = np.where(changes[0] < changes[1], across, equal)
    green = np.where(colours == GREEN, raw, chosen).astype(np.float32)
    differences = bilinear(raw - green, colours)
    return np.stack([green + differences[..., RED], green, green + differences[..., BLUE]], 2)


def _opencv(code: str) -> Callable[[Plane, NDArray[np.intp]], Planes]:
    """A demosaicing of OpenCV: "", "_EA" on 16 bits, "_VNG" on 8."""

    def demosaic(raw: Plane, colours: NDArray[np.intp]) -> Planes:
        # Its names are of the second row and column.
        name = "".join("RGB"[colour] for colour in (colours[1, 1], colours[1, 0]))
        top = 255 if code == "_VNG" else 65535
        values = (raw * top + 0.5).astype(np.uint8 if code == "_VNG" else np.uint16)
        image = cv2.demosaicing(values, getattr(cv2, f"COLOR_Bayer{name}2RGB{code}"))
        return np.asarray(image, np.float32) / top

    return demosaic


DEMOSAICING: dict[str, Callable[[Plane, NDArray[np.intp]], Planes]] = {
    "nearest": nearest,
    "bilinear": bilinear,
    "malvar": malvar,
    "hamilton-adams": hamilton_adams,
    "opencv": _opencv(""),
    "opencv-ea": _opencv("_EA"),
    "opencv-vng": _opencv("_VNG"),
    "distance": distance,
    "remosaiced": remosaiced,
}
