"""PairedCycleGAN's settings, with the paper's defaults where they are known. No torch here."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from i2icli.config import Config, Names, TwoNames
from i2icli.stage import Stage
from i2icli.task import Task

if TYPE_CHECKING:  # numpy need not load for --help
    from i2icli.request import Arrays, Request

REGIONS = ("eyes", "lips", "skin")
WHOLE = "whole"
REMOVAL, TRANSFER = "removal", "transfer"  # stages


class PairedCycleGANConfig(Config):
    """PairedCycleGAN options"""

    domains: TwoNames = Field(("bare", "styled"), description="names of the two collections")
    synthetic: Literal["landmarks", "colour", "removal", "none"] = Field(
        "colour",
        description="what the style discriminator takes for a true transfer: the reference warped onto the "
        "face by landmarks (the paper's; needs faces and i2icli[face]); not the paper's: the image with the "
        "reference's colour statistics (for anything), or with what removal takes off the reference (for "
        "aligned images); or none: no style discriminator",
    )
    regions: Names = Field(
        (), description="networks of their own for parts of a face: eyes,lips,skin; default: the whole image"
    )
    region_size: int = Field(128, ge=16, le=4096, description="side that a region is resized to, in pixels")
    width: int = Field(64, ge=1, le=2048, description="channels of each feature extractor")
    norm: Literal["instance", "batch", "none"] = Field(
        "instance", description="normalisation in all networks"
    )
    delta_scale: float = Field(
        1.0, gt=0, le=2, description="largest change of a value in [-1, 1]; 2 reaches every colour from any"
    )
    num_layers: int = Field(
        3, ge=1, le=8, description="layers of the patch discriminators; 3 see 70x70 pixels"
    )
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the discriminators' first layer"
    )
    discriminator_lr: float | None = Field(
        None, gt=0, description="learning rate of the discriminators; default: that of the generators"
    )
    gan_loss: Literal["vanilla", "lsgan", "hinge"] = Field("vanilla", description="adversarial loss")
    removal_share: float = Field(
        0.2, gt=0, lt=1, description="fraction of training in which removal (F) learns alone, at first"
    )
    transfer_weight: float = Field(0.1, ge=0, description="lambda_G of the adversarial loss of transfer")
    removal_weight: float = Field(0.1, ge=0, description="lambda_F of the adversarial loss of removal")
    pair_weight: float = Field(0.1, ge=0, description="lambda_P of the style discriminator's loss")
    identity_weight: float = Field(
        1.0, ge=0, description="weight of the identity loss: removal undoes transfer"
    )
    style_weight: float = Field(
        1.0, ge=0, description="weight of the style loss: a style handed on and back is the same"
    )
    keep_weight: float = Field(
        0.0,
        ge=0,
        description="loss of removal on images that are bare already (not the paper's); helps short "
        "trainings",
    )

    @property
    def parts(self) -> tuple[str, ...]:
        """What has networks of its own: the regions, or the whole image."""
        return self.regions or (WHOLE,)

    def stages(self) -> tuple[Stage, ...]:
        """F and its discriminator first; then G and F by turns."""
        total = self.steps or 2
        first = min(max(1, round(total * self.removal_share)), total - 1)
        removal = (Stage(REMOVAL, first),) if first else ()
        return (*removal, Stage(TRANSFER, total - first))

    @property
    def multiple(self) -> int:
        """The generators keep the full resolution; any size will do."""
        return 1

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """A style is put on by default, which takes a reference; or taken off."""
        bare, styled = self.domains
        image = self.two_ports[0]
        put_on = Task(
            styled,
            {"image": image},
            image,
            frozenset({"to", "reference"}),
            frozenset({"reference"}),
            reference=image,
            graph=styled,
            condition_per_input=bool(self.regions),
            untraceable="its networks see regions of faces, cut out at sizes that differ with every face"
            if self.regions
            else "",
        )
        taken_off = replace(
            put_on, name=bare, reads=frozenset({"to"}), requires=frozenset(), reference=None, graph=bare
        )
        return put_on, taken_off

    def conditions(self, task: Task, request: "Request") -> "Arrays":
        """The reference (1, C, h, w), and with regions where the faces are. Raises UserError without one."""
        conditions = {} if request.reference is None else {"reference": request.reference}
        if not self.regions:
            return conditions
        from i2icli.systems.paired_cyclegan.faces import faces_of  # what --help need not load

        if request.reference is not None:
            conditions["reference_face"] = faces_of(request.reference, "reference")  # (1, N, 2)
        if "image" in request.inputs:
            conditions["face"] = faces_of(request.inputs["image"], "image")  # (B, N, 2)
        return conditions

    @property
    def smallest_side(self) -> int:
        """Patch discriminators need three pixels after all their halvings."""
        return int(3 * 2**self.num_layers)

    @model_validator(mode="after")
    def _regions_are_known(self) -> Self:
        for region in self.regions:
            if region not in REGIONS:
                raise ValueError(f"unknown region {region!r}; there are: {', '.join(REGIONS)}")
        if len(set(self.regions)) < len(self.regions):
            raise ValueError("a region is named twice")
        return self

    @model_validator(mode="after")
    def _regions_are_large_enough(self) -> Self:
        if self.regions and self.region_size < self.smallest_side:
            raise ValueError(
                f"regions of {self.region_size} px do not suit discriminators of {self.num_layers} layers, "
                f"which need {self.smallest_side} px; lower --num-layers or raise --region-size"
            )
        return self
