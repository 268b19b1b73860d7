"""How large images are, from their headers alone, before anything is decoded."""

from collections.abc import Sequence
from heapq import nlargest

from i2icli.errors import UserError
from i2icli.inference.inputs import Job
from i2icli.inference.resizing import Size

LOOKED_AT = 100  # images: those of a folder are mostly alike
LARGEST = 10  # of the others those whose files are largest


def header_sizes(jobs: Sequence[Job]) -> dict[str, Size]:
    """(height, width) by name of the first images and of the largest others; unreadable ones are left out."""
    found: dict[str, Size] = {}
    for job in (*jobs[:LOOKED_AT], *nlargest(LARGEST, jobs[LOOKED_AT:], _bytes)):
        try:
            found[str(job.source)] = job.item.header().size
        except (UserError, OSError):
            continue
    return found


def _bytes(job: Job) -> int:
    try:
        return job.source.stat().st_size
    except OSError:
        return 0
