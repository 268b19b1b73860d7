"""Settings of translators whose networks can grow to twice the size, as `i2i grow --from` does. No torch."""

from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from i2icli.config import Config

How = Literal["fade", "residual", "scratch"]


class Stretch(NamedTuple):
    """A stretch of training at one size of a network that grows."""

    name: str
    level: int  # doublings in use
    side: int | None  # pixels of the training crops; None: as configured
    steps: int
    fading: bool = False  # the newest level is being faded in
    alone: bool = False  # the newest level learns alone


class GrowableConfig(Config):
    """Settings of systems whose generators and discriminators can gain levels of twice the size."""

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

    @property
    def smallest_image(self) -> tuple[int, int]:
        """(height, width) below which training images lack the details that added levels are to learn."""
        return self.crop_size if self.grown else (1, 1)

    @property
    def growth(self) -> tuple[Stretch, ...]:
        """The stretches of training, in order; empty where the networks do not grow."""
        if self.grown == self.grown_before:
            return ()
        steps = self.steps or 1
        if self.how == "scratch":
            return (Stretch("main", self.grown, None, steps),)
        found: list[Stretch] = []
        count = self.grown - self.grown_before
        for number in range(count):
            level = self.grown_before + 1 + number
            own = steps * (number + 1) // count - steps * number // count
            begun = round(own * self.fade)
            found += self._level(level, begun, own - begun)
        return tuple(stretch for stretch in found if stretch.steps)

    def _level(self, level: int, begun: int, rest: int) -> list[Stretch]:
        """A level while it begins, and afterwards."""
        height, width = self.crop_size
        size = f"{max(height, width) >> (self.grown - level)} px"
        side = height >> (self.grown - level) if height == width else None
        first = f"{size}, fading in" if self.how == "fade" else f"{size}, enhancer alone"
        fades = self.how == "fade"
        return [
            Stretch(first, level, side, begun, fading=fades, alone=not fades),
            Stretch(size, level, side, rest),
        ]

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
                f"crops of {width}x{height} cannot have been doubled {self.grown} times; "
                f"choose multiples of {4 * 2**self.grown}"
            )
        if self.grown - self.grown_before > 1 and height != width:
            raise ValueError(
                f"crops of {width}x{height} can grow by one level at a time; only square ones by several"
            )
        return self
