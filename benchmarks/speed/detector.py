"""CPU time of `i2i detect-fake` per image on one core, including reading but not start-up.

    python -m benchmarks.speed.detector [--repeats 10]
    python -m benchmarks.speed.detector --film 20

Images are noise, the worst case for a PNG decoder. CPU time does not depend on the load of the machine.
With --film, the time for the frames that are judged of a film of so many minutes (synthetic, 640x360,
25 frames/s, a key frame at most every 10 s), in several containers; that is elapsed time, ffmpeg included.
"""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
import numpy as np
import torch
from PIL import Image

from benchmarks.lib.arguments import argument_parser
from i2icli.detector.detector import Detector
from i2icli.detector.run import FRAMES
from i2icli.video import sample_frames


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--film", type=int, metavar="MINUTES", help="measure a film instead")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.film:
        films(60 * options.film)
    else:
        images(options.repeats)


def films(seconds: int) -> None:
    """Make films and read frames of them."""
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin"]
    with TemporaryDirectory() as folder:
        first = Path(folder) / "film.mp4"
        drawn = f"testsrc2=s=640x360:r=25:d={seconds}"
        words = ["-f", "lavfi", "-i", drawn, "-c:v", "libx264", "-preset", "ultrafast", "-g", "250", first]
        subprocess.run([*ffmpeg, *words], check=True)
        for suffix in ("mp4", "mkv", "ts", "avi"):
            path = first.with_suffix(f".{suffix}")
            if path != first:
                subprocess.run([*ffmpeg, "-i", first, "-c", "copy", path], check=True)
            start = time.perf_counter()
            sample = sample_frames(path, FRAMES)
            taken = time.perf_counter() - start
            frames = f"{len(sample.frames)} frames, {sample.keys} of them key frames"
            print(f"{suffix:4} {path.stat().st_size / 1e6:6.0f} MB: {frames}: {taken:.2f} s")


def images(repeats: int) -> None:
    """Judge images of several sizes."""
    detector = Detector.shipped("traces")
    with TemporaryDirectory() as folder:
        for side in (256, 512, 1024, 4096):
            pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
            for suffix in ("png", "jpg"):
                path = Path(folder) / f"{side}.{suffix}"
                Image.fromarray(pixels).save(path)
                detector.predict_file(path)  # warm up
                start = time.process_time()
                for _ in range(repeats):
                    detector.predict_file(path)
                taken = (time.process_time() - start) / repeats
                print(f"{side:5} px {suffix}: {1000 * taken:6.1f} ms")


if __name__ == "__main__":
    main()
