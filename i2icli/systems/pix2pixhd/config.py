"""pix2pixHD's settings, with the paper's defaults. No torch here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from i2icli.config import PreprocessMode, Size
from i2icli.errors import UserError
from i2icli.growable import GrowableConfig, How
from i2icli.label_config import LabelConfig
from i2icli.pair_config import PairConfig
from i2icli.stage import Stage
from i2icli.task import Task, Tiling

if TYPE_CHECKING:  # numpy need not load for --help
    from i2icli.request import Arrays, Request

GLOBAL_SHARE = 2  # steps of the global generator over those of each enhancer: 200 and 100 epochs in the paper


class Pix2PixHDConfig(LabelConfig, PairConfig, GrowableConfig):
    """pix2pixHD options"""

    found_only: ClassVar[frozenset[str]] = LabelConfig.found_only | PairConfig.found_only

    decay_over_stages: ClassVar[bool] = False
    default_how: ClassVar[How] = "residual"

    crop_size: Size = Field((512, 1024), description="size of the training images: 256, or WIDTHxHEIGHT")
    preprocess: PreprocessMode = Field("scale-width", description="how images are brought to the crop size")
    grown: int = Field(
        0,
        ge=0,
        le=8,
        description="local enhancers around the global generator, each for twice the size",
    )
    how: How = Field(
        "scratch",
        description="how enhancers learn: from scratch, after the global generator (paper); residual: added "
        "to trained networks, alone first; fade: faded in",
    )
    fade: float = Field(
        0.1, gt=0, lt=1, description="fraction of an enhancer's steps in which it learns alone, or fades in"
    )
    width: int = Field(
        64, ge=1, le=4096, description="channels of the global generator's first layer; an enhancer has half"
    )
    depth: int = Field(4, ge=1, le=10, description="down-samplings in the global generator")
    num_blocks: int = Field(9, ge=1, le=100, description="residual blocks of the global generator")
    num_enhancer_blocks: int = Field(3, ge=1, le=100, description="residual blocks of each local enhancer")
    norm: Literal["batch", "instance", "none"] = Field(
        "instance", description="normalisation in all networks"
    )
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed",
        description="how features are upsampled: transposed convolution (paper), or upsample, then convolve",
    )
    boundaries: bool = Field(True, description="show the networks the boundaries of instances, section 3.3")
    num_scales: int = Field(
        2, ge=1, le=8, description="scales that discriminators see; one more for each local enhancer"
    )
    num_layers: int = Field(3, ge=1, le=8, description="layers of each discriminator; 3 see 70x70 pixels")
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the discriminators' first layers"
    )
    gan_loss: Literal["lsgan", "vanilla", "hinge"] = Field("lsgan", description="adversarial loss")
    matching_weight: float = Field(
        10.0, ge=0, description="lambda of the distance between the discriminators' features, Eq. (5)"
    )
    features: Literal["none", "instance", "class"] = Field(
        "none",
        description="learn styles: features of each instance, or of each class, that an encoder finds in "
        "photos, section 3.4",
    )
    num_features: int = Field(3, ge=1, le=64, description="numbers in a feature")
    encoder_width: int = Field(16, ge=1, le=4096, description="channels of the encoder's first layer")
    encoder_depth: int = Field(4, ge=1, le=10, description="down-samplings in the encoder")
    num_clusters: int = Field(10, ge=1, le=1000, description="styles to choose from, for each class")

    @property
    def resize_to(self) -> tuple[int, int]:
        """Images are brought to the crop size itself: the paper crops nothing."""
        return self.load_size or self.crop_size

    @property
    def plane_channels(self) -> int:
        """Channels of what the generator and the discriminators read of a label map: classes, boundaries."""
        return self.label_set.count + self.boundaries

    @property
    def feature_channels(self) -> int:
        """Channels of the planes of features."""
        return 0 if self.features == "none" else self.num_features

    @property
    def num_styled(self) -> int:
        """Classes that have styles; unlabelled pixels are one of them."""
        return len(self.label_set.classes) + 1

    @property
    def translating_statistics(self) -> Literal["image", "running"]:
        """What batch norm uses when translating: that which is closest to what it saw in training."""
        return "image" if self.batch_size == 1 else "running"

    @property
    def multiple(self) -> int:
        """What the deepest network asks of the sides, doubled with each enhancer."""
        return 1 << max(self.depth, self.encoder_depth if self.feature_channels else 0) + self.grown

    @property
    def smallest_side(self) -> int:
        """The residual blocks of the global generator need two pixels, its last layer four."""
        return max(self.multiple, 2 << self.depth + self.grown)

    @property
    def notes(self) -> tuple[str, ...]:
        """What has features of its own, where there are no instance maps."""
        if self.features == "instance" and self.instances is False:
            return ("there are no instance maps, so the features are of classes, as with --features class",)
        return ()

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Photos of label maps; of chosen styles if those were learned."""
        later = self.grown - stage.level  # levels still to come
        inputs = self.label_inputs(multiple=self.multiple_at(stage), minimum=self.smallest_side >> later)
        output = self.two_ports[1]
        tiling: Tiling = "free" if self.norm == "none" else "global-norm"
        if not self.feature_channels:
            return (Task(None, inputs, output, pair=self.label_side(), tiling=tiling),)
        return (
            Task(
                None,
                inputs,
                output,
                reads=frozenset({"latent", "reference", "style"}),
                latent_size=self.label_set.count,
                reference=output,
                pair=self.label_side(),
                tiling=tiling,
                condition_per_input=True,
            ),
        )

    def conditions(self, task: Task, request: "Request") -> "Arrays":
        """What features are taken from, a code or the photo "reference", and the styles that are "chosen".

        See `ChosenStyles.over`. The reference is padded as the maps are.
        """
        from i2icli.systems.pix2pixhd.chosen_styles import ChosenStyles, padded  # what --help need not load

        if not self.feature_channels:
            return {}
        chosen = ChosenStyles(request.style, self.label_set, self._cluster_counts(request.facts))
        if not request.inputs:
            return {}
        labels, instances = request.inputs["labels"], request.inputs.get("instances")
        planes = {"chosen": chosen.over(labels, instances)}
        if request.reference is None:
            assert request.latent is not None
            return planes | {"latent": request.latent}
        chosen.check_nothing_drawn()
        return planes | {"reference": padded(request.reference, task.inputs["labels"], labels)}

    def _cluster_counts(self, facts: Mapping[str, Any]) -> list[int]:
        """The number of styles of each class. Raises UserError for a file that does not tell, or wrongly."""
        given = facts.get("cluster_counts")
        found = [each for each in given if isinstance(each, int)] if isinstance(given, list) else []
        if len(found) != self.num_styled or given != found or not all(0 <= each <= 1000 for each in found):
            raise UserError("the model does not say how many styles each class has; export it again")
        return found

    def stages(self) -> tuple[Stage, ...]:
        """The global generator at its size, then each enhancer alone and with all below it (section 3.1)."""
        if self.how != "scratch" or self.grown_before == self.grown:
            return super().stages()
        steps, parts = self.steps or 1, GLOBAL_SHARE + self.grown
        ends = [steps * part // parts for part in (0, *range(GLOBAL_SHARE, parts + 1))]
        width = self.crop_size[1] >> self.grown
        found = [Stage(self._size_at(0), ends[1], resolution=width)]
        for level in range(1, self.grown + 1):
            found += self._stages_of(level, ends[level + 1] - ends[level])
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
