"""The settings every system shares, and how a run uses this machine. No torch here: `--help` is quick."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from i2icli.perceptual import Perceptual, check_compared
from i2icli.reading import Reading, colour_of
from i2icli.setting_types import Background, BestBy, Channels, Pages, Ranges, Threads
from i2icli.setting_types import Betas as Betas
from i2icli.setting_types import Counts as Counts
from i2icli.setting_types import Names as Names
from i2icli.setting_types import Size as Size
from i2icli.setting_types import TwoNames as TwoNames
from i2icli.stage import Stage
from i2icli.task import Port, Task, find_task, image_ports
from i2icli.value_range import TYPE
from i2icli.written import Seconds

if TYPE_CHECKING:  # numpy need not load for --help
    from i2icli.request import Arrays, Request

Precision = Literal["auto", "fp32", "bf16", "fp16"]
SpectralOf = Literal["image", "batch"]
PreprocessMode = Literal["resize-and-crop", "resize", "crop", "scale-width", "scale-width-and-crop", "none"]
LARGEST_RUN_SEED = 2**31 - 1  # of training: what every library takes
THREADS = "threads that compute; default: one for each core"


def next_multiple(number: int, factor: int) -> int:
    """The smallest multiple of a factor that is not less than the number."""
    return -(-number // factor) * factor


class Config(BaseModel):
    """Settings that decide what a run computes. They are saved in its checkpoint.

    A field is an option: type, default, help, limits. Systems inherit and add their own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    may_change: ClassVar[frozenset[str]] = frozenset(
        {"steps", "images", "epochs", "precision", "lr", "max_grad_norm", "types", "alpha", "learned_size"}
    )
    """Settings that may differ when a run is resumed."""
    stage_settings: ClassVar[frozenset[str]] = frozenset()
    """Settings that only say which stages there are (the last resolution, batch sizes of stages): they may
    differ when a run is resumed, as long as the stages that were started are still the same."""

    decay_over_stages: ClassVar[bool] = False
    """Whether the learning rate falls over all stages together, or over each."""

    grows_from_noise: ClassVar[bool] = False
    """Whether these are the settings that `i2i grow` trains with where it is given images alone."""

    reconstructs: ClassVar[bool] = True
    """Whether updates hold generated images beside those they should show; `perceptual_weight` needs them."""

    found_only: ClassVar[frozenset[str]] = frozenset({"types", "alpha", "perceptual_source", "learned_size"})
    """Settings that are found from the data or other files and are no options of the command line."""

    steps: int | None = Field(
        None, ge=1, description="length of training in steps; wins over --images and --epochs"
    )
    images: int | None = Field(None, ge=1, description="length in images seen (steps x batch size)")
    epochs: float = Field(
        200, gt=0, description="length in passes over the data, if neither of the above is given"
    )
    decay_from: float = Field(
        0.5, ge=0, le=1, description="fraction of training after which the learning rate falls to zero"
    )
    batch_size: int = Field(1, ge=1, description="images per forward pass, over all devices")
    accumulate: int = Field(1, ge=1, description="batches whose gradients are added up before a step")
    lr: float = Field(2e-4, gt=0, description="learning rate of Adam")
    betas: Betas = Field((0.5, 0.999), description="decay rates of Adam's two averages")
    loaded_lr_factor: float = Field(1.0, gt=0, description="factor of --lr for what --init-from loaded")
    freeze: Names = Field((), description="what does not learn: generator, discriminator, G.down ...")
    max_grad_norm: float | None = Field(
        None, gt=0, description="clip gradients to this norm; default: no clipping"
    )
    spectral_weight: float = Field(
        0.0, ge=0, description="weight of the generators' spectral regularisation; 0: none"
    )
    spectral_cut: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="fraction of the spectrum that it leaves alone, from the lowest frequency",
    )
    spectral_of: SpectralOf = Field(
        "image",
        description="whose spectrum it holds against the mean of real images: each image's, as in the paper, "
        "or the mean of a batch",
    )
    perceptual_weight: float = Field(
        0.0, ge=0, description="weight of the generators' perceptual loss; 0: none"
    )
    perceptual: Perceptual = Field(
        "vgg19",
        description="network whose features it compares: vgg19 (the papers'), vgg16-hed, squeezenet, "
        "efficientnet-lite; or off",
    )
    perceptual_source: str | None = Field(None, description="which weights that network has; found")
    ema: float = Field(
        0.0, ge=0, lt=1, description="decay of the moving average of the published weights; 0: none"
    )
    precision: Precision = Field(
        "auto", description="fp32, bf16 or fp16; auto takes the fastest that is safe here"
    )
    seed: int = Field(0, ge=0, le=LARGEST_RUN_SEED, description="random seed")
    crop_size: Size = Field((256, 256), description="size of the training images: 256, or WIDTHxHEIGHT")
    load_size: Size | None = Field(
        None, description="size to resize to before cropping; default: crop size x 286/256"
    )
    learned_size: Size | None = Field(
        None, description="typical size of the training images before they are cropped; found from the data"
    )
    preprocess: PreprocessMode = Field(
        "resize-and-crop", description="how images are brought to the crop size"
    )
    flip: bool = Field(True, description="flip half of the training images")
    channels: Channels | None = Field(None, description="number of channels (3, or 1,3); default: detected")
    range: Ranges = Field(
        TYPE,
        description="values that become -1 and 1: type (all that their number type holds), found (in the "
        "data), LOW,HIGH or percentile:1,99; for two sides 0,4095/type",
    )
    types: tuple[str, ...] | None = Field(
        None, description="number types of the images of each side, such as uint8,uint16; found from the data"
    )
    alpha: tuple[bool, ...] | None = Field(
        None, description="whether the last channel of each side is transparency; found from the data"
    )
    background: Background = Field(
        "white", description="put under transparency: white, black, RED,GREEN,BLUE or none (as it is)"
    )
    pages: Pages = Field(
        None, description="of files with several pages: channels (of one image), images, or one by its number"
    )
    channels_first: bool | None = Field(
        None, description="arrays and .npy files are channels x height x width; default: refused if in doubt"
    )
    recursive: bool = Field(True, description="use the images in subfolders of the data folders, too")
    holdout: float = Field(
        0.05, ge=0, lt=1, description="fraction kept for validation where there is no val or test folder"
    )

    local_files: ClassVar[frozenset[str]] = frozenset()
    """Settings that name files of the machine that trained: what is published does not have them."""

    def stages(self) -> tuple[Stage, ...]:
        """The stages of training, in order."""
        return (Stage("main", self.steps or 1),)

    def tasks(self, stage: Stage) -> tuple[Task, ...]:  # noqa: ARG002 - for those that grow
        """What a model of these settings, trained as far as a stage, can be asked for; the default first.

        Those that translate come before those that generate.
        """
        return ()

    def resolve(self, tasks: Sequence[Task], to: str | None, source: str | None = None) -> Task:
        """The one of some tasks that `--to` and `--from` ask for, or a combination of several.

        Raises UserError that names the option and lists what there is.
        """
        task = find_task(tasks, to)
        return task if source is None else replace(task, source=source)

    def conditions(self, task: Task, request: "Request") -> "Arrays":  # noqa: ARG002 - for those that read it
        """Everything that the networks read beside the inputs: names, codes and references end here.

        By default "latent" (B, Z) and "reference" (1, C, h, w), as far as they are given. With one row for
        all images or one for each. It is given the inputs where the task says that it reads them
        (`Task.condition_per_input`); without them it only has to check the reference or the styles. Raises
        UserError for what cannot be used ("no face found", "--style car=9: ..."). Needs no torch, so that
        exported graphs run without.
        """
        given = {"latent": request.latent, "reference": request.reference}
        return {name: each for name, each in given.items() if each is not None}

    @property
    def multiple(self) -> int:
        """What the networks ask of the sides of a training image that is not cropped."""
        return 4

    @property
    def smallest_batch(self) -> int:
        """The smallest batch per process that the losses and norms can be computed on."""
        return 1

    @property
    def smallest_side(self) -> int:
        """The shortest side of training images that all networks accept: pixels, a multiple of `multiple`."""
        return self.multiple

    @model_validator(mode="after")
    def _crop_is_large_enough(self) -> Self:
        height, width = self.crop_size
        if min(height, width) < self.smallest_side:
            raise ValueError(
                f"crops of {width}x{height} are too small for these networks, which need sides of at least "
                f"{self.smallest_side} px; choose a larger --crop-size or networks with fewer layers"
            )
        return self

    @property
    def has_perceptual_loss(self) -> bool:
        """Whether a perceptual loss is part of the training."""
        return self.perceptual_weight > 0 and self.perceptual != "off"

    @model_validator(mode="after")
    def _perceptual_loss_is_possible(self) -> Self:
        if self.has_perceptual_loss:
            check_compared(self.reconstructs, self.channels)
        return self

    @property
    def notes(self) -> tuple[str, ...]:
        """What the settings leave open and how it was decided, in lines for who trains with them."""
        return ()

    @property
    def resize_to(self) -> tuple[int, int]:
        """(height, width) before cropping; the papers resize to 286 to crop 256."""
        height, width = self.crop_size
        return self.load_size or (round(height * 286 / 256), round(width * 286 / 256))

    @property
    def two_ports(self) -> tuple[Port, Port]:
        """How images of both sides are read and written; alike where all are."""
        return image_ports(self.two_channels, self.types, self.range, self.reading, self.alpha)

    @property
    def reading(self) -> Reading:
        """How images are read where files leave it open."""
        background = colour_of(self.background)
        return Reading(self.pages, background=background, channels_first=self.channels_first)

    @property
    def two_channels(self) -> tuple[int, int]:
        """Channels of what is read and of what is wanted; the same where one number was found."""
        found = self.channels or (3,)
        return found[0], found[-1]

    def with_found(self, found: Mapping[str, Any]) -> Self:
        """A copy with the settings that only the data could tell (channels, domains, steps)."""
        return type(self).model_validate(self.model_dump() | dict(found))

    @classmethod
    def told_by(cls, settings: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> dict[str, Any]:  # noqa: ARG003
        """Settings that a file of an older version lacks, as the shapes of its tensors tell them."""
        return {}

    def total_steps(self, num_examples: int) -> int:
        """Length of training in steps for so many examples."""
        per_step = self.batch_size * self.accumulate
        images = self.images or self.epochs * num_examples
        return self.steps or max(1, round(images / per_step))


class RunOptions(BaseModel):
    """How a run uses this machine and where it writes. Free to change whenever it is resumed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path | None = Field(None, description="run folder; default: runs/<system>-<name of the data folder>")
    init_from: str | None = Field(
        None, description="start from the weights of this run or checkpoint (fine-tuning)"
    )
    device: str | None = Field(None, description="cuda, cuda:1, mps or cpu; default: the best there is")
    devices: int = Field(1, ge=1, description="processes on this machine, one per device")
    threads: Threads | None = Field(None, description=THREADS + "; kept with the run")
    workers: int | None = Field(None, ge=0, description="threads that read images; default: by the processor")
    cache: float = Field(1.0, ge=0, description="GB of memory for decoded images; larger sets are read anew")
    perceptual_file: Path | None = Field(
        None, description="weights for --perceptual; default: torchvision's, or those in a package"
    )
    compile: bool = Field(False, description="compile the networks with torch.compile first")
    time_limit: Seconds | None = Field(None, description="stop and save after 90s, 30m, 3h50m ...")
    log_every: int = Field(50, ge=1, description="steps between lines of log.jsonl")
    sample_every: int = Field(500, ge=1, description="steps between sample sheets")
    validate_every: int = Field(1000, ge=1, description="steps between measurements on the validation images")
    save_every: Seconds = Field(300.0, description="time between saves: 90s, 5m ...")
    validate_images: int = Field(100, ge=1, description="validation images measured each time, evenly spread")
    best_by: BestBy | None = Field(
        None, description="keep best.safetensors by psnr, ssim, miou or pixel_accuracy, not the system's own"
    )
    segmenter: bool = Field(True, description="score photos of label maps by a segmentation network")
    strict: bool = Field(False, description="stop at a broken training image instead of skipping it")
    tensorboard: bool = Field(False, description="also write TensorBoard events into the run folder")
    wandb: bool = Field(False, description="also send the run to Weights & Biases (project i2icli)")
    mlflow: bool = Field(False, description="also send the run to MLflow (experiment i2icli)")
