"""StarGAN's settings, with the paper's defaults, and what its labels are. No torch here."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from i2icli.config import Config, Names, PreprocessMode, Size
from i2icli.errors import UserError, about
from i2icli.stage import Stage
from i2icli.systems.stargan.labels import LabelSet, chosen, flipped, spelled
from i2icli.task import Task, about_target, names_of

if TYPE_CHECKING:  # numpy need not load for --help
    from i2icli.request import Arrays, Request

CELEBA = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
"""The attributes of the paper's CelebA model, in the order of its published files."""

_HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
_WITHOUT_DATA = ("A", "B")  # what an untrained network is built for before any data was seen
_WHOLE_IMAGES = ("scale-width", "none")  # modes of --preprocess that keep images of every size


class StarGANConfig(Config):
    """StarGAN options"""

    local_files: ClassVar[frozenset[str]] = frozenset({"attribute_file"})

    crop_size: Size = Field((128, 128), description="size of the training images: 128, or WIDTHxHEIGHT")
    load_size: Size | None = Field(
        None, description="size to resize to before cropping; default: the crop size"
    )
    preprocess: PreprocessMode = Field(
        "scale-width-and-crop", description="how images are brought to the crop size"
    )
    batch_size: int = Field(16, ge=1, description="images per forward pass, over all devices")
    lr: float = Field(1e-4, gt=0, description="learning rate of Adam")

    attributes: Names = Field(
        (), description="columns of the attribute file to learn; default: all, or the paper's five of CelebA"
    )
    domains: Names = Field((), description="domain folders to learn; default: all that are found")
    sets: Names = Field(
        (), description="label sets trained jointly, found from the data, such as attributes:5,domains:8"
    )
    exclusive: Names | None = Field(
        None,
        description="attributes of which only one can be on, as a/b/c, groups joined by commas; "
        "default: CelebA's hair colours",
    )
    attribute_file: str | None = Field(
        None, description="CSV or list_attr_celeba.txt, in the data folder or elsewhere; default: as found"
    )
    centred: bool = Field(True, description="crop the middle of training images instead of anywhere")
    width: int = Field(64, ge=1, le=4096, description="channels of the generator's first layer")
    num_blocks: int = Field(6, ge=1, le=100, description="residual blocks of the generator")
    discriminator_width: int = Field(
        64, ge=1, le=4096, description="channels of the discriminator's first layer"
    )
    num_layers: int = Field(
        6,
        ge=1,
        le=10,
        description="down-samplings in the discriminator; crop sides must be multiples of 2^this",
    )
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed", description="how the generator upsamples its features"
    )
    discriminator_shift: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="random shift of the discriminator's images, as a fraction of the sides",
    )
    critic_steps: int = Field(5, ge=1, description="discriminator updates per generator update")
    classification_weight: float = Field(1.0, ge=0, description="lambda_cls, Eq. (5) and (6)")
    cycle_weight: float = Field(10.0, ge=0, description="lambda_rec of the reconstruction loss, Eq. (6)")
    identity_weight: float = Field(
        0.0, ge=0, description="weight of the identity loss: inputs that already are in the target domain"
    )
    penalty_weight: float = Field(10.0, ge=0, description="lambda_gp of the gradient penalty, Eq. (8)")

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Every domain and every attribute; attributes can also be asked for together, joined by commas."""
        image, reads = replace(self.two_ports[0], multiple=4), frozenset({"to", "source"})
        names = (name for labels in self.label_sets for name in labels.names)
        return tuple(Task(name, {"image": image}, image, reads, tiling="global-norm") for name in names)

    def resolve(self, tasks: Sequence[Task], to: str | None, source: str | None = None) -> Task:
        """See `Config.resolve`; names are brought into the networks' order."""
        sets, wanted = self.label_sets, names_of(tasks)[0] if to is None else to
        with about_target(tasks, wanted):
            number, names = chosen(wanted, sets, "target")
        task = replace(tasks[0], name=spelled(names, sets[number]))
        if source is None:
            return task
        with about(f"--from {source}"):
            own, on = chosen(source, sets, "source")
            if sets[number].kind == "attributes" and own != number:
                raise UserError(f"the source and the target {task.name} are of different label sets")
        return replace(task, source=spelled(on, sets[own]))

    def conditions(self, task: Task, request: "Request") -> "Arrays":
        """What G reads as "label", (1, L): of `task.name` the named labels are on and all others off.

        With `task.source` they are changed instead, as the authors' test program does. Beside the labels of
        the set stand zeros for those of the other sets, and a mask that names it ("Training with Multiple
        Datasets", Eq. (7)).
        """
        import numpy as np  # need not load for --help

        assert task.name is not None
        number, names = chosen(task.name, self.label_sets, "target")
        own = self.label_sets[number]
        if task.source is not None and own.kind == "attributes":
            _, on = chosen(task.source, self.label_sets, "source")
            names = flipped(on, names, own)
        sets = list(enumerate(self.label_sets))
        row = [place == number and name in names for place, each in sets for name in each.names]
        if len(sets) > 1:
            row += [place == number for place, _ in sets]
        return {"label": np.array([row], np.float32)}

    @property
    def num_labels(self) -> int:
        """Labels of all sets."""
        return sum(len(labels.names) for labels in self.label_sets)

    @property
    def usual_attributes(self) -> tuple[str, ...]:
        """What is learned of a file with all of them, if nothing else is asked for: the paper's five."""
        return CELEBA

    @property
    def resize_to(self) -> tuple[int, int]:
        """(height, width) before cropping: the paper crops the middle and resizes, without jitter."""
        return self.load_size or self.crop_size

    @property
    def smallest_batch(self) -> int:
        """Images are translated to the labels of others in the batch."""
        return 2

    @property
    def label_sets(self) -> tuple[LabelSet, ...]:
        """The labels of every data set that is trained on, in the order of the network's inputs."""
        return tuple(self._label_sets())

    @property
    def label_size(self) -> int:
        """Numbers in the generator's label vector, L: all labels, and a mask where there are several sets."""
        masks = len(self.label_sets)
        return self.num_labels + (masks if masks > 1 else 0)

    def _label_sets(self) -> Iterator[LabelSet]:
        domains = self.domains if self.domains or self.attributes else _WITHOUT_DATA
        left = {"attributes": self.attributes, "domains": domains}
        for kind, count in self._layout():
            names, left[kind] = left[kind][:count], left[kind][count:]
            yield LabelSet(kind, names, (names,) if kind == "domains" else self._groups(names))

    def _layout(self) -> list[tuple[Literal["attributes", "domains"], int]]:
        """Kind and size of every label set."""
        if self.sets:
            parts = [entry.split(":") for entry in self.sets]
            return [("attributes" if kind == "attributes" else "domains", int(n)) for kind, n in parts]
        if self.attributes:
            return [("attributes", len(self.attributes))]
        return [("domains", len(self.domains or _WITHOUT_DATA))]

    def _groups(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """The exclusive groups among some attributes."""
        if self.exclusive is None:
            found = tuple(name for name in names if name in _HAIR_COLOURS)
            return (found,) if len(found) > 1 else ()
        groups = (tuple(group.split("/")) for group in self.exclusive if group)
        return tuple(group for group in groups if set(group) <= set(names))

    @model_validator(mode="after")
    def _labels_can_be_told_apart(self) -> Self:
        known = (*self.attributes, *self.domains)
        twice = next((name for name, count in Counter(known).items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"the label {twice!r} occurs twice; --to could not tell them apart")
        odd = [name for name in known if "," in name or not name.strip()]
        if odd:
            raise ValueError(f"the label {odd[0]!r} cannot be written after --to; rename it")
        if len(self.domains) == 1:
            raise ValueError(f"a single domain, {self.domains[0]!r}; expected two or more")
        return self

    @model_validator(mode="after")
    def _sets_hold_all_labels(self) -> Self:
        if not self.sets:
            return self
        if not all(re.fullmatch(r"(attributes|domains):[1-9]\d{0,5}", entry) for entry in self.sets):
            raise ValueError(f"--sets {','.join(self.sets)}: expected a list like attributes:5,domains:8")
        for kind, names in (("attributes", self.attributes), ("domains", self.domains)):
            counted = sum(count for each, count in self._layout() if each == kind)
            if counted != len(names):
                raise ValueError(f"--sets names {counted} {kind}, but there are {len(names)}")
        return self

    @model_validator(mode="after")
    def _groups_are_of_known_attributes(self) -> Self:
        groups = [group.split("/") for group in self.exclusive or () if group]
        named = [name for group in groups for name in group]
        for group in groups:
            if len(group) < 2:
                raise ValueError(f"--exclusive {group[0]}: a group needs two attributes or more, as a/b")
        if len(set(named)) < len(named):
            raise ValueError("--exclusive: an attribute may be in one group only")
        for group in groups if self.attributes else ():
            unknown = [name for name in group if name not in self.attributes]
            if unknown:
                raise ValueError(
                    f"--exclusive names {unknown[0]!r}, which is not learned; "
                    f"attributes: {', '.join(self.attributes)}"
                )
            if not any(set(group) <= set(labels.names) for labels in self.label_sets):
                raise ValueError(f"--exclusive {'/'.join(group)}: these are attributes of several data sets")
        return self

    @model_validator(mode="after")
    def _crops_fit_the_networks(self) -> Self:
        height, width = self.crop_size
        if self.preprocess in _WHOLE_IMAGES:
            raise ValueError(
                f"--preprocess {self.preprocess} gives images of any size, but the discriminator is made for "
                "one; choose resize, crop, resize-and-crop or scale-width-and-crop"
            )
        if height % 4 or width % 4:
            raise ValueError(f"crops of {width}x{height} do not suit the generator; choose multiples of 4")
        if height % 2**self.num_layers or width % 2**self.num_layers:
            fitting = max(n for n in range(11) if height % 2**n == 0 and width % 2**n == 0)
            raise ValueError(
                f"crops of {width}x{height} cannot be downsampled {self.num_layers} times by D; "
                f"choose multiples of {2**self.num_layers}, or --num-layers {fitting}"
            )
        return self
