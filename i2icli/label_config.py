"""Settings of systems that read label maps. No torch here."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from i2icli.class_files import read_classes
from i2icli.classes import LabelClass, LabelSet, checked, label_set, numbered
from i2icli.config import Config, Names
from i2icli.task import Port

PLACEHOLDER = 8  # classes where none are known yet, before there are data


def _parse_classes(value: object) -> object:
    """Texts like "7 road #804080" -> classes."""
    if isinstance(value, list | tuple):
        return checked(
            each if isinstance(each, LabelClass) else LabelClass.parse(str(each)) for each in value
        )
    return value


def _print_classes(classes: tuple[LabelClass, ...]) -> list[str]:
    return list(map(str, classes))


Classes = Annotated[tuple[LabelClass, ...], BeforeValidator(_parse_classes), PlainSerializer(_print_classes)]
"""The classes of label maps, in the order of their channels; written as "7 road #804080"."""


class LabelConfig(Config):
    """Settings of systems that translate label maps, with instance maps beside them where there are any."""

    found_only: ClassVar[frozenset[str]] = Config.found_only | {"dont_care"}

    perceptual_weight: float = Field(
        10.0, ge=0, description="weight of the generator's perceptual loss; 0: none"
    )
    classes: Classes | None = Field(
        None,
        description="classes of the label maps: a file of ids, names and colours (TOML, CSV, plain list), "
        "or a known one (cityscapes, coco-stuff, ade20k, ...); default: classes.* near the data, or as found",
    )
    ignore: Names = Field(
        (), description="ids or names of classes that mean unlabelled, besides 255 (65535 in 16-bit maps)"
    )
    dont_care: bool = Field(
        False, description="whether unlabelled pixels are a class of their own; found from the data"
    )
    instances: bool | None = Field(
        None, description="read the boundaries of instances, too; default: if there are instance maps"
    )

    @model_validator(mode="before")
    @classmethod
    def _read_classes(cls, values: Any) -> Any:
        """A file of classes, or the name of a list, becomes the list itself: checkpoints hold no paths."""
        if not isinstance(values, dict) or not isinstance(values.get("classes"), str | Path):
            return values
        found = read_classes(values["classes"])
        given = values.get("ignore", ())
        given = given.split(",") if isinstance(given, str) else given
        ignore = dict.fromkeys([*(each.strip() for each in given), *found.ignore])
        return values | {"classes": found.classes, "ignore": tuple(ignore)}

    @property
    def label_set(self) -> LabelSet:
        """The classes, without those that are ignored. Raises UserError for a name that none has."""
        if self.classes is None:
            return label_set(numbered(PLACEHOLDER), (), dont_care=self.dont_care)
        return label_set(self.classes, self.ignore, dont_care=self.dont_care)

    @property
    def image_channels(self) -> int:
        """Channels of the photos."""
        return self.channels[-1] if self.channels else 3

    def label_inputs(self, **sides: Any) -> dict[str, Port]:
        """The inputs of a task that reads label maps; `sides` are what the networks ask of theirs."""
        labels, sides = self.label_set, {"reading": self.reading, **sides}
        ports = {"labels": Port(labels.count, "labels", labels=labels, **sides)}
        if self.instances:
            ports["instances"] = Port(1, "instances", instead="labels", **sides)
        return ports
