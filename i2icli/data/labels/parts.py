"""Where the label maps, photos and instance maps of a data set lie."""

from dataclasses import dataclass
from pathlib import Path

from i2icli.image.finding import Collection
from i2icli.pair_pattern import PairPattern


@dataclass(frozen=True)
class Part:
    """Where the files of a split lie."""

    labels: Collection
    images: Collection
    instances: Collection | None = None
    label_half: str | None = None  # left or right, where the halves of an image are a scene
    known: tuple[tuple[Path, Path], ...] = ()  # label map and photo of each scene, where names need not tell
    how: str = ""  # these are known
    second: bool = False  # whether the label maps are B of these

    def __str__(self) -> str:
        """Where they lie, for the report."""
        if self.how:
            return self.how
        if self.label_half is not None:
            other = "right" if self.label_half == "left" else "left"
            return f"pairs side by side in {self.labels.folder}, label maps {self.label_half}, photos {other}"
        if self.labels.folder == self.images.folder:
            return f"label maps and photos together in {self.labels.folder}"
        instances = f", instance maps in {self.instances.folder}" if self.instances else ""
        return f"label maps in {self.labels.folder}, photos in {self.images.folder}{instances}"


@dataclass(frozen=True)
class LabelLayout:
    """Folders of label data, recognised."""

    train: Part
    validation: Part | None = None
    pattern: PairPattern | None = None  # how the names of pairs differ, where that is known
