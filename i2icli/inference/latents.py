"""What networks read as chance: latent codes, drawn, given or interpolated, and planes of noise."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from i2icli.errors import UserError
from i2icli.task import Task


def draw_codes(count: int, size: int, seed: int, truncate: float | None = None) -> Tensor:
    """Codes (count, size) from N(0, 1); the first ones are the same whatever the count.

    `truncate` keeps every number within these bounds: more typical images, less variety (Brock et al.,
    BigGAN, 2019, section 3.1).
    """
    generator = torch.Generator().manual_seed(seed)
    if truncate is None:
        return torch.stack([torch.randn(size, generator=generator) for _ in range(count)])  # (K, Z)
    codes = torch.empty(count, size)
    for code in codes:
        torch.nn.init.trunc_normal_(code, a=-truncate, b=truncate, generator=generator)
    return codes


def parse_codes(latent: "str | Path | ArrayLike", size: int) -> Tensor:
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
        raise UserError(f"{where}: a code of {values.shape[-1]} numbers; this model reads {size}")
    with np.errstate(over="ignore"):
        codes = np.atleast_2d(values).astype(np.float32)  # (K, Z)
    if not np.isfinite(codes).all():
        raise UserError(f"{where}: holds numbers that are not finite, which is no latent code")
    return torch.from_numpy(codes)


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


def draw_noise(task: Task, size: Sequence[int], seed: int) -> dict[str, Tensor]:
    """The planes that a task reads for an input of (height, width), (1, C, h, w) each, in [0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    height, width = size
    planes: dict[str, Tensor] = {}
    for name, noise in task.noise.items():
        shape = (1, noise.channels, round(height * noise.scale), round(width * noise.scale))
        planes[name] = torch.rand(shape, generator=generator)
    return planes


def interpolate_codes(codes: Tensor, frames: int) -> Tensor:
    """From each code to the next in so many frames, both ends included; (K, Z) -> (N, Z).

    Along the arc, not the chord, so that the length of a code stays what networks were trained on
    (White, "Sampling Generative Networks", 2016, section 2.1).
    """
    way = [codes[:1]]
    for start, end in pairwise(codes):
        way.append(torch.stack([_slerp(start, end, t / (frames - 1)) for t in range(1, frames)]))
    return torch.cat(way)


def _slerp(start: Tensor, end: Tensor, t: float) -> Tensor:
    cosine = torch.dot(start, end) / (start.norm() * end.norm()).clamp_min(1e-12)
    angle = torch.arccos(cosine.clamp(-1, 1))
    if angle.sin() < 1e-4:  # the same or opposite directions: there is no one arc
        return torch.lerp(start, end, t)
    return (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)
