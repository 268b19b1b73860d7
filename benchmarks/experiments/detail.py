"""Large photos by a model of small ones: at their own size, at its scale, and with their detail kept.

    python -m benchmarks.experiments.detail [--steps 1500] [--out FOLDER]

pix2pix learns, at 64 px, to turn drawn summer days into the autumn evenings of the same scenes. Scenes it did
not see are then translated at 512 px: as they are, with `--size trained`, and with `--detail` as well; and
brought back from 64 px in both ways as they would be if the network made no error. Printed are PSNR and SSIM
to the evening at 512 px, means over the scenes, and the time of an image.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

import i2icli
from benchmarks.lib.arguments import argument_parser
from i2icli.demo.toy.scenes import Scene, scene, write_png
from i2icli.image import Pixels, resize, to_array, to_pixels
from i2icli.image.joint_upsampling import joint_upsample
from i2icli.scores import psnr, ssim

TRAINED, FULL = 64, 512  # pixels
UNSEEN = 50_000  # seeds of scenes that were not learned from


def trained(folder: Path, steps: int) -> i2icli.Translator:
    """pix2pix, trained on summer days and evenings of 64 px."""
    for number in range(200):
        learned = scene(number, TRAINED)
        for side, pixels in (("A", learned.photo), ("B", learned.dusk)):
            write_png(folder / "data" / "train" / side / f"{number:03}.png", pixels)
    i2icli.train(
        "pix2pix",
        folder / "data",
        recipe="demo",
        steps=steps,
        holdout=0.05,
        out=folder / "run",
        device="cpu",
        quiet=True,
    )
    return i2icli.load(folder / "run", device="cpu", runtime="torch")


def ideal(given: Scene, joint: bool) -> Pixels:
    """The evening as a network without error would give it at 64 px, at the full size."""
    small = resize(given.dusk, (TRAINED, TRAINED))
    if not joint:
        return resize(small, (FULL, FULL))
    return to_pixels(joint_upsample(to_array(small), given.photo), np.uint8)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, translate and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        model = trained(options.out or Path(work), options.steps)
        kept = {"size": "trained", "detail": True}
        ways: dict[str, Callable[[Scene], Pixels]] = {
            "at 512 px": lambda given: model.translate(given.photo),
            "--size trained": lambda given: model.translate(given.photo, size="trained"),
            "--size trained --detail": lambda given: model.translate(given.photo, **kept),
            "no error, plain": lambda given: ideal(given, joint=False),
            "no error, joint": lambda given: ideal(given, joint=True),
        }
        scenes = [scene(UNSEEN + number, FULL) for number in range(options.scenes)]
        print(f"{'':26}{'PSNR':>8}{'SSIM':>8}{'s':>8}")
        for name, way in ways.items():
            started_at, found = time.perf_counter(), [way(given) for given in scenes]
            seconds = (time.perf_counter() - started_at) / len(scenes)
            made = torch.stack([torch.from_numpy(to_array(each)) for each in found])
            truth = torch.stack([torch.from_numpy(to_array(given.dusk)) for given in scenes])
            scores = psnr(made, truth).mean(), ssim(made, truth).mean()
            print(f"{name:26}{scores[0]:8.2f}{scores[1]:8.3f}{seconds:8.2f}", flush=True)
            if options.out:
                write_png(options.out / f"{name.replace(' ', '_')}.png", found[0])


if __name__ == "__main__":
    main()
