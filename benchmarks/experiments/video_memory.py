"""Does the memory help? vid2vid against the same generator, trained and applied frame by frame.

    python -m benchmarks.experiments.video_memory VIDEO --out video_memory [--steps 1000] [--recipe small]
        [--condition edges] [--set width=16 ...] [--sheet s.png]

VIDEO is a plain film of one scene. The first two thirds are learned from: vid2vid from clips, for --steps
steps, and the same generator from single frames, without memory, flow and temporal discriminators, for as
many operations (counted on the meta device). Both then translate the condition of the last third, which
neither has seen, from a first frame of their own on.

Printed beside the real film and the real film frozen at the first frame: PSNR and SSIM of every frame
against the truth; warping error, short and long term (Lai et al., ECCV 2018; mean squared differences x1000,
with the flow of the real film); flicker of what does not move. Finished runs are not repeated, stopped ones
go on.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.lib.arguments import argument_parser
from i2icli.config import Config, RunOptions
from i2icli.flow.consistency import consistency
from i2icli.flow.flicker import FlickerMeter
from i2icli.image import to_tensor
from i2icli.image.items import ArrayItem
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.recipe import resolve_config
from i2icli.scores import psnr, ssim
from i2icli.training.plan import plan
from i2icli.training.run import train
from i2icli.video import open_source, write_video

SYSTEM = "vid2vid"
LEARNED = 2 / 3  # of the film
ALONE = {
    "clip_length": 1,
    "clip_doublings": 0,
    "first_frames": "own",
    "flow": False,
    "num_temporal_scales": 0,
}
SHOWN = 6  # frames on the sheet

Frames = list[NDArray[np.uint8]]  # (H, W, 3) each


def main(arguments: Sequence[str] | None = None) -> None:
    """Split the film, train what is not trained, translate the rest, print a row for each."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("video", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--recipe", default="small")
    parser.add_argument("--condition", default="edges")
    parser.add_argument("--set", action="append", default=[], help="setting=value of both")
    parser.add_argument("--sheet", type=Path, help="write some frames of all, side by side")
    options = parser.parse_args(arguments)
    learned, rest, rate = split(options.video)
    data = options.out / "learned.mp4"
    if not data.exists():
        write_video(data, learned, rate)
    films = {name: translated(run, rest) for name, run in trained(options, data).items()}
    height, width = next(iter(films.values()))[0].shape[:2]
    real = [np.asarray(Image.fromarray(frame).resize((width, height))) for frame in rest]
    films = {"real film": real, "frozen": [real[0]] * len(real)} | films
    print("   PSNR       SSIM   warping error  long term   flicker   film")
    for name, film in films.items():
        print(f"{scores(film, real)}   {name}")
    if options.sheet:
        write_sheet(options.sheet, films)


def split(path: Path) -> tuple[Frames, Frames, float]:
    """Frames to learn from and the rest, with the rate."""
    source = open_source(str(path))
    with source.frames() as frames:
        pixels = [np.asarray(each.item.read().pixels, np.uint8) for each in frames]
    count = round(LEARNED * len(pixels))
    return pixels[:count], pixels[count:], float(source.info.rate or 25)


def trained(options: argparse.Namespace, data: Path) -> dict[str, Path]:
    """The runs of both."""
    given = dict(each.split("=", 1) for each in options.set) | {"condition": options.condition}
    film = resolve_config(SYSTEM, options.recipe, {"steps": options.steps} | given)
    alone = resolve_config(SYSTEM, options.recipe, {"steps": options.steps} | given | ALONE)
    steps = round(options.steps * operations(data, film) / operations(data, alone))
    configs = {"vid2vid": film, "frame by frame": alone.with_found({"steps": steps})}
    found = {}
    for name, config in configs.items():
        folder = options.out / name.replace(" ", "-")
        result = train(SYSTEM, [data], config, RunOptions(out=folder, sample_every=10**6))
        if not result.finished:
            raise SystemExit(f"stopped at step {result.step} of {result.steps}; the same command goes on")
        print(f"{name}: {result.steps:,} steps")
        found[name] = result.folder
    return found


def operations(data: Path, config: Config) -> float:
    """Floating-point operations of a whole training."""
    return float(sum(stage.steps * stage.flops for stage in plan(SYSTEM, [data], config).stages))


def translated(run: Path, frames: Frames) -> Frames:
    """What a model makes of the condition of a film, in the size that it was trained in."""
    translator = Translator.load(run)
    (spec,) = translator.specs(TranslateOptions(size=translator.backend.config.crop_size))
    items = [ArrayItem(frame) for frame in frames]
    (name,) = spec.task.inputs
    outputs = translator.stream((translator.read({name: item}, spec) for item in items), spec)
    return [
        np.asarray(translator.result(item.read(), output, spec).pixels, np.uint8)
        for item, output in zip(items, outputs, strict=True)
    ]


def scores(film: Frames, real: Frames) -> str:
    """The numbers of a row."""
    pairs = [(to_tensor(made)[None], to_tensor(truth)[None]) for made, truth in zip(film, real, strict=True)]
    same = film is real
    quality = "     - dB       -" if same else f"{_mean(psnr, pairs):6.2f} dB  {_mean(ssim, pairs):6.3f}"
    moved, meter = consistency(real, film).result, FlickerMeter(window=8)
    for truth, made in zip(real, film, strict=True):
        meter.add(truth, made)
    measured = meter.measured()
    flicker = measured.strength if measured else float("nan")
    return f"{quality}  {moved.short:14.2f} {moved.long:10.2f} {flicker:9.2f}"


def _mean(score: Any, pairs: list[tuple[Any, Any]]) -> float:
    found = np.array([float(score(*pair).mean()) for pair in pairs])
    return float(found[np.isfinite(found)].mean())  # the first frame of a frozen film is the truth


def write_sheet(path: Path, films: dict[str, Frames]) -> None:
    """A row of frames for each film, in the order of the table."""
    rows = []
    for film in films.values():
        times = np.linspace(0, len(film) - 1, SHOWN).astype(int)
        rows.append(np.concatenate([film[time] for time in times], axis=1))
    Image.fromarray(np.concatenate(rows)).save(path)


if __name__ == "__main__":
    main()
