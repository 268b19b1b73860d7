"""The end of a run whose losses or weights are no numbers any more."""

from pathlib import Path

from i2icli.errors import UserError
from i2icli.training.trainer import Trainer


class NotFiniteError(UserError):
    """The networks have learned numbers that are none: there is nothing to save."""


def not_finite_error(folder: Path, trainer: Trainer, saved_step: int | None) -> NotFiniteError:
    """The error, with what is saved and what to try that is not tried yet."""
    names = [name for name, value in trainer.metrics.losses().items() if value - value != 0]
    kept = (
        f"the checkpoint of step {saved_step:,} is intact, the same command resumes from it"
        if saved_step is not None
        else "there is no checkpoint yet"
    )
    advice = ["a lower --lr"]
    advice += ["--max-grad-norm 1"] if trainer.system.config.max_grad_norm is None else []
    advice += ["--precision fp32"] if trainer.placement.dtype is not None else []
    return NotFiniteError(
        f"{folder}: {', '.join(names) or 'a loss'} was not a finite number at step "
        f"{trainer.system.clock.total:,}; {kept}; try {' or '.join(advice)}",
        exit_code=1,
    )
