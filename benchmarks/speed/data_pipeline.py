"""Throughput of the training data loader against a plain loop.

    python -m benchmarks.speed.data_pipeline [--files 100] [--threads 0 1 2 4]

Writes a folder of JPEGs and reads it with several numbers of threads, from disk and from the image cache.
The plain loop does the same work, one image after the other. Only the ratios are meaningful.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.lib.arguments import argument_parser
from i2icli.config import Config
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.loader import batches
from i2icli.data.options import DataOptions
from i2icli.demo.toy.scenes import scene
from i2icli.image import resize


def make_folder(folder: Path, number: int, side: int) -> None:
    """Write JPEGs of landscapes into trainA/ and trainB/."""
    for name in ("trainA", "trainB"):
        (folder / name).mkdir(parents=True)
    for index in range(number):
        landscape = scene(index, 128)
        for name, pixels in (("trainA", landscape.photo), ("trainB", landscape.dusk)):
            large = np.ascontiguousarray(resize(pixels, (side, side)))
            Image.fromarray(large).save(folder / name / f"{index:03}.jpg", quality=92)


def plain_loop(folder: Path, config: Config) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Open, resize, crop, flip and convert one image after the other, as classic scripts do."""
    rng = np.random.default_rng(0)
    files = [sorted((folder / name).iterdir()) for name in ("trainA", "trainB")]
    (load_height, load_width), (height, width) = config.resize_to, config.crop_size
    while True:
        for file_a in files[0]:
            pair = []
            for path in (file_a, files[1][rng.integers(len(files[1]))]):
                image = (
                    Image.open(path)
                    .convert("RGB")
                    .resize((load_width, load_height), Image.Resampling.BICUBIC)
                )
                left, top = rng.integers(load_width - width + 1), rng.integers(load_height - height + 1)
                image = image.crop((left, top, left + width, top + height))
                if rng.random() < 0.5:
                    image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
                tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()  # (C, H, W)
                pair.append(tensor / 127.5 - 1)
            yield pair[0][None], pair[1][None]


def rate(source: Iterable[object], number: int) -> float:
    """Images per second from an iterable of pairs, after a warm-up."""
    pairs = iter(source)
    list(islice(pairs, 4))
    start = time.perf_counter()
    list(islice(pairs, number))
    return 2 * number / (time.perf_counter() - start)


def measure(folder: Path, config: Config, threads: list[int], number: int) -> dict[str, float]:
    """Images per second of every configuration."""
    rates = {"plain": rate(plain_loop(folder, config), number)}
    for kind, cache_bytes in (("disk", 0), ("memory", 2**31)):
        train = UnpairedImages([folder], DataOptions.of(config, cache_bytes=cache_bytes)).train()
        for workers in threads:
            source = batches(train, batch_size=1, seed=0, workers=workers)
            rates[f"{kind}, {workers} threads"] = rate(source, number)
            source.close()
    return rates


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--files", type=int, default=100, help="JPEGs per domain")
    parser.add_argument("--side", type=int, default=512, help="their side in pixels")
    parser.add_argument("--crop", type=int, default=256, help="side of the training images")
    parser.add_argument("--number", type=int, default=300, help="pairs read per measurement")
    parser.add_argument("--threads", type=int, nargs="+", default=[0, 1, 2, 4])
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        make_folder(Path(temporary), options.files, options.side)
        rates = measure(Path(temporary), Config(crop_size=options.crop), options.threads, options.number)
    for name, value in rates.items():
        print(f"{name:20} {value:8.0f} images/s   {value / rates['plain']:5.2f} x plain loop")
    if {1, 2} <= set(options.threads):
        print(f"2 threads / 1 thread, from disk: {rates['disk, 2 threads'] / rates['disk, 1 threads']:.2f} x")
    most = f"{options.threads[-1]} threads"
    print(f"memory / disk, {most}: {rates[f'memory, {most}'] / rates[f'disk, {most}']:.2f} x")


if __name__ == "__main__":
    main()
