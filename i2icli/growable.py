"""Settings of translators whose networks can grow to twice the size, as `i2i grow --from` does. No torch."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from i2icli.config import Config
from i2icli.stage import Stage

How = Literal["fade", "residual", "scratch"]


class GrowableConfig(Config):
    """Settings of systems whose generators and discriminators can gain levels of twice the size."""

    decay_over_stages: ClassVar[bool] = True
    default_how: ClassVar[How] = "fade"
    """How `i2i grow` lets a new level learn, unless the user says."""

    grown: int = Field(0, ge=0, le=8, description="levels of twice the size that i2i grow has added")
    grown_before: int = Field(0, ge=0, le=8, description="those of them that this run began with")
    how: How = Field(
        "fade",
        description="how a new level learns: faded in (Progressive GAN), residual: its enhancer alone first "
        "(pix2pixHD), or all from scratch",
    )
    fade: float = Field(
        0.5, gt=0, lt=1, description="fraction of a new level's steps in which it fades in or learns alone"
    )

    @property
    def first_size(self) -> tuple[int, int]:
        """(height, width) of the crops before the networks grew."""
        height, width = self.crop_size
        return height >> self.grown, width >> self.grown

    def multiple_at(self, stage: Stage) -> int:
        """What the generators ask of the sides of an image: half as much for each level still to come."""
        return self.multiple >> (self.grown - stage.level)

    @property
    def smallest_image(self) -> tuple[int, int]:
        """(height, width) below which training images lack the details that added levels are to learn."""
        return self.crop_size if self.grown else (1, 1)

    def stages(self) -> tuple[Stage, ...]:
        """One, or where levels are added those in which they begin and go on to learn."""
        steps = self.steps or 1
        count = self.grown - self.grown_before
        if count == 0 or self.how == "scratch":
            return (Stage("main", steps, level=self.grown),)
        found: list[Stage] = []
        for number in range(count):
            own = steps * (number + 1) // count - steps * number // count
            found += self._stages_of(self.grown_before + 1 + number, own)
        return tuple(stage for stage in found if stage.steps)

    def _stages_of(self, level: int, steps: int) -> tuple[Stage, Stage]:
        """A level while it begins, and afterwards."""
        size = self._size_at(level)
        side = self.crop_size[1] >> (self.grown - level)
        first = round(steps * self.fade)
        fades = self.how == "fade"
        name = f"{size}, fading in" if fades else f"{size}, enhancer alone"
        begins = Stage(name, first, resolution=side, level=level, fading=fades, alone=not fades)
        return begins, Stage(size, steps - first, resolution=side, level=level)

    def _size_at(self, level: int) -> str:
        """The longer side of the crops at a level, in words."""
        return f"{max(self.crop_size) >> (self.grown - level)} px"

    def grown_from(self, num_levels: int, how: How) -> dict[str, Any]:
        """What changes in these settings where the networks gain so many levels: for `with_found`."""
        factor = 2**num_levels
        load = self.load_size
        return {
            "grown": self.grown + num_levels,
            "grown_before": self.grown if how != "scratch" else 0,
            "how": how,
            "crop_size": tuple(side * factor for side in self.crop_size),
            "load_size": load and tuple(side * factor for side in load),
        }

    @model_validator(mode="after")
    def _levels_fit_the_crop(self) -> Self:
        height, width = self.crop_size
        if self.grown_before > self.grown:
            raise ValueError(f"of {self.grown} levels, {self.grown_before} cannot have been there before")
        if height % 2**self.grown or width % 2**self.grown:
            raise ValueError(
                f"crops of {width}x{height} cannot have been grown {self.grown} times; "
                f"choose multiples of {4 * 2**self.grown}"
            )
        return self
