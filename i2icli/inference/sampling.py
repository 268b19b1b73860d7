"""Pictures out of nothing but latent codes, and the film on the way from one to the next."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from i2icli.errors import UserError
from i2icli.image import DecodedImage, to_pixels, to_tensor, write_image
from i2icli.inference.inference import Inference
from i2icli.inference.latents import between, draw_codes, given_codes
from i2icli.inference.manifest import fingerprint, stamp
from i2icli.inference.pipeline import Writing, suffix_of
from i2icli.inference.requests import Asked, check_options, folder_name, is_all, resolve_targets
from i2icli.inference.results import Result
from i2icli.report.sheet import SHEETS, SheetWriter, check_sheets
from i2icli.system import Request, System
from i2icli.video import write_video

COLUMNS = 8  # samples in a row of the sheets
FILM = "interpolation.mp4"
FPS = 30  # frames per second of a film


@dataclass(frozen=True)
class Sampling:
    """The samples asked of a system that needs no picture: iterating makes them, one result each.

    With `asked.interpolate` there is one film for each target instead.
    """

    inference: Inference
    out: Path
    asked: Asked
    writing: Writing
    targets: tuple[str | None, ...]
    codes: dict[str | None, Tensor]  # (K, Z) by target
    since: int  # files older than this (ns) are not ours

    def __len__(self) -> int:
        if self.asked.interpolate is not None:
            return len(self.targets)
        return sum(len(codes) for codes in self.codes.values())

    def __iter__(self) -> Iterator[Result]:
        for to in self.targets:
            folder = self.folder(to)
            if self.asked.interpolate is not None:
                yield self._film(folder / FILM, to)
            else:
                yield from self._samples(folder, to)

    def folder(self, to: str | None) -> Path:
        """Where the samples of a target go."""
        return self.out / folder_name(to) if to is not None and len(self.targets) > 1 else self.out

    def _samples(self, folder: Path, to: str | None) -> Iterator[Result]:
        suffix = suffix_of(self.writing.format) if self.writing.format else ".png"
        sheets = SheetWriter(folder / SHEETS)
        row: dict[str, Tensor] = {}
        answers = self._answers(self.codes[to], to)
        for number, pixels in enumerate(answers, 1):
            path = folder / f"{number:04}{suffix}"
            yield self._write(path, pixels)
            row[f"{(number - 1) % COLUMNS + 1}"] = to_tensor(pixels)
            if len(row) == COLUMNS:
                sheets.add(row, f"from {number - COLUMNS + 1:04}")
                row = {}
        if row:
            blank = torch.ones_like(next(iter(row.values())))  # a sheet's rows have the same columns
            rest = range(len(row) + 1, COLUMNS + 1) if number > COLUMNS else ()
            sheets.add(row | {f"{column}": blank for column in rest}, f"from {number - len(row) + 1:04}")
        sheets.close()

    def _write(self, path: Path, pixels: NDArray[Any]) -> Result:
        if (settled := self._standing(path)) is not None:
            return settled
        try:
            write_image(path, DecodedImage(pixels, None, "png"))
        except UserError as error:
            return Result(path.name, None, "failed", str(error))
        return Result(path.name, path, "done")

    def _film(self, path: Path, to: str | None) -> Result:
        if (settled := self._standing(path)) is not None:
            return settled
        frames = (_rgb(pixels) for pixels in self._answers(self.codes[to], to))
        write_video(path, frames, FPS)
        return Result(path.name, path, "done")

    def _standing(self, path: Path) -> Result | None:
        """What is there already; ours stays, what is not is not touched either."""
        if self.writing.overwrite or not path.exists():
            return None
        if path.stat().st_mtime_ns >= self.since:
            return Result(path.name, path, "there")
        why = "is there and was not made with this model"
        return Result(path.name, None, "failed", f"{path} {why}; choose another --out, or add --overwrite")

    def _answers(self, codes: Tensor, to: str | None) -> Iterator[NDArray[Any]]:
        """The pictures (H, W, C) of codes (K, Z)."""
        placement = self.inference.placement
        size = self.writing.batch_size or (8 if placement.device.type == "cuda" else 1)
        for batch in torch.split(codes, size):
            torch.manual_seed(self.asked.seed)
            with torch.inference_mode(), placement.autocast():
                request = Request(latent=placement.tensor(batch), to=to, truncate=self.asked.truncate)
                images = self.inference.system.translate(request)
            yield from (to_pixels(image, np.dtype(np.uint8)) for image in images.float().cpu())


def plan_sampling(inference: Inference, out: Path, asked: Asked, writing: Writing) -> Sampling:
    """Check what is asked of a system that makes pictures from latent codes alone.

    Raises UserError for what it does not read or know.
    """
    system = inference.system
    if not system.can_sample():
        raise UserError(f"{type(system).__name__} translates images; name some, or folders of them")
    check_options(system, asked)
    if asked.references or asked.source is not None or asked.size is not None:
        raise UserError("samples come of latent codes alone: no --reference, --from or --size")
    if asked.interpolate is not None and asked.interpolate < 2:
        raise UserError(f"--interpolate {asked.interpolate}: expected 2 or more")
    targets = _targets(system, asked.to)
    within = replace(asked, truncate=None) if system.truncates else asked  # what codes are drawn by
    codes = {to: _codes(system.latent_size(to), within) for to in targets}
    making = {"model": fingerprint(inference.model)} | asked.settings()
    since = stamp(out, making, overwrite=writing.overwrite)
    sampling = Sampling(inference, out, asked, writing, tuple(targets), codes, since)
    if asked.interpolate is None and not writing.overwrite:
        for to in targets:
            check_sheets(sampling.folder(to) / SHEETS, -(-len(codes[to]) // COLUMNS), since)
    return sampling


def _targets(system: System[Any], to: str | None) -> list[str | None]:
    """The targets of `--to` that samples can have; without it, or where `all` are none, the usual one."""
    named = resolve_targets(system, to)
    made = [each for each in named if system.can_sample(each)]
    if not made and to is not None and not is_all(to):
        raise UserError(f"--to {to} is about pictures that are given; name some, or leave it out for samples")
    return made or [None]


def _codes(size: int, asked: Asked) -> Tensor:
    """The codes (K, Z) of all samples, or of all frames of the film."""
    if asked.latent is not None:
        codes = given_codes(asked.latent, size)
    else:
        number = asked.samples or (4 if asked.interpolate else 16)
        codes = draw_codes(number, size, asked.seed, asked.truncate)
    if asked.interpolate is None:
        return codes
    if len(codes) < 2:
        raise UserError("--interpolate goes from one code to the next; give two or more")
    return between(codes, asked.interpolate)


def _rgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """(H, W, C) -> (H, W, 3): grey is repeated, more channels show their first three."""
    return pixels[:, :, :3] if pixels.shape[2] >= 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
