"""vid2vid's settings, with the paper's defaults. No torch here."""

from dataclasses import replace
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from i2icli.conditions import Condition, ConditionKind, planes
from i2icli.config import Names, PreprocessMode, Size
from i2icli.growable import GrowableConfig, How
from i2icli.label_config import LabelConfig
from i2icli.pair_config import label_side
from i2icli.stage import Stage
from i2icli.task import Port, Task

TRIPLET = 3  # frames that a temporal discriminator sees
LONGEST_CLIP = 10_000

FirstFrames = Literal["mixed", "real", "own"]


def temporal_stride(scale: int) -> int:
    """Frames from one to the next that a temporal discriminator sees (section 3.2)."""
    return 3**scale  # type: ignore[no-any-return]


def triplet_length(scale: int) -> int:
    """Frames of the shortest clip that has something for a temporal discriminator."""
    return (TRIPLET - 1) * temporal_stride(scale) + 1


class Vid2VidConfig(LabelConfig, GrowableConfig):
    """vid2vid options"""

    decay_over_stages: ClassVar[bool] = False
    default_how: ClassVar[How] = "residual"
    may_change: ClassVar[frozenset[str]] = LabelConfig.may_change | {
        "checkpoint_activations",
        "flow_weights",
    }
    local_files: ClassVar[frozenset[str]] = frozenset({"flow_weights"})

    condition: ConditionKind | None = Field(
        None,
        description="source that is computed from a plain video: edges (Canny), hed (learned edges) or face "
        "(landmarks drawn as lines); default: source videos or label maps",
    )
    condition_blur: float | None = Field(
        None, ge=0, le=100, description="blur before edge detection, in pixels; default: by the video"
    )
    condition_low: float | None = Field(
        None, ge=0, le=10_000, description="lower threshold of the Canny edges; default: by the video"
    )
    condition_high: float | None = Field(
        None, ge=0, le=10_000, description="upper threshold of the Canny edges; default: by the video"
    )
    condition_background: bool = Field(
        True, description="with --condition face: edges outside the face as well, as in the paper"
    )
    images: int | None = Field(None, ge=1, description="length in clips seen (steps x batch size)")
    epochs: float = Field(20, gt=0, description="length in passes over the data, in clips")
    batch_size: int = Field(1, ge=1, description="clips per forward pass, over all devices")
    crop_size: Size = Field((256, 512), description="size of the training frames: 256, or WIDTHxHEIGHT")
    preprocess: PreprocessMode = Field("scale-width", description="how frames are brought to the crop size")
    clip_length: int = Field(
        7,
        ge=1,
        le=LONGEST_CLIP,
        description="frames of a training clip at first, including its first frame; 1: each frame by itself, "
        "with --clip-doublings 0 and --first-frames own",
    )
    clip_doublings: int = Field(
        2, ge=0, le=10, description="how often clips double in length, at equal intervals within each level"
    )
    max_stride: int = Field(
        1, ge=1, le=100, description="clips take every n-th frame, n random from 1 to this: faster motion"
    )
    frames_per_update: int = Field(
        2,
        ge=1,
        le=1000,
        description="consecutive frames that are generated for one update of all networks; memory grows with "
        "this, not with the length of the clip",
    )
    frames_backpropagate: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="frames that gradients go back through; default and maximum: --frames-per-update",
    )
    checkpoint_activations: bool = Field(
        False,
        description="recompute the generator's activations in the backward pass instead of keeping them: "
        "memory for one frame instead of --frames-per-update",
    )
    first_frames: FirstFrames = Field(
        "mixed",
        description="what training clips go on from: real first frames (paper); own: those the generator "
        "makes from the source alone, as when translating; mixed: own ones in half of the clips",
    )
    grown: int = Field(
        0, ge=0, le=8, description="local generators above the coarsest one, each for twice the size"
    )
    how: How = Field(
        "scratch",
        description="how local generators learn: from scratch, one after the other (paper); residual: added "
        "to trained networks; fade is not for vid2vid",
    )
    fade: float = Field(0.5, gt=0, lt=1, description="fraction of a level's steps in which it learns alone")
    num_frames: int = Field(3, ge=2, le=16, description="source frames seen: this one and those before")
    width: int = Field(
        128, ge=1, le=4096, description="channels of the coarsest generator's first layer; halved per level"
    )
    depth: int = Field(3, ge=1, le=10, description="downsampling layers of the coarsest generator")
    num_blocks: int = Field(9, ge=1, le=100, description="residual blocks of the coarsest generator")
    num_local_blocks: int = Field(3, ge=1, le=100, description="residual blocks of each local generator")
    norm: Literal["batch", "instance", "none"] = Field("batch", description="normalisation in all networks")
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed",
        description="how features are upsampled: transposed convolution (paper), or upsample, then convolve",
    )
    flow: bool = Field(True, description="warp the previous frame by predicted flow and blend it in, Eq. (3)")
    foreground: Names = Field(
        (), description="ids or names of classes synthesised by a branch of their own, Eq. (4)"
    )
    boundaries: bool = Field(True, description="show the networks the boundaries of instances")
    num_scales: int = Field(
        2, ge=1, le=8, description="scales that discriminators see; one more for each local generator"
    )
    num_layers: int = Field(3, ge=1, le=8, description="layers of each discriminator; 3 see 70x70 pixels")
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the first layer of the finest discriminator"
    )
    num_temporal_scales: int = Field(
        2, ge=0, le=4, description="temporal discriminators, of three frames each: 1, 3, 9 ... frames apart"
    )
    gan_loss: Literal["lsgan", "vanilla", "hinge"] = Field("lsgan", description="adversarial loss")
    matching_weight: float = Field(
        10.0, ge=0, description="weight of feature matching: distances in the discriminators' features"
    )
    flow_weight: float = Field(
        10.0, ge=0, description="lambda_W of the flow losses: against the teacher's, on warped real frames"
    )
    warp_weight: float = Field(
        10.0, ge=0, description="weight of the distance of generated frames from their warped predecessors"
    )
    flow_teacher: Literal["dis", "raft"] = Field(
        "dis", description="method that computes the flow of real frames: dis (OpenCV) or raft (torchvision)"
    )
    flow_weights: str | None = Field(
        None, description="file of RAFT's weights; default: the one in torchvision's cache"
    )

    @property
    def reads(self) -> Literal["condition", "labels", "image"]:
        """What the generator is shown: label maps as soon as their classes are known."""
        return "condition" if self.condition else "labels" if self.classes is not None else "image"

    @property
    def resize_to(self) -> tuple[int, int]:
        """Frames are brought to the crop size itself: the paper crops nothing."""
        return self.load_size or self.crop_size

    @property
    def source_channels(self) -> int:
        """Channels of given films or conditions."""
        return planes(self.condition) if self.condition else self.two_channels[0]

    @property
    def map_channels(self) -> int:
        """Planes that the networks see of one frame of the source: of label maps classes, then boundaries."""
        return self.label_set.count + self.boundaries if self.reads == "labels" else self.source_channels

    @property
    def foreground_indices(self) -> tuple[int, ...]:
        """The classes that have a branch of their own. Raises UserError for one that there is not."""
        if self.reads != "labels":
            return ()
        return tuple(map(self.label_set.find, self.foreground))

    @property
    def longest_clip(self) -> int:
        """Frames of the longest training clips; 1: it learns single frames, and remembers none."""
        return max(stage.clip_length or 1 for stage in self.stages())

    @property
    def temporal_scales(self) -> tuple[int, ...]:
        """The temporal discriminators that some clips are long enough for, by their scale."""
        return tuple(n for n in range(self.num_temporal_scales) if triplet_length(n) <= self.longest_clip)

    @property
    def translating_statistics(self) -> Literal["image", "running"]:
        """What batch norm uses when translating: that which is closest to what it saw in training."""
        return "image" if self.batch_size == 1 else "running"

    @property
    def multiple(self) -> int:
        """What the coarsest generator asks of the sides, doubled with each local one."""
        return 1 << self.depth + self.grown

    @property
    def smallest_side(self) -> int:
        """The residual blocks of the coarsest generator need two pixels, its last layer four."""
        return max(self.multiple, 2 << self.depth + self.grown, 4 << self.grown)

    @property
    def notes(self) -> tuple[str, ...]:
        """Discriminators that the clips are too short for; that first frames are not learned."""
        longest = self.longest_clip
        given = "no first frames are learned: clips need one to begin with (--first-frame, --first-model)"
        return (given,) * (self.first_frames == "real") + tuple(
            f"clips of {longest} frames are too short for the discriminator of frames "
            f"{temporal_stride(scale)} apart, which needs {triplet_length(scale)}; it is left out"
            for scale in range(len(self.temporal_scales), self.num_temporal_scales)
        )

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Frames, with the memory of those before."""
        smallest = self.smallest_side >> self.grown - stage.level
        source = self._source(self.multiple_at(stage), smallest)
        first = next(iter(source.values()))
        before = self.num_frames - 1
        memory = {"maps": Port(before * (1 if first.kind == "labels" else first.channels), first.kind)}
        if self.reads == "labels" and self.boundaries:
            memory["boundaries"] = Port(before, "condition")
        for level in range(stage.level + 1):
            memory[frames_at(level)] = Port(before * self.image_channels, scale=0.5**level)
        memory, pair = memory if self.longest_clip > 1 else {}, label_side(first)
        return (Task(None, source, self.two_ports[1], memory=memory, pair=pair),)

    def _source(self, multiple: int, minimum: int) -> dict[str, Port]:
        if self.reads == "labels":
            return self.label_inputs(multiple=multiple, minimum=minimum)
        condition = None
        if self.condition:
            condition = Condition(
                self.condition,
                self.condition_blur or 0.0,
                self.condition_low or 0.0,
                self.condition_high or 0.0,
                self.condition_background,
            )
        kind: Literal["condition", "image"] = "condition" if self.condition else "image"
        given = replace(self.two_ports[0], channels=self.source_channels, kind=kind, condition=condition)
        return {"source": replace(given, multiple=multiple, minimum=minimum)}

    def stages(self) -> tuple[Stage, ...]:
        """For every level, the finest alone first, and then with clips that double (section 3.3)."""
        steps = self.steps or 1
        if self.grown_before == self.grown:  # as it was grown, all of it learns
            return self._stages_of_level(self.grown, steps, alone=0)
        first = 0 if self.how == "scratch" else self.grown_before + 1
        count = self.grown + 1 - first
        found: list[Stage] = []
        for number in range(count):
            own = steps * (number + 1) // count - steps * number // count
            level = first + number
            found += self._stages_of_level(level, own, round(own * self.fade) if level else 0)
        return tuple(found)

    def _stages_of_level(self, level: int, steps: int, alone: int) -> tuple[Stage, ...]:
        size, width = self._size_at(level), self.crop_size[1] >> self.grown - level
        name = f"{size}, local generator alone"
        length, parts, rest = self.clip_length, self.clip_doublings + 1, steps - alone
        found = [Stage(name, alone, resolution=width, level=level, alone=True, clip_length=length)]
        for part in range(parts):
            own = rest * (part + 1) // parts - rest * part // parts
            frames = min(LONGEST_CLIP, length << part)
            name = f"{size}, {frames} frame{'s' * (frames > 1)}"
            found.append(Stage(name, own, resolution=width, level=level, clip_length=frames))
        return tuple(stage for stage in found if stage.steps)

    @model_validator(mode="after")
    def _crop_fits_the_networks(self) -> Self:
        height, width = self.crop_size
        if height % self.multiple or width % self.multiple:
            raise ValueError(
                f"crops of {width}x{height} do not suit these networks; "
                f"choose sides that are multiples of {self.multiple}, or another --depth"
            )
        return self

    @model_validator(mode="after")
    def _settings_suit_each_other(self) -> Self:
        if self.how == "fade":
            raise ValueError("vid2vid's local generators do not fade in; choose --how residual or scratch")
        if self.clip_length == 1 and (self.first_frames != "own" or self.clip_doublings):
            raise ValueError(
                "clips of 1 frame have nothing before it; choose a longer --clip-length, or also "
                "--first-frames own --clip-doublings 0"
            )
        if self.condition and self.classes is not None:
            raise ValueError("--condition is for plain videos, --classes for label maps; give one of them")
        return self


def frames_at(level: int) -> str:
    """What the previous frames are called in the memory, so many levels below the finest."""
    return f"frames_{level}" if level else "frames"
