"""LAPGAN's settings, with the paper's defaults for CIFAR-10. No torch here."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from i2icli.config import Config, Counts, Names, PreprocessMode, Size
from i2icli.errors import UserError, one_of
from i2icli.stage import Stage
from i2icli.task import Task, about_target, find_task, names_of
from i2icli.written import counted

if TYPE_CHECKING:  # numpy need not load for --help
    from i2icli.request import Arrays, Request

SMALLEST_SIDE = 4  # pixels
START_SIDE = 8  # pixels: the crop is halved down to this where no sides are given
FIRST_NOISE = 100  # numbers that an image of the lowest level is made of, section 3.3


class LAPGANConfig(Config):
    """LAPGAN options"""

    reconstructs: ClassVar[bool] = False

    sides: Counts | None = Field(
        None,
        description="sides of the pyramid's levels, smallest first; default: the crop, halved down to 8",
    )
    coarsest: bool = Field(
        True,
        description="train the lowest level, too; no: the model upscales images and cannot generate any",
    )
    shares: Counts | None = Field(
        None,
        description="how the steps are shared by the levels, smallest first, e.g. 8,4,2,1; default: alike",
    )
    interpolation: Literal["corners", "centres"] = Field(
        "corners",
        description="how images are upscaled: corner pixels stay in the corners (paper), "
        "or areas keep their centres, which suits images larger than the crop",
    )
    width: int = Field(64, ge=1, le=4096, description="channels of the generators' two hidden layers")
    widths: Counts | None = Field(
        None, description="channels of each hidden layer of the generators instead, e.g. 64,368,128,224"
    )
    kernel: Literal[3, 5, 7] = Field(7, description="side of the kernels of the generators' hidden layers")
    last_kernel: Literal[3, 5, 7] = Field(5, description="side of the kernel of the generators' last layer")
    generator_dropout: float = Field(0.0, ge=0, lt=1, description="dropout in the generators, in training")
    norm: Literal["none", "batch"] = Field(
        "none", description="normalisation in generators and discriminators above the lowest level"
    )
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the discriminators' two layers"
    )
    discriminator_widths: Counts | None = Field(
        None, description="channels of each layer of the discriminators instead, e.g. 48,448,416"
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="dropout in the discriminators, section 3.3")
    dense_width: int = Field(
        1200, ge=1, le=65536, description="units per layer of the generator of the lowest level"
    )
    dense_discriminator_width: int = Field(
        600, ge=1, le=65536, description="units per layer of the discriminator of the lowest level"
    )
    conditional: bool = Field(False, description="learn classes: one folder each")
    classes: Names = Field((), description="names of the classes; found in the data")
    pixel_weight: float = Field(
        0.0, ge=0, description="weight of the mean distance of residuals to the true ones; not in the paper"
    )
    gan_weight: float = Field(1.0, ge=0, description="weight of the adversarial loss; the paper has no other")
    optimizer: Literal["sgd", "adam"] = Field(
        "sgd", description="sgd with growing momentum (paper); adam reads --betas and --decay-from instead"
    )
    lr: float = Field(0.02, gt=0, description="learning rate at the start")
    lr_divisor: float = Field(
        1.00004, ge=1, description="sgd: what the learning rate is divided by at each epoch, down to 1e-6"
    )
    momentum: float = Field(0.5, ge=0, lt=1, description="sgd: momentum at the start; 0.0008 more each epoch")
    most_momentum: float = Field(0.8, ge=0, lt=1, description="sgd: where momentum stops growing")
    epoch_images: int = Field(
        45_000, ge=1, description="sgd: images that make an epoch of the schedule; CIFAR-10 has 45,000"
    )
    batch_size: int = Field(64, ge=1, description="images per step, and as many made up beside them")
    crop_size: Size = Field((32, 32), description="size of the largest level of the pyramid")
    preprocess: PreprocessMode = Field(
        "resize-and-crop", description="how images are brought to the crop size"
    )

    @property
    def pyramid(self) -> tuple[int, ...]:
        """Sides of the levels, smallest first."""
        if self.sides is not None:
            return self.sides
        sides = [self.crop_size[0]]
        while sides[0] > START_SIDE and sides[0] % 2 == 0:
            sides.insert(0, sides[0] // 2)
        return tuple(sides)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Channels of the generators' hidden layers."""
        return self.widths or (self.width, self.width)

    @property
    def discriminator_hidden(self) -> tuple[int, ...]:
        """Channels of the discriminators' layers."""
        return self.discriminator_widths or (self.discriminator_width, self.discriminator_width)

    @property
    def learned_sides(self) -> tuple[int, ...]:
        """Sides of the levels that are trained, smallest first."""
        return self.pyramid if self.coarsest else self.pyramid[1:]

    @property
    def noise_sizes(self) -> tuple[int, ...]:
        """Numbers of noise for the lowest level, if it is trained, and for each level above."""
        planes = tuple(side * side for side in self.pyramid[1:])
        return (FIRST_NOISE, *planes) if self.coarsest else planes

    @property
    def noise_size(self) -> int:
        """Numbers of noise that one image takes."""
        return sum(self.noise_sizes)

    def stages(self) -> tuple[Stage, ...]:
        """The levels, coarse to fine: they do not depend on each other, and share the steps."""
        sides, total = self.learned_sides, self.steps or 1
        shares = self.shares or (1,) * len(sides)
        ends = [total * upto // sum(shares) for upto in accumulate(shares)]
        steps = [end - start for start, end in pairwise([0, *ends])]
        return tuple(Stage(f"{side} px", each) for side, each in zip(sides, steps, strict=True) if each)

    @property
    def factors(self) -> dict[str, tuple[float, int]]:
        """What --to upscales images by: name -> the factor, and how many levels of the pyramid it takes."""
        last = self.pyramid[-1]
        return {
            f"x{last / side:g}": (last / side, number)
            for number, side in enumerate(reversed(self.pyramid[:-1]), 1)
        }

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Enlarging by every factor, the smallest first, and for every class by the smallest; then, where the
        smallest images are learned, generating, of any class or of one.
        """
        image, reads = self.two_ports[0], frozenset({"to", "latent"})
        size = self.noise_size + bool(self.classes)
        factors = {name: factor for name, (factor, _) in self.factors.items()}
        targets = factors | dict.fromkeys(self.classes, next(iter(factors.values())))
        upscaling = (
            Task(
                name,
                {"image": image},
                replace(image, scale=factor),
                reads,
                latent_size=size,
                graph=next(word for word in self.factors if factors[word] == factor),
            )
            for name, factor in targets.items()
        )
        output = replace(image, fixed=self.crop_size)
        names = (None, *self.classes) if self.coarsest else ()
        generating = (Task(name, {}, output, reads, latent_size=size, graph="generate") for name in names)
        return (*upscaling, *generating)

    def resolve(self, tasks: Sequence[Task], to: str | None, source: str | None = None) -> Task:
        """See `Config.resolve`; a factor and a class may be asked for together, as x4,cat."""
        if to is None:
            return tasks[0]
        factors = [word for word in self.factors if word.casefold() in to.casefold().split(",")]
        if tasks[0].generates and factors:
            raise UserError(f"--to {to} upscales images; give some, or leave it out")
        with about_target(tasks, to):
            words = [one_of(word.strip(), names_of(tasks), "target") for word in to.split(",")]
            factors = [word for word in words if word in self.factors]
            classes = [word for word in words if word in self.classes]
            if len(factors) > 1 or len(classes) > 1:
                raise UserError(f"{len(words)} targets; expected one factor and one class at most")
        task = find_task(tasks, (factors or classes)[0])
        return replace(task, name=",".join(factors + classes))

    def conditions(self, task: Task, request: "Request") -> "Arrays":
        """The code (B, N), and where there are classes a "label" (B, L).

        It is the class that was asked for, else the one that the last number of the code picks.
        """
        import numpy as np  # need not load for --help
        from scipy.special import ndtr

        assert request.latent is not None
        conditions = {"latent": request.latent[:, : self.noise_size]}
        if not self.classes:
            return conditions
        _, name = self.asked(task.name)
        if name is not None:
            index = np.full(len(request.latent), self.classes.index(name))  # (B,)
        else:
            drawn = (ndtr(request.latent[:, -1]) * len(self.classes)).astype(int)  # (B,)
            index = drawn.clip(max=len(self.classes) - 1)
        return conditions | {"label": np.eye(len(self.classes), dtype=np.float32)[index]}

    def asked(self, name: str | None) -> tuple[int, str | None]:
        """Levels to go up, and the class, of the name of a task: "x4", "cat" or "x4,cat"."""
        words = name.split(",") if name else []
        number = next((self.factors[word][1] for word in words if word in self.factors), 1)
        return number, next((word for word in words if word in self.classes), None)

    @model_validator(mode="after")
    def _pyramid_fits(self) -> Self:
        height, width = self.crop_size
        if height != width:
            raise ValueError(f"crops of {width}x{height} do not suit a pyramid; its levels are square")
        sides = self.pyramid
        written = ",".join(map(str, sides))
        if len(sides) < 2:
            raise ValueError(
                f"crops of {width}x{height} cannot be halved down to {START_SIDE} px; "
                "choose a larger multiple of 2, or name the pyramid's --sides"
            )
        if sides[-1] != height:
            raise ValueError(
                f"--sides {written} end at {sides[-1]} px but crops have {height}; make both the same"
            )
        if any(small >= large for small, large in pairwise(sides)) or sides[0] < SMALLEST_SIDE:
            raise ValueError(f"--sides {written}: expected growing sides, from {SMALLEST_SIDE} px on")
        if self.shares is not None and len(self.shares) != len(self.learned_sides):
            raise ValueError(
                f"--shares {','.join(map(str, self.shares))}: {counted(len(self.shares), 'number')} "
                f"for {len(self.learned_sides)} levels ({', '.join(map(str, self.learned_sides))} px)"
            )
        return self

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> Self:
        if self.gan_weight == 0 and self.pixel_weight == 0:
            raise ValueError("--gan-weight 0 and --pixel-weight 0 leave nothing to learn from; raise one")
        if self.gan_weight == 0 and self.coarsest:
            raise ValueError("--gan-weight 0 cannot train the lowest level; add --no-coarsest")
        taken = set(self.classes) & self.factors.keys()
        if taken:
            raise ValueError(f"the class {taken.pop()!r} has the name of an upscaling factor; rename it")
        return self
