"""Progressive GAN's settings, with the paper's defaults. No torch here."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from i2icli.config import Betas, Config, Counts, Names, PreprocessMode, Size
from i2icli.stage import Stage
from i2icli.task import Task

if TYPE_CHECKING:  # numpy need not load for --help
    from i2icli.request import Arrays, Request

SMALLEST = 4  # pixels a side at level 0
MEAN_OF = 1000  # codes whose mean features samples are truncated towards


def _without_empty(entries: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(entry for entry in entries if entry)


ByResolution = Annotated[Names, AfterValidator(_without_empty)]
"""RESOLUTION:NUMBER, ...; "" is an empty list."""


class ProGANConfig(Config):
    """Progressive GAN options"""

    reconstructs: ClassVar[bool] = False
    grows_from_noise: ClassVar[bool] = True

    stage_settings: ClassVar[frozenset[str]] = frozenset(
        {"crop_size", "batch_size", "batch_sizes", "lrs", "stage_images", "fade_images"}
    )

    steps: int | None = Field(
        None, ge=1, description="length in steps; default: until the last resolution had its images"
    )
    images: int | None = Field(
        None, ge=1, description="length in images seen; any surplus goes to the last resolution"
    )
    epochs: float = Field(200, gt=0, description="not used: --stage-images decides the length")
    decay_from: float = Field(
        1.0, ge=0, le=1, description="fraction of each stage after which the learning rate falls to zero"
    )
    batch_size: int = Field(16, ge=1, description="images per forward pass, over all devices")
    batch_sizes: ByResolution = Field(
        ("256:14", "512:6", "1024:3"),
        description="other batch sizes from a resolution on, as RESOLUTION:NUMBER,...",
    )
    lr: float = Field(1e-3, gt=0, description="learning rate of Adam")
    lrs: ByResolution = Field(
        (),
        description="other learning rates from a resolution on; the authors' program has 128:0.0015,"
        "256:0.002,512:0.003 for batches spread over eight GPUs",
    )
    betas: Betas = Field((0.0, 0.99), description="decay rates of Adam's two averages")
    ema: float = Field(
        0.999, ge=0, lt=1, description="decay of the moving average of the published weights; 0: none"
    )
    crop_size: Size = Field((1024, 1024), description="last resolution: 4, 8, 16 ... pixels a side")
    preprocess: PreprocessMode = Field(
        "scale-width-and-crop", description="how images are brought to each resolution"
    )
    flip: bool = Field(False, description="flip half of the training images")
    holdout: float = Field(
        0.0, ge=0, lt=1, description="fraction not trained on where there is no val or test folder"
    )
    start_size: int = Field(4, ge=4, le=1024, description="first resolution, in pixels a side")
    stage_images: int = Field(
        800_000, ge=1, description="images shown at each resolution once its layers are faded in"
    )
    fade_images: int = Field(800_000, ge=1, description="images shown while a resolution is faded in")
    num_latents: int = Field(512, ge=1, le=65536, description="numbers in a latent code")
    width: int = Field(512, ge=1, le=4096, description="channels of the widest layers")
    widths: Counts = Field(
        (512, 512, 512, 512, 256, 128, 64, 32, 16),
        description="channels at 4, 8, 16 ... pixels, none above --width; after the last they are halved",
    )
    stddev_group: int = Field(
        4, ge=1, le=1024, description="images compared with each other by the discriminator; 1: none"
    )
    penalty_weight: float = Field(10.0, ge=0, description="weight of the penalty on D's gradient")
    drift_weight: float = Field(1e-3, ge=0, description="weight of D's squared scores of real images")
    conditional: bool = Field(False, description="learn classes: each folder of images is one")
    class_weight: float = Field(1.0, ge=0, description="weight of the classes' cross-entropy")
    classes: Names = Field((), description="names of the classes; default: the folders'")
    convention: Literal["paper", "zoo"] = Field(
        "paper",
        description="scaling, grouping and sums as in the paper's program, or as in pytorch_GAN_zoo, whose "
        "weights need it",
    )
    fused_scale: bool = Field(
        True, description="D averages pixels before the activation, as published; false: after it"
    )

    @property
    def resize_to(self) -> tuple[int, int]:
        """Images are brought to the resolution itself: nothing is cut off square ones."""
        return self.load_size or self.crop_size

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, if they are learned."""
        return self.classes if self.conditional else ()

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Images from codes, of each class if they are learned."""
        side = SMALLEST << stage.level
        reads = frozenset({"latent", "truncate", *(("to",) if self.labels else ())})
        output = replace(self.two_ports[0], fixed=(side, side))
        names = self.labels or (None,)
        return tuple(Task(name, {}, output, reads, latent_size=self.num_latents) for name in names)

    def conditions(self, task: Task, request: "Request") -> "Arrays":
        """The code (1, Z), with classes a "label" (1, L), and how near to the mean samples are brought.

        Where they are, it is that of the features of "mean_codes" (N, Z), which are always the same.
        """
        import numpy as np  # need not load for --help

        assert request.latent is not None
        conditions = {"latent": request.latent, "truncate": np.array(1, np.float32)}
        if self.labels:
            index = self.labels.index(task.name) if task.name is not None else 0
            conditions["label"] = np.eye(len(self.labels), dtype=np.float32)[[index]]
        if request.truncate is None or request.truncate >= 1:
            return conditions | {"mean": np.zeros((1, self.level_widths[0], 4, 4), np.float32)}
        codes = np.random.default_rng(0).standard_normal((MEAN_OF, self.num_latents), np.float32)
        return conditions | {"truncate": np.array(request.truncate, np.float32), "mean_codes": codes}

    @property
    def levels(self) -> int:
        """Resolutions of the networks, from 4 px to the last."""
        return self.crop_size[0].bit_length() - 2

    @property
    def level_widths(self) -> tuple[int, ...]:
        """Channels at each level; beyond those that are given they halve as in the paper (table 2)."""
        last, beyond = self.widths[-1], range(1, 1 + self.levels - len(self.widths))
        widths = [*self.widths, *(max(1, last >> times) for times in beyond)]
        return tuple(min(width, self.width) for width in widths[: self.levels])

    @property
    def notes(self) -> tuple[str, ...]:
        """The widths that are not given."""
        given = len(self.widths)
        if given >= self.levels:
            return ()
        more = ", ".join(
            f"{width} at {SMALLEST << given + n} px" for n, width in enumerate(self.level_widths[given:])
        )
        return (f"--widths ends at {SMALLEST << given - 1} px; the next levels get: {more}",)

    def lr_at(self, resolution: int) -> float:
        """The learning rate of a resolution."""
        return _at(self.lrs, resolution, self.lr)

    def planned_stages(self) -> list[Stage]:
        """Each resolution twice, but for the first: while it is faded in, and once it is."""
        first = self.start_size.bit_length() - 3
        planned: list[Stage] = []
        for level in range(first, self.levels):
            side = SMALLEST << level
            size = round(_at(self.batch_sizes, side, self.batch_size))
            for fading in (True, False) if level > first else (False,):
                images = self.fade_images if fading else self.stage_images
                steps = max(1, -(-images // (size * self.accumulate)))
                name = f"{side} px" + ", fading in" * fading
                planned.append(Stage(name, steps, size, side, level, fading, steps if fading else None))
        return planned

    def stages(self) -> tuple[Stage, ...]:
        """As many of those planned as there are steps for; a surplus goes to the last."""
        planned = self.planned_stages()
        if self.steps is None:
            return tuple(planned)
        found: list[Stage] = []
        left = self.steps
        for stage in planned:
            if left > 0:
                found.append(replace(stage, steps=min(stage.steps, left)))
            left -= stage.steps
        if left > 0:
            found[-1] = replace(found[-1], steps=found[-1].steps + left)
        return tuple(found)

    def total_steps(self, num_examples: int) -> int:
        """Length of training in steps."""
        if self.steps is not None:
            return self.steps
        planned = self.planned_stages()
        if self.images is None:
            return sum(stage.steps for stage in planned)
        steps, left = 0, float(self.images)
        for number, stage in enumerate(planned, 1):
            per_step = (stage.batch_size or self.batch_size) * self.accumulate
            taken = left / per_step
            if number < len(planned):
                taken = min(taken, stage.steps)
            steps += round(taken)
            left -= taken * per_step
        return max(1, steps)

    @model_validator(mode="after")
    def _sizes_are_powers_of_two(self) -> Self:
        height, width = self.crop_size
        if height != width or height < SMALLEST or height & (height - 1):
            raise ValueError(
                f"crops of {width}x{height} do not suit networks that upsample by 2: choose a power of two, "
                "such as 64, 128 or 256"
            )
        if self.preprocess == "none" and self.start_size < height:
            raise ValueError(
                f"--preprocess none keeps images as they are, but training starts with {self.start_size} px; "
                "choose scale-width-and-crop or resize"
            )
        if self.start_size & (self.start_size - 1):
            raise ValueError(f"--start-size {self.start_size} is not a power of two, such as 4 or 8")
        if self.start_size > height:
            raise ValueError(
                f"--start-size {self.start_size} is larger than --crop-size {height}: it cannot grow to a "
                "smaller size"
            )
        if not self.widths:
            raise ValueError("--widths is empty; give the channels at 4 px at least, such as 512")
        return self

    @model_validator(mode="after")
    def _lists_by_resolution_can_be_read(self) -> Self:
        for option, entries in (("--batch-sizes", self.batch_sizes), ("--lrs", self.lrs)):
            for entry in entries:
                if not _is_pair(entry, whole=option == "--batch-sizes"):
                    raise ValueError(
                        f"{option} {entry}: expected RESOLUTION:NUMBER, such as 256:14"
                        if option == "--batch-sizes"
                        else f"{option} {entry}: expected RESOLUTION:NUMBER, such as 256:0.002"
                    )
        return self


def _is_pair(entry: str, *, whole: bool) -> bool:
    resolution, _, number = entry.partition(":")
    try:
        return resolution.isdecimal() and (int(number) if whole else float(number)) > 0
    except ValueError:
        return False


def _at(entries: tuple[str, ...], resolution: int, otherwise: float) -> float:
    """The number of the largest resolution listed that is not above this one."""
    listed = {int(place): float(number) for place, number in (entry.split(":") for entry in entries)}
    below = [place for place in listed if place <= resolution]
    return listed[max(below)] if below else otherwise
