"""vid2vid demo: films of label maps, which miss an object now and then, become films of photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.demo import SIDE, Demo, DemoResults, mean_psnr
from i2icli.demo.toy.films import write_films
from i2icli.image import FileItem
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator

TRAIN, TEST = 24, 4  # films
FRAMES = 24
SHOWN = 4  # frames of a film in the report

Frames = Sequence[NDArray[np.uint8]]  # (H, W, 3) each


@dataclass(frozen=True)
class _TestFilm:
    paths: list[Path]  # of the label maps
    labels: Frames
    photos: Frames
    motion: NDArray[np.int8]  # (T, H, W, 3), see `write_films`

    @classmethod
    def read(cls, folder: Path, name: str) -> "_TestFilm":
        paths, photos = (
            sorted((folder / "films" / "test" / side / name).glob("*.png")) for side in ("A", "B")
        )
        seen, real = ([FileItem(path).read().pixels for path in each] for each in (paths, photos))
        return cls(paths, seen, real, np.load(folder / "motion" / f"{name}.npy"))


def _write(folder: Path, seed: int) -> None:
    write_films(folder, TRAIN, TEST, FRAMES, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    """Every test film as a film, and frame by frame."""
    names = sorted(path.stem for path in (folder / "motion").glob("*.npy"))
    films = [_TestFilm.read(folder, name) for name in names]
    streamed = [_streamed(translator, each) for each in films]
    alone = [[np.asarray(translator.translate(path)) for path in each.paths] for each in films]
    real = [each.photos for each in films]
    moves = [each.motion for each in films]
    metrics = (
        ("PSNR with memory", f"{_psnr(streamed, real):.1f} dB"),
        ("PSNR frame by frame", f"{_psnr(alone, real):.1f} dB"),
        ("warping error with memory", f"{_warping_error(streamed, moves):.2f}"),
        ("warping error frame by frame", f"{_warping_error(alone, moves):.2f}"),
        ("warping error of the real videos", f"{_warping_error(real, moves):.2f}"),
    )
    times = [round(each) for each in np.linspace(0, FRAMES - 1, SHOWN)]
    rows = [
        [film.labels[time], single[time], output[time], film.photos[time]]
        for film, single, output in zip(films, alone, streamed, strict=True)
        for time in times
    ]
    return DemoResults(("label map", "frame by frame", "with memory", "ground truth"), rows, metrics)


def _streamed(translator: Translator, film: _TestFilm) -> Frames:
    """The film translated with the memory of earlier frames."""
    (spec,) = translator.specs(TranslateOptions())
    items = [FileItem(path) for path in film.paths]
    name = next(iter(spec.task.inputs))
    outputs = translator.stream((translator.read({name: item}, spec) for item in items), spec)
    return [
        translator.result(item.read(), output, spec).pixels
        for item, output in zip(items, outputs, strict=True)
    ]


def _psnr(films: Sequence[Frames], truths: Sequence[Frames]) -> float:
    """Mean PSNR in dB over all frames."""
    flat = ([frame for film in each for frame in film] for each in (films, truths))
    return mean_psnr(*flat)


def _warping_error(films: Sequence[Frames], motions: Sequence[NDArray[np.int8]]) -> float:
    """Mean squared difference, x1000, of each pixel in [0, 1] and what it was in the frame before.

    Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, with the known flow and occlusions.
    """
    errors = []
    for frames, motion in zip(films, motions, strict=True):
        y, x = np.mgrid[: motion.shape[1], : motion.shape[2]]
        for before, now, moved in zip(frames, frames[1:], motion[1:], strict=False):
            visible = moved[..., 2] > 0
            rows, columns = (y + moved[..., 1])[visible], (x + moved[..., 0])[visible]
            difference = now[visible] / 255.0 - before[rows, columns] / 255.0
            errors.append(1000 * np.mean(difference**2))
    return float(np.mean(errors))


DEMO = Demo("vid2vid", "videos of label maps to videos", "films", _write, _evaluate, parts=("films",))
