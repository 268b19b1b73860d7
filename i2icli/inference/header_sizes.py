"""How large images are, from their headers alone, before anything is decoded."""

from collections.abc import Sequence

from i2icli.errors import UserError
from i2icli.inference.inputs import Job
from i2icli.inference.resizing import Size

LOOKED_AT = 100  # images: those of a folder are mostly alike


def header_sizes(jobs: Sequence[Job]) -> dict[str, Size]:
    """(height, width) by name of the first images; those that cannot be read are named later."""
    found: dict[str, Size] = {}
    for job in jobs[:LOOKED_AT]:
        try:
            found[str(job.source)] = job.item.header().size
        except (UserError, OSError):
            continue
    return found
