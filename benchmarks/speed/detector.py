"""CPU time of `i2i detect-fake` per image on one core, including reading but not start-up.

    python -m benchmarks.speed.detector [--repeats 10]

Images are noise, the worst case for a PNG decoder. CPU time does not depend on the load of the machine.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from benchmarks.lib.arguments import argument_parser
from i2icli.detector.detector import Detector


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args(arguments).repeats
    torch.set_num_threads(1)
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
