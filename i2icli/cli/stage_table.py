"""The planned stages of a run as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from i2icli.written import print_bytes

if TYPE_CHECKING:
    from i2icli.training.plan import StagePlan


def stage_table(stages: "Sequence[StagePlan]") -> Table:
    """One row for each stage: what it learns, its memory and how much of it is done."""
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    for name in ("resolution", "images", "batch", "memory", "done"):
        table.add_column(name, justify="right")
    for stage in stages:
        height, width = stage.size
        done = stage.steps_done / stage.steps
        table.add_row(
            stage.name,
            f"{width} px" if height == width else f"{width}x{height} px",
            f"{stage.images:,}",
            f"{stage.batch_size}",
            print_bytes(stage.memory_bytes),
            f"{done:.0%}" if done else "",
        )
    return table
