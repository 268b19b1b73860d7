"""The stages of training, and where in them a run is. No torch: settings make them, networks read them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """What a stage asks of its examples."""

    resolution: int | None = None  # width of the training crops, in pixels; None: as configured
    clip_length: int | None = None  # frames of a training clip; None: single images


@dataclass(frozen=True)
class Stage:
    """A part of training with its own data shape and its own trainable weights."""

    name: str
    steps: int
    batch_size: int | None = None  # None: as configured
    resolution: int | None = None  # width of the training crops, in pixels; None: as configured
    level: int = 0  # up-sampling levels of the networks in use
    fading: bool = False  # the newest level is being blended in, from alpha 0 to 1
    fade_steps: int | None = None  # steps a whole fade takes, where training may end before; None: `steps`
    alone: bool = False  # the newest level learns alone
    clip_length: int | None = None  # frames of a training clip; None: single images

    @property
    def shape(self) -> Shape:
        """What it asks of its examples."""
        return Shape(self.resolution, self.clip_length)


@dataclass
class Clock:
    """Where training stands. The engine turns it; systems only read it."""

    stage: Stage
    step: int = 0  # steps done in this stage
    total: int = 0  # steps done in all stages

    @property
    def progress(self) -> float:
        """Fraction of the current stage that is done, in [0, 1]."""
        return self.step / self.stage.steps

    @property
    def alpha(self) -> float:
        """How far the newest level of the networks is faded in: in [0, 1], 1 where nothing fades."""
        if not self.stage.fading:
            return 1.0
        return min(1.0, self.step / (self.stage.fade_steps or self.stage.steps))


def level_progress(clock: Clock, stages: Sequence[Stage]) -> float:
    """Fraction of all stages of the current level that is done, in [0, 1]."""
    same = [stage for stage in stages if stage.level == clock.stage.level]
    before = sum(stage.steps for stage in same[: same.index(clock.stage)])
    return (before + clock.step) / sum(stage.steps for stage in same)
