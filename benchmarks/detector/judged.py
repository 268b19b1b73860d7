"""Feature vectors and conditions of fakes and real images that went through what images go through."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.detector.fakes import Pixels, jpeg, resized
from benchmarks.detector.material import Pair, content_of, family_names, family_pairs
from i2icli.detector.cascade import ODD_COLUMNS
from i2icli.detector.evidence import condition
from i2icli.detector.features import extract_features
from i2icli.detector.residual_net import ResidualNet
from i2icli.detector.view import View

CONDITIONS = ("lossless", "JPEG 90", "JPEG 75", "0.75x", "0.75x, JPEG 90", "other")
"""What everything is judged under; `other`: JPEG of 50 to 97, resizing by 0.5 to 2, or both, at random."""
EACH, SQUARES = 20, 60  # pairs of a generator, photographs of a folder
UNSEEN = "none"  # the generator of photographs without fakes


@dataclass
class Judged:
    """One row per image; names of the fields are those of cached .npz files."""

    vectors: NDArray[np.float64]  # (N, 175)
    conditions: NDArray[np.float64]  # (N, 10)
    fake: NDArray[np.bool_]  # (N,)
    generators: NDArray[np.str_]  # (N,): of a fake, and of the fake beside a real image
    contents: NDArray[np.str_]  # (N,)
    treatments: NDArray[np.str_]  # (N,): of CONDITIONS


def family_rows(family: Path, nets: dict[str, ResidualNet], work: Path) -> Judged:
    """The family's images, each judged by the network that did not see its content; kept in `work`."""
    return joined([_generator_rows(family / name, nets, work) for name in family_names(family)])


def _generator_rows(generator: Path, nets: dict[str, ResidualNet], work: Path) -> Judged:
    net = nets[content_of(generator.name)]
    return _cached(work / f"{generator.name}.npz", lambda: judged(family_pairs(generator, EACH), net))


def unseen_rows(folders: Sequence[Path], net: ResidualNet, work: Path) -> list[Judged]:
    """Photographs that no generator saw, folder by folder; kept in `work`."""
    return [_square_rows(folder, net, work) for folder in folders]


def _square_rows(folder: Path, net: ResidualNet, work: Path) -> Judged:
    found = _cached(work / f"{folder.name}.npz", lambda: judged(_squares(folder, SQUARES), net))
    return rows_of(found, ~found.fake)


def judged(pairs: Sequence[Pair], net: ResidualNet, seed: int = 0) -> Judged:
    """All pairs under all conditions, both images of a pair treated alike."""
    rng, rows = np.random.default_rng(seed), []
    for pair in pairs:
        for treatment in CONDITIONS:
            images = list(_treated(treatment, (pair.fake, pair.real), rng))
            for (image, quality), truth in zip(images, (True, False), strict=True):
                view = View(image)
                vector = extract_features(view, "traces", net)
                found = condition(view, quality, float(vector[ODD_COLUMNS].mean()))
                rows.append((vector, found, truth, pair.generator, pair.content, treatment))
    return Judged(*(np.array(column) for column in zip(*rows, strict=True)))


def joined(parts: Sequence[Judged]) -> Judged:
    """The concatenation."""
    return Judged(*(np.concatenate([getattr(each, one.name) for each in parts]) for one in fields(Judged)))


def rows_of(found: Judged, chosen: NDArray[np.bool_]) -> Judged:
    """The chosen rows."""
    return Judged(**{name: array[chosen] for name, array in vars(found).items()})


def _squares(folder: Path, most: int) -> list[Pair]:
    """The first photographs of a folder: a pair's fake is its real image, to be left out."""
    files = sorted(folder.glob("*.png"))[:most]
    images = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return [Pair(UNSEEN, folder.name, image, image) for image in images]


def _cached(path: Path, make: Callable[[], Judged]) -> Judged:
    """From a file, or judged now and written there."""
    if path.exists():
        with np.load(path) as arrays:
            return Judged(**arrays)
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **vars(made))
    return made


def _treated(
    treatment: str, images: Sequence[Pixels], rng: np.random.Generator
) -> Iterator[tuple[Pixels, int | None]]:
    """The images, and the quality of their last compression."""
    factor, quality = (0.75 if "x" in treatment else 1.0), None
    if "JPEG" in treatment:
        quality = int(treatment[-2:])
    if treatment == "other":
        factor = float(np.exp(rng.uniform(np.log(0.5), np.log(2)))) if rng.random() < 0.67 else 1.0
        quality = int(rng.integers(50, 98)) if factor == 1 or rng.random() < 0.5 else None
    subsampling = int(rng.choice([0, 2]))
    for image in images:
        done = image if factor == 1 else resized(image, factor)
        yield (done if quality is None else jpeg(done, quality, subsampling)), quality
