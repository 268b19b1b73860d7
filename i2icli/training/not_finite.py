"""The end of a run whose losses or weights are not finite any more."""

from math import isfinite
from pathlib import Path

from i2icli.errors import UserError
from i2icli.training.trainer import Trainer


class NotFiniteError(UserError):
    """Losses or weights are NaN or infinite: there is nothing worth saving."""


def not_finite_error(folder: Path, trainer: Trainer, saved_step: int | None) -> NotFiniteError:
    """The error, with what is saved and what to try; saved_step: of the newest state, None: there is none."""
    names = [name for name, value in trainer.metrics.losses().items() if not isfinite(value)]
    kept = (
        f"the checkpoint of step {saved_step:,} is intact, the same command resumes from it"
        if saved_step is not None
        else "there is no checkpoint yet"
    )
    advice = ["a lower --lr"]
    advice += ["--max-grad-norm 1"] if trainer.system.config.max_grad_norm is None else []
    advice += ["--precision fp32"] if trainer.placement.dtype is not None else []
    return NotFiniteError(
        f"{folder}: {', '.join(names) or 'a loss or weight'} was not a finite number at step "
        f"{trainer.system.clock.total:,}; {kept}; try {' or '.join(advice)}",
        exit_code=1,
    )
