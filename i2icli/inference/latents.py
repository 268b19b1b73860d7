"""What networks read as chance: latent codes, drawn, given or interpolated, and planes of noise."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from i2icli.errors import UserError
from i2icli.request import Array, Arrays
from i2icli.task import Task
from i2icli.written import counted


def draw_codes(count: int, size: int, seed: int, truncate: float | None = None) -> Array:
    """Codes (count, size) from N(0, 1), float32; the first ones are the same whatever the count.

    `truncate` keeps every number within these bounds, by drawing those beyond again: more typical images,
    less variety (Brock et al., BigGAN, 2019, section 3.1).
    """
    rng = np.random.default_rng(seed)
    return np.stack([_code(rng, size, truncate or np.inf) for _ in range(count)])  # (K, Z)


def _code(rng: "np.random.Generator", size: int, bound: float) -> Array:
    code = rng.standard_normal(size, np.float32)
    if bound < NARROW:  # nearly uniform within, and hardly ever drawn
        return rng.uniform(-bound, bound, size).astype(np.float32)
    while (beyond := np.abs(code) > bound).any():
        code[beyond] = rng.standard_normal(int(beyond.sum()), np.float32)
    return code


def parse_codes(latent: "str | Path | ArrayLike", size: int) -> Array:
    """One code or several, from an array (Z,) or (K, Z), a .npy file of one, or numbers "0.3,-1.2,...".

    -> (K, size). Raises UserError for another size, for what is no number, and for unreadable files.
    """
    where, values = _values(latent)
    if values.dtype.kind not in "fiu" or values.ndim not in (1, 2) or not values.size:
        raise UserError(
            f"{where}: shape {values.shape} of {values.dtype} is no latent code; "
            f"expected {size} finite numbers"
        )
    if values.shape[-1] != size:
        raise UserError(f"{where}: a code of {counted(values.shape[-1], 'number')}; this model reads {size}")
    with np.errstate(over="ignore"):
        codes = np.atleast_2d(values).astype(np.float32)  # (K, Z)
    if not np.isfinite(codes).all():
        raise UserError(f"{where}: holds numbers that are not finite, which is no latent code")
    return codes


NARROW = 0.05  # bounds below which a normal distribution is as good as uniform


def _values(latent: "str | Path | ArrayLike") -> tuple[str, NDArray[np.generic]]:
    """What the codes are called in messages, and their numbers."""
    if not isinstance(latent, str | Path):
        return "latent", np.asarray(latent)
    where = f"--latent {latent}"
    if str(latent).endswith(".npy"):
        try:
            # Mapped, so that a head that promises more than the file holds costs no memory.
            return where, np.lib.format.open_memmap(Path(latent), mode="r")
        except Exception as error:  # hostile heads find every way to fail
            reason = error.strerror if isinstance(error, OSError) else None
            why = reason or (str(error).splitlines() or ["empty"])[0]
            raise UserError(f"{where}: cannot be read ({why}); expected an array of numbers") from None
    try:
        return where, np.array([float(word) for word in str(latent).split(",")])
    except ValueError:
        raise UserError(f"{where}: expected numbers like 0.3,-1.2,... or a .npy file") from None


def draw_noise(task: Task, size: Sequence[int], seed: int) -> Arrays:
    """The planes that a task reads for an input of (height, width), (1, C, h, w) each, in [0, 1)."""
    rng = np.random.default_rng(seed)
    height, width = size
    planes: Arrays = {}
    for name, noise in task.noise.items():
        shape = (1, noise.channels, round(height * noise.scale), round(width * noise.scale))
        planes[name] = rng.random(shape, np.float32)
    return planes


def interpolate_codes(codes: Array, frames: int) -> Array:
    """From each code to the next in so many frames, both ends included; (K, Z) -> (N, Z).

    Along the arc, not the chord, so that the length of a code stays what networks were trained on
    (White, "Sampling Generative Networks", 2016, section 2.1).
    """
    way = [codes[:1]]
    for start, end in pairwise(codes):
        way.append(np.stack([_slerp(start, end, t / (frames - 1)) for t in range(1, frames)]))
    return np.concatenate(way)


def _slerp(start: Array, end: Array, t: float) -> Array:
    cosine = start @ end / max(float(np.linalg.norm(start) * np.linalg.norm(end)), 1e-12)
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-4:  # the same or opposite directions: there is no one arc
        return start + t * (end - start)
    way: Array = (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)
    return way.astype(np.float32)
