"""DTN's settings, with the paper's defaults for digits. No torch here."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from i2icli.config import Betas, Config, Counts, Names, PreprocessMode, Size
from i2icli.stage import Stage
from i2icli.task import Task
from i2icli.written import counted

Extractor = Literal["strided", "pooled", "ccexam-mnist", "ccexam-svhn", "ccexam-usps"]


class DTNConfig(Config):
    """DTN options"""

    lr: float = Field(3e-4, gt=0, description="learning rate of Adam")
    betas: Betas = Field((0.9, 0.999), description="decay rates of Adam's two averages")
    batch_size: int = Field(100, ge=1, description="images per forward pass, over all devices")
    decay_from: float = Field(
        1.0, ge=0, le=1, description="fraction of a stage after which the learning rate falls to zero"
    )
    crop_size: Size = Field((32, 32), description="size of the training images: 32, or WIDTHxHEIGHT")
    preprocess: PreprocessMode = Field("resize", description="how images are brought to the crop size")
    flip: bool = Field(False, description="mirror half of the training images; digits would be spoiled")
    classes: Names | None = Field(None, description="names of the source's classes; default: as found")
    feature_steps: int | None = Field(
        None,
        ge=0,
        description="steps for f and its classifier, the rest is transfer; default: ten elevenths, as 20,000 "
        "of 22,000; 0: f stays as --init-from gives it",
    )
    extractor: Extractor = Field(
        "strided",
        description="layers of f: strided (public code), pooled (paper), or those of a digit classifier of "
        "ccexam, for --init-from",
    )
    width: int = Field(64, ge=1, le=4096, description="channels of f's first layer, strided or pooled")
    num_features: int = Field(128, ge=1, le=65536, description="numbers that f describes an image with")
    num_blocks: int = Field(3, ge=1, le=8, description="down-samplings in f and D, up-samplings in g")
    generator_width: int = Field(128, ge=1, le=4096, description="channels before g's last layer")
    discriminator_width: int = Field(128, ge=1, le=4096, description="channels of D's first layer")
    norm: Literal["batch", "none"] = Field("batch", description="normalisation in all networks")
    discriminator: Literal["ternary", "binary"] = Field(
        "ternary", description="classes of D: two kinds of fakes and real, Eq. (3); or fake and real"
    )
    updates: Counts = Field(
        (1, 1),
        description="updates per step of D,g on both collections; or of D,g on source, D,g on target, one "
        "after the other (public code: 1,6,2,4)",
    )
    const_weight: float = Field(
        15.0, ge=0, description="alpha: f of an output equals f of its source, Eq. (5)"
    )
    identity_weight: float = Field(15.0, ge=0, description="beta: target images stay as they are, Eq. (6)")
    tv_weight: float = Field(0.0, ge=0, description="gamma: smoothness, Eq. (7); 0.05 for faces")
    f_interval: int = Field(
        0, ge=0, description="steps between updates of f by Eq. (5) during transfer; 0: f stays fixed"
    )

    @property
    def learning_steps(self) -> int:
        """Steps of the first stage, in which f learns to classify."""
        steps = self.steps or 1
        return round(steps * 10 / 11) if self.feature_steps is None else min(self.feature_steps, steps)

    def stages(self) -> tuple[Stage, ...]:
        """f learns to classify the source ("features"), then g and D learn ("transfer"); one may lack."""
        learning = self.learning_steps
        both = (Stage("features", learning), Stage("transfer", (self.steps or 1) - learning))
        return tuple(stage for stage in both if stage.steps) or both[:1]

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """To the target. Images are resized to the training size inside, so that any size will do."""
        source, target = self.two_ports
        return (Task(None, {"image": source}, target),)

    @property
    def multiple(self) -> int:
        """f and D halve an image `num_blocks` times and then see all of it at once."""
        return int(2**self.num_blocks)

    @property
    def smallest_batch(self) -> int:
        """Batch norm also normalises single numbers, over the batch."""
        return 2 if self.norm == "batch" else 1

    @property
    def smallest_side(self) -> int:
        """Two pixels are left after all halvings."""
        return 2 * self.multiple

    @property
    def num_classes(self) -> int:
        """Classes of the source."""
        return len(self.classes) if self.classes else 10

    def total_steps(self, num_examples: int) -> int:
        """Length of both stages in steps; --images and --epochs do not count --feature-steps."""
        return self.steps or super().total_steps(num_examples) + (self.feature_steps or 0)

    def with_found(self, found: Mapping[str, Any]) -> Self:
        """As for every system; where the stages part is settled too, so that a longer run keeps it."""
        complete = super().with_found(found)
        return type(self).model_validate(complete.model_dump() | {"feature_steps": complete.learning_steps})

    @model_validator(mode="after")
    def _settings_fit_each_other(self) -> Self:
        height, width = self.crop_size
        if height % self.multiple or width % self.multiple:
            raise ValueError(
                f"crops of {width}x{height} do not suit {self.num_blocks} down-samplings; "
                f"choose multiples of {self.multiple}, or another --num-blocks"
            )
        if self.preprocess in ("scale-width", "none"):
            raise ValueError(
                f"--preprocess {self.preprocess} gives images of other sizes than --crop-size, but f and D "
                "see whole images of one size; choose resize, resize-and-crop, crop or scale-width-and-crop"
            )
        if len(self.updates) not in (2, 4):
            raise ValueError(
                f"--updates has {counted(len(self.updates), 'number')}; expected 2 like 1,1 or 4 like 1,6,2,4"
            )
        if self.feature_steps is not None and self.steps is not None and self.feature_steps > self.steps:
            raise ValueError(
                f"--feature-steps {self.feature_steps} are more than all {counted(self.steps, 'step')}; "
                "raise --steps, or lower it"
            )
        if self.classes is not None and len(set(self.classes)) < 2:
            raise ValueError("--classes: expected at least two names, all different")
        return self
