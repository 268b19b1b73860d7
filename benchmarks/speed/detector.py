"""How long `i2i detect-fake` takes for a picture on one core, reading included; start-up is not counted.

python -m benchmarks.speed.detector
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from i2icli.detector.detector import Detector

REPEATS = 10


def main() -> None:
    """Processor time, so that a busy machine does not count; noise, the worst case for a PNG reader."""
    torch.set_num_threads(1)
    detector = Detector.shipped("traces")
    with TemporaryDirectory() as folder:
        for side in (256, 512, 1024, 4096):
            pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
            for suffix in ("png", "jpg"):
                path = Path(folder) / f"{side}.{suffix}"
                Image.fromarray(pixels).save(path)
                detector.predict_file(path)
                start = time.process_time()
                for _ in range(REPEATS):
                    detector.predict_file(path)
                taken = (time.process_time() - start) / REPEATS
                print(f"{side:5} px {suffix}: {1000 * taken:6.1f} ms")


if __name__ == "__main__":
    main()
