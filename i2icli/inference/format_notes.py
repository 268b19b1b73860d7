"""That results are of other formats or types than those of their inputs."""

from collections.abc import Iterator, Sequence

from i2icli.image import SUFFIXES, holds
from i2icli.image.values import bits
from i2icli.inference.inputs import Job
from i2icli.inference.outputs import OutputSpec


def format_notes(suffix: str | None, specs: Sequence[OutputSpec]) -> Iterator[str]:
    """That the format asked for does not hold the values of the model."""
    for dtype in {spec.task.output.dtype for spec in specs}:
        if suffix is not None and dtype is not None and not holds(SUFFIXES[suffix], dtype):
            yield (
                f"results are of {bits(dtype)}, which {SUFFIXES[suffix].upper()} does not hold: their range "
                "is brought to that of its type; --format tif keeps the values"
            )


def other_formats(jobs: Sequence[Job]) -> Iterator[str]:
    """That results are not of the format of their inputs."""
    if any(job.source.suffix.lower() == ".gif" and not job.error for job in jobs):
        yield "results of GIF images are written as PNG: a GIF holds no more than 256 colours"
