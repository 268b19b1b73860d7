"""Label sets: the images of a data folder with a label for each, wherever the labels come from."""

from collections.abc import Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from i2icli.data.describe import aligned_line, counted
from i2icli.data.layouts import validation_folder
from i2icli.data.split_names import TRAIN, split_folders
from i2icli.data.validation_split import TOO_FEW, split_line
from i2icli.image import FileItem

LabelKind = Literal["attributes", "domains"]


@dataclass(frozen=True)
class LabelChoice:
    """Which labels to learn; what is empty follows from the data."""

    attributes: tuple[str, ...] = ()  # columns of the attribute file
    domains: tuple[str, ...] = ()  # folders
    exclusive: tuple[str, ...] | None = None  # groups of attributes of which only one can be on
    attribute_file: str | None = None  # its name in the data folder, or its path
    preferred: tuple[str, ...] = ()  # columns to learn of a file that has them all, if none are chosen


class LabelledImage(NamedTuple):
    """An image and its label, a truth value for each name of its label set."""

    file: FileItem
    label: tuple[bool, ...]


@dataclass(frozen=True)
class LabelledSet:
    """The names of some labels, and the images that have them."""

    kind: LabelKind
    names: tuple[str, ...]
    train: list[LabelledImage]
    validation: list[LabelledImage]  # may be empty
    aligned: bool  # validation holds the first scene in every domain, then the second, ...
    report: list[str]


def splits(folder: Path) -> list[Path]:
    """train/ and the validation folder beside it, or the folder itself."""
    inside = split_folders(folder)
    if TRAIN not in inside:
        return [folder]
    validation = validation_folder(inside)
    return [inside[TRAIN], validation] if validation else [inside[TRAIN]]


def validation_line(images: Sized, *, given: bool, aligned: bool = False) -> str:
    """The report line about validation; `given`: there is a folder for it."""
    if not images:
        return "no validation: its folder has no labelled images" if given else TOO_FEW
    number = counted(len(images), "image")
    line = f"validation: {number}" if given else split_line(number)
    return f"{line}; {aligned_line('file names match in all domains')}" if aligned else line
