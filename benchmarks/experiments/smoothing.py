"""Smoothing of translated videos: warping error and flicker with and without, sharpness, and what it costs.

    python -m benchmarks.experiments.smoothing VIDEO [--result TRANSLATED] [--frames 100] [--width 512]
        [--strength 0.7] [--sheet s.png]

TRANSLATED is VIDEO translated frame by frame. Without it every frame is reduced to the eight colours that
suit it best, which flickers as the colours are chosen anew for every frame. Warping errors are as in Lai et
al., ECCV 2018, with flow from VIDEO; beside them stand those of VIDEO itself and of a video frozen at its
first frame. Sharpness is the mean magnitude of the gradient relative to the unsmoothed video: smoothing must
not win by blur. The cost is the time of smoothing a frame over that of a CycleGAN generator (ResNet-9,
untrained) of the same size on this machine.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.lib.arguments import argument_parser
from i2icli.flow.consistency import ConsistencyMeter
from i2icli.flow.flicker import FlickerMeter
from i2icli.flow.smooth import STRENGTH, Smoother
from i2icli.image import resize
from i2icli.nn.resnet import ResnetGenerator
from i2icli.video.opening import open_source

COLOURS = 8
SHOWN = 6  # frames on the sheet

Frames = list[NDArray[np.uint8]]


def read_frames(path: Path, count: int, width: int) -> Frames:
    """The first frames of a video, (H, W, 3) each, of a width and sides that are multiples of 4."""
    with open_source(str(path)).frames() as frames:
        return list(_resized((each.item.read().pixels for each in islice(frames, count)), width))


def _resized(frames: Iterator[NDArray[Any]], width: int) -> Iterator[NDArray[np.uint8]]:
    for frame in frames:
        height = max(4, round(frame.shape[0] * width / frame.shape[1] / 4) * 4)
        yield resize(frame, (height, width)).astype(np.uint8, copy=False)


def few_colours(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame in the colours that suit it best."""
    return np.asarray(Image.fromarray(frame).quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB"))


def sharpness(frame: NDArray[np.uint8]) -> float:
    """Mean magnitude of the gradient."""
    down, across = np.gradient(frame.astype(np.float32).mean(axis=2))
    return float(np.hypot(down, across).mean())


def smoothed(sources: Frames, results: Frames, strength: float) -> tuple[Frames, float]:
    """The smoothed frames, and the seconds of one."""
    smoother, found, seconds = Smoother(strength), [], []
    for source, result in zip(sources, results, strict=True):
        start = time.perf_counter()
        found.append(smoother(source, result))
        seconds.append(time.perf_counter() - start)
    return found, median(seconds)


@torch.inference_mode()
def network_seconds(size: tuple[int, ...]) -> float:
    """Seconds for a frame of a ResNet-9 generator, which needs no weights for that."""
    network = ResnetGenerator(3, 3).eval()
    image = torch.zeros(1, 3, size[0], size[1])
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        network(image)
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def report(sources: Frames, videos: dict[str, Frames]) -> None:
    """One line for each video."""
    print(f"{'':14}{'warping error':>15}{'long term':>12}{'flicker':>10}{'sharpness':>12}")
    plain = np.mean([sharpness(frame) for frame in next(iter(videos.values()))])
    for name, results in videos.items():
        meter, flicker = ConsistencyMeter(), FlickerMeter()
        for source, result in zip(sources, results, strict=True):
            meter.add(source, result)
            flicker.add(source, result)
        found, spectrum = meter.measured(), flicker.measured()
        assert found is not None
        strength = f"{spectrum.strength:.2f}" if spectrum else "-"
        sharp = np.mean([sharpness(frame) for frame in results]) / plain
        print(f"{name:14}{found.result.short:15.2f}{found.result.long:12.2f}{strength:>10}{sharp:12.2f}")


def write_sheet(path: Path, rows: list[Frames]) -> None:
    """Neighbouring frames from the middle, one row for each video."""
    first = len(rows[0]) // 2
    Image.fromarray(np.vstack([np.hstack(row[first : first + SHOWN]) for row in rows])).save(path)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("video", type=Path)
    parser.add_argument("--result", type=Path, help="the video translated frame by frame")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--width", type=int, default=512, help="pixels that frames are resized to")
    parser.add_argument("--strength", type=float, default=STRENGTH)
    parser.add_argument("--sheet", type=Path, help="also write neighbouring frames, one row for each video")
    given = parser.parse_args(arguments)
    sources = read_frames(given.video, given.frames, given.width)
    results = (
        read_frames(given.result, given.frames, given.width)
        if given.result
        else [few_colours(frame) for frame in sources]
    )
    found, seconds = smoothed(sources, results, given.strength)
    height, width, _ = sources[0].shape
    print(f"{given.video.name}: {len(sources)} frames of {width}x{height}, strength {given.strength}")
    frozen = [results[0]] * len(results)
    report(sources, {"frame by frame": results, "smoothed": found, "source": sources, "frozen": frozen})
    ratio = seconds / network_seconds(sources[0].shape)
    print(f"smoothing takes {ratio:.3f} of the time of a ResNet-9 ({1000 * seconds:.0f} ms per frame here)")
    if given.sheet:
        write_sheet(given.sheet, [sources, results, found])


if __name__ == "__main__":
    main()
