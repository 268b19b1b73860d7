"""What the channels of a label map stand for in a checkpoint of the authors' program."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from i2icli.class_files import read_classes
from i2icli.classes import LabelClass, numbered

MOST = 2**16 + 2  # channels: ids of 16 bit, unlabelled, boundaries


@dataclass(frozen=True)
class LabelChannels:
    """Classes, perhaps one for what is unlabelled, and perhaps boundaries of instances."""

    classes: tuple[LabelClass, ...]
    dont_care: bool
    instances: bool
    notes: tuple[str, ...] = ()  # what the number of channels leaves open

    @property
    def settings(self) -> dict[str, Any]:
        """As settings."""
        return {"classes": self.classes, "dont_care": self.dont_care, "instances": self.instances}

    @classmethod
    def of(cls, channels: int, options: Mapping[str, str]) -> "LabelChannels":
        """Of a published model by their number, else as the options say, else the program's default.

        Raises ValueError for a number that no label map has.
        """
        if not 1 <= channels <= MOST:
            raise ValueError(f"{channels} channels")
        data_set = PUBLISHED.get(channels)
        if data_set is not None and options.get("dataset_mode", data_set.mode) == data_set.mode:
            return cls(
                read_classes(data_set.classes).classes, data_set.dont_care, data_set.instances, data_set.notes
            )
        dont_care = options.get("contain_dontcare_label") == "True"
        instances = options.get("no_instance", "False") != "True"
        if not options.get("label_nc", "").isdigit():
            assumed = (
                f"what the {channels} channels of its label maps stand for is not in the file; taken for "
                f"classes 0 to {channels - 2} and the boundaries of instances, as by default"
            )
            return cls(_numbered(channels - 1), dont_care=False, instances=True, notes=(assumed,))
        return cls(_numbered(channels - dont_care - instances), dont_care, instances)


@dataclass(frozen=True)
class DataSet:
    """A data set whose model was published."""

    mode: str  # what the program calls it
    classes: str  # our list of its classes
    dont_care: bool
    instances: bool
    notes: tuple[str, ...] = ()


PUBLISHED = {
    184: DataSet("coco", "coco-stuff", dont_care=True, instances=True),
    151: DataSet(
        "ade20k",
        "ade20k",
        dont_care=False,
        instances=False,
        notes=(
            "label maps of ADE20K are read as they are published: 0 is unlabelled, 1 wall, ... 150 flag; "
            "maps from which one was subtracted give wrong classes",
        ),
    ),
    36: DataSet("cityscapes", "cityscapes", dont_care=False, instances=True),
}
"""The models that were published, by the channels of their label maps."""


def _numbered(number: int) -> tuple[LabelClass, ...]:
    if number < 1:
        raise ValueError("no classes")
    return numbered(number)
