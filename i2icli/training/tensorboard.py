"""TensorBoard events, optionally besides the report."""

from pathlib import Path
from typing import Protocol

from i2icli.errors import UserError


class Events(Protocol):
    """Receives the scalars of a run, besides its own log."""

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Scalars at a step."""

    def close(self) -> None:
        """The run has ended."""


class NoEvents:
    """For runs without TensorBoard."""

    def scalars(self, step: int, values: dict[str, float]) -> None: ...
    def close(self) -> None: ...


class TensorBoardEvents:
    """Event files in <run folder>/tensorboard."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UserError(
                "--tensorboard needs the package tensorboard: pip install 'i2icli[tensorboard]'"
            ) from None
        self.writer = SummaryWriter(str(folder / "tensorboard"))

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """One event per scalar."""
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush pending events."""
        self.writer.close()


def tensorboard_events(folder: Path, wanted: bool) -> Events:
    """The events of a run. Raises UserError if TensorBoard is requested but not installed."""
    return TensorBoardEvents(folder) if wanted else NoEvents()
