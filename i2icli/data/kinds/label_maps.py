"""Photos and their label maps, with instance maps where there are any."""

from collections.abc import Sequence
from pathlib import Path

from i2icli.classes import LabelSet
from i2icli.data.examples import DataFolder, Examples
from i2icli.data.options import DataOptions


class LabelMaps(DataFolder):
    """Folders of label maps and photos, and of instance maps.

    Examples: "labels" (1, H, W) int64, indices of classes, "image" (C, H, W) in [-1, 1] and, if there are
    instance maps and they are wanted, "instances" (1, H, W) int64; all cropped and flipped alike.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        labels: LabelSet | None = None,
        ignored: Sequence[str] = (),
        instances: bool | None = None,
    ) -> None:
        """labels: the classes if they are known, else they are found; ignored: ids or names of classes that
        mean unlabelled; instances: whether to read instance maps, None: if there are any.
        """
        raise NotImplementedError

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`."""
        raise NotImplementedError
