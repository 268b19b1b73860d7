"""Find the latent code whose picture comes nearest to a given one."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.image import convert_channels, read_image, resize, to_pixels, to_tensor, write_image
from i2icli.inference.inference import Inference
from i2icli.inference.inputs import Job, distinct_names, plan_jobs
from i2icli.inference.latents import draw_codes
from i2icli.inference.manifest import fingerprint, stamp
from i2icli.inference.pipeline import Writing, suffix_of
from i2icli.inference.requests import Asked, check_options, resolve_targets
from i2icli.inference.results import Result
from i2icli.report.sheet import SHEETS, SheetWriter, check_sheets
from i2icli.scores import psnr
from i2icli.system import Request

DRAWN = 64  # codes among which the search begins
KEPT = 4  # of them, the best ones that are improved
STEPS = 300
RATE = 0.05  # of Adam, falling to zero along a cosine


def project(inference: Inference, image: Tensor, to: str | None, seed: int) -> tuple[Tensor, Tensor]:
    """The code (1, Z) whose picture is nearest to an image (1, C, H, W), and that picture (1, C, h, w).

    Nearest in squared distance at several scales, by gradient descent in the latent space. Raises
    UserError for images of other channels than the system makes.
    """
    system, placement = inference.system, inference.placement

    def pictures(codes: Tensor) -> Tensor:
        with placement.autocast():
            return system.translate(Request(latent=codes, to=to)).float()

    codes = placement.tensor(draw_codes(DRAWN, system.latent_size(to), seed))
    with torch.no_grad():
        first = pictures(codes[:1])
        wanted = _at_size(placement.tensor(image), first)
        losses = torch.cat([_distance(pictures(part), wanted) for part in torch.split(codes, 8)])
    codes = codes[losses.argsort()[:KEPT]].clone().requires_grad_(True)
    optimizer = torch.optim.Adam([codes], lr=RATE)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        optimizer.zero_grad()
        _distance(pictures(codes), wanted).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        answers = pictures(codes)
        best = int(_distance(answers, wanted).argmin())
    return codes[best : best + 1].detach().cpu(), answers[best : best + 1].cpu()


def _at_size(image: Tensor, like: Tensor) -> Tensor:
    if image.shape[1] != like.shape[1]:
        raise UserError(f"a picture of {image.shape[1]} channels; this model makes {like.shape[1]}")
    return interpolate(image.float(), size=like.shape[-2:], mode="bilinear", antialias=True)  # (1, C, h, w)


def _distance(pictures: Tensor, wanted: Tensor) -> Tensor:
    """(B,): mean squared difference, averaged over scales, so that the large shapes lead the way."""
    distances = []
    while True:
        distances.append((pictures - wanted).square().mean((1, 2, 3)))
        if min(pictures.shape[-2:]) < 8:
            return torch.stack(distances).mean(0)
        pictures, wanted = avg_pool2d(pictures, 2), avg_pool2d(wanted, 2)


@dataclass(frozen=True)
class Projection:
    """The projection of files: iterating does it; beside every result lies its code as .npy."""

    inference: Inference
    jobs: list[Job]
    to: str | None
    seed: int
    writing: Writing
    out: Path
    since: int  # files older than this (ns) are not ours

    def __len__(self) -> int:
        return len(self.jobs)

    def __iter__(self) -> Iterator[Result]:
        sheets, captions = SheetWriter(self.out / SHEETS), distinct_names(self.jobs)
        for job in self.jobs:
            try:
                yield self._result(job, sheets, captions[str(job.source)])
            except UserError as error:
                yield Result(str(job.source), None, "failed", str(error))
        sheets.close()

    def _result(self, job: Job, sheets: SheetWriter, caption: str) -> Result:
        if job.error:
            raise UserError(job.error)
        (target,) = job.targets
        if target.exists() and not self.writing.overwrite:
            if target.stat().st_mtime_ns >= self.since:
                return Result(str(job.source), target, "there")
            raise UserError(f"{target} exists and was not made with this model; choose another --out")
        picture = read_image(job.source)
        _, channels = self.inference.system.channels(self.to)
        image = to_tensor(convert_channels(picture.pixels, channels))[None]
        code, answer = project(self.inference, image, self.to, self.seed)
        height, width = picture.pixels.shape[:2]
        made = resize(to_pixels(answer[0], picture.pixels.dtype), (height, width))
        write_image(target, replace(picture, pixels=made))
        with atomic_write(target.with_suffix(".npy")) as beside:
            np.save(beside, code.numpy())
        after = to_tensor(made)
        score = float(psnr(image, after[None]))
        sheets.add({"input": image[0], "projected": after}, f"{caption}: {score:.1f} dB")
        return Result(str(job.source), target, "done")


def plan_projection(
    inference: Inference, inputs: Iterable[str], out: Path, asked: Asked, writing: Writing
) -> Projection:
    """Check the projection of files. Raises UserError for what it does not read or know."""
    name = type(inference.system).__name__
    for flag, value in (("reference", asked.references), ("from", asked.source), ("size", asked.size)):
        if value:
            raise UserError(f"{name} makes pictures from latent codes; given pictures it takes no --{flag}")
    drawing = (asked.samples, asked.interpolate, asked.latent, asked.truncate)
    if any(value is not None for value in drawing):
        raise UserError(f"{name} finds the codes of given pictures itself; leave out INPUTS to draw samples")
    check_options(inference.system, asked)
    targets = resolve_targets(inference.system, asked.to)
    if len(targets) > 1:
        raise UserError("a picture is projected to one target; name it after --to")
    suffix = suffix_of(writing.format) if writing.format else None
    jobs = plan_jobs(inputs, out, suffix)
    making = {"model": fingerprint(inference.model)} | asked.settings()
    since = stamp(out, making, overwrite=writing.overwrite)
    if not writing.overwrite:
        check_sheets(out / SHEETS, len(jobs), since)
    return Projection(inference, jobs, targets[0], asked.seed, writing, out, since)
