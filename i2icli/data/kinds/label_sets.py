"""What is known about the images of a data folder, wherever it comes from: a label for each."""

from collections.abc import Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from i2icli.data.describe import counted
from i2icli.data.images import ImageFile
from i2icli.data.layouts import VALIDATION_SPLITS
from i2icli.image.finding import subfolders

Kind = Literal["attributes", "domains"]


class Wishes(Protocol):
    """What settings say about labels."""

    @property
    def attributes(self) -> tuple[str, ...]: ...
    @property
    def domains(self) -> tuple[str, ...]: ...
    @property
    def exclusive(self) -> tuple[str, ...] | None: ...
    @property
    def attribute_file(self) -> str | None: ...
    @property
    def usual_attributes(self) -> tuple[str, ...]:
        """Columns to learn where nothing else is wanted and a file has them all."""

    @property
    def holdout(self) -> float: ...
    @property
    def seed(self) -> int: ...


class Labelled(NamedTuple):
    """An image and its labels, one truth per name of its label set."""

    file: ImageFile
    label: tuple[bool, ...]


@dataclass(frozen=True)
class FoundLabels:
    """One label set with its images."""

    kind: Kind
    names: tuple[str, ...]
    train: list[Labelled]
    validation: list[Labelled]  # may be empty
    same_things: bool  # validation goes round the domains, thing by thing: the same in each
    report: list[str]


def splits(folder: Path) -> list[Path]:
    """train/ and the folder set aside, or the folder itself."""
    inside = subfolders(folder)
    if "train" not in inside:
        return [folder]
    held_back = [inside[split] for split in VALIDATION_SPLITS if split in inside]
    return [inside["train"], *held_back[:1]]


def validation_line(images: Sized, *, given: bool, same_things: bool = False) -> str:
    """The report's line about the images that are not trained on."""
    if not images:
        why = "no labelled image in it" if given else "no val or test folder, too few images to hold some out"
        return f"nothing to validate on: {why}"
    where = "validation: " if given else "no val or test folder: held out for validation "
    line = where + counted(len(images), "image")
    if same_things:
        line += "; same names in all domains, so the same things: scored against each other"
    return line
