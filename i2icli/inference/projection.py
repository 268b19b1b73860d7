"""Find the latent code whose image is nearest to a given one."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from i2icli.errors import UserError
from i2icli.export.runtimes import RuntimeBackend
from i2icli.files import atomic_write
from i2icli.image import (
    FileItem,
    change_type,
    convert_channels,
    from_output,
    kinds,
    resize,
    to_array,
    write_image,
)
from i2icli.inference.inference import Inference
from i2icli.inference.inputs import Job, distinct_names, plan_jobs
from i2icli.inference.latents import draw_codes
from i2icli.inference.manifest import settings_of, write_manifest
from i2icli.inference.options import TranslateOptions
from i2icli.inference.pipeline import suffix_of
from i2icli.inference.places import Place
from i2icli.inference.record import Origin, Record
from i2icli.inference.results import Result, described
from i2icli.inference.search import Search
from i2icli.report.sheet import SHEETS, SheetWriter, check_sheets
from i2icli.request import Array, Request
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.scores import psnr
from i2icli.task import Task
from i2icli.written import counted

DRAWN = 64  # codes among which the search begins
KEPT = 4  # of them, the best ones that are improved
STEPS = 300
RATE = 0.05  # of Adam, falling to zero along a cosine


def project(backend: TorchBackend, image: Array, task: Task, seed: int) -> tuple[Array, Array]:
    """The code (1, Z) whose image is nearest to a given one (1, C, H, W), and that image (1, C, h, w).

    Nearest in squared distance at several scales, by gradient descent in the latent space. Raises
    UserError for images of other channels than the system generates.
    """
    placement = backend.placement
    drawn = draw_codes(DRAWN, task.latent_size, seed)

    def images(codes: Tensor, which: Tensor) -> Tensor:
        """The images of codes that began as those drawn with these numbers."""
        request = Request(latent=drawn[which.cpu().numpy()])
        conditions = backend.tensors(backend.config.conditions(task, request))
        conditions["latent"] = codes[:, : conditions["latent"].shape[1]]
        with placement.autocast():
            output, _ = backend.system(task, backend.system.encode(task, conditions, {}))
        return output.float()  # type: ignore[no-any-return]

    codes, numbers = placement.tensor(torch.from_numpy(drawn)), torch.arange(DRAWN)
    with torch.no_grad():
        wanted = _at_size(placement.tensor(torch.from_numpy(image)), images(codes[:1], numbers[:1]))
        parts = zip(torch.split(codes, 8), torch.split(numbers, 8), strict=True)
        losses = torch.cat([_distance(images(part, which), wanted) for part, which in parts])
    kept = losses.argsort()[:KEPT]
    codes, numbers = codes[kept].clone().requires_grad_(True), numbers[kept.cpu()]
    optimizer = torch.optim.Adam([codes], lr=RATE)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        optimizer.zero_grad()
        _distance(images(codes, numbers), wanted).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        found = images(codes, numbers)
        best = int(_distance(found, wanted).argmin())
    return codes[best : best + 1].detach().cpu().numpy(), found[best : best + 1].cpu().numpy()


def _at_size(image: Tensor, like: Tensor) -> Tensor:
    if image.shape[1] != like.shape[1]:
        given = counted(image.shape[1], "channel")
        raise UserError(f"an image of {given}; this model generates {like.shape[1]}")
    return interpolate(image.float(), size=like.shape[-2:], mode="bilinear", antialias=True)  # (1, C, h, w)


def _distance(images: Tensor, wanted: Tensor) -> Tensor:
    """(B,): mean squared difference, averaged over scales, so that the large shapes lead the way."""
    distances = []
    while True:
        distances.append((images - wanted).square().mean((1, 2, 3)))
        if min(images.shape[-2:]) < 8:
            return torch.stack(distances).mean(0)
        images, wanted = avg_pool2d(images, 2), avg_pool2d(wanted, 2)


@dataclass(frozen=True, repr=False)
class Projection:
    """The projection of files: iterating does it; beside every result lies its code as .npy."""

    backend: TorchBackend
    jobs: list[Job]
    task: Task
    options: TranslateOptions
    out: Path
    record: Record
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    written: int = 0

    __repr__ = described

    def __len__(self) -> int:
        return len(self.jobs)

    def __iter__(self) -> Iterator[Result]:
        sheets, captions = SheetWriter(self.out / SHEETS), distinct_names(self.jobs)
        for job in self.jobs:
            try:
                yield self._result(job, sheets, captions[str(job.source)])
            except UserError as error:
                yield Result(str(job.source), None, "failed", str(error))
            except OSError as error:
                why = f"{job.source}: cannot be read ({(error.strerror or str(error)).lower()})"
                yield Result(str(job.source), None, "failed", why)
        sheets.close()

    def _result(self, job: Job, sheets: SheetWriter, caption: str) -> Result:
        if job.error:
            raise UserError(job.error)
        (target,) = job.targets
        origin, codes = Origin((job.source,)), target.with_suffix(".npy")
        standing = "none" if self.options.overwrite else self.record.standing(target, origin)
        if refusal := self.record.refusal(target, standing):
            raise UserError(refusal)
        if standing == "there":
            return Result(str(job.source), target, "there")
        read, port = origin.read(), self.task.output
        given = kinds.decoded(FileItem(job.source), port).keeping_gps(self.options.keep_gps)
        image = to_array(convert_channels(given.pixels, port.channels))[None]
        code, output = project(self.backend, image, self.task, self.options.seed)
        height, width = given.pixels.shape[:2]
        dtype, learned = np.dtype(port.dtype or given.number_type), port.reading.alpha
        small = from_output(output[0], dtype, port.range, alpha=learned)
        made = resize(small.pixels, (height, width))
        alpha = small.alpha if learned else given.alpha
        if alpha is not None:
            alpha = change_type(resize(alpha[..., None], (height, width))[..., 0], made.dtype)
        self.record.begin([target, codes])
        write_image(target, replace(given, pixels=made, alpha=alpha, stored=small.stored))
        with atomic_write(codes) as beside:
            np.save(beside, code)
        self.record.made([target, codes], origin, read)
        after = to_array(made)
        score = float(psnr(torch.from_numpy(image), torch.from_numpy(after)[None]))
        sheets.add({"input": image[0], "projected": after}, f"{caption}: {score:.1f} dB")
        return Result(str(job.source), target, "done", again=standing == "changed")


def plan_projection(
    inference: Inference, inputs: Iterable[str], out: Path, options: TranslateOptions
) -> Projection:
    """Check the projection of files. Raises UserError for what it does not read or know."""
    outputs, backend = inference.outputs(generating=True), inference.backend
    name = outputs.name
    if isinstance(backend, RuntimeBackend) and not backend.asked:
        backend = backend.with_torch()
    if not isinstance(backend, TorchBackend):
        advice = "leave out --runtime" if isinstance(backend, RuntimeBackend) else "name that"
        raise UserError(
            f"{inference.model}: codes are found with the model itself, not with a graph; {advice}"
        )
    for flag, value in (
        ("reference", options.reference),
        ("from", options.source),
        ("size", options.size),
    ):
        if value:
            raise UserError(
                f"{name} generates images from latent codes; for given images there is no --{flag}"
            )
    drawing = (options.samples, options.interpolate, options.latent, options.truncate)
    if any(value is not None for value in drawing):
        raise UserError(f"{name} finds the codes of given images itself; leave out INPUTS to draw samples")
    outputs.check(options)
    tasks = outputs.resolve(options.to)
    if len(tasks) > 1:
        raise UserError("an image is projected to one target; name it after --to")
    suffix = suffix_of(options.format) if options.format else None
    search = Search(options.recursive)
    jobs = plan_jobs(inputs, out, suffix, [Place.of(tasks[0].output)], search)
    settings = settings_of(inference.model, options)
    started_at = write_manifest(out, settings, overwrite=options.overwrite)
    if not options.overwrite:
        check_sheets(out / SHEETS, len(jobs), started_at)
    return Projection(backend, jobs, tasks[0], options, out, Record(out, settings), search.notes())
