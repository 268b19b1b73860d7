"""One pass over all label maps when data are opened: each is decoded, counted, and kept if there is room."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from i2icli.classes import Colour, LabelSet
from i2icli.data.images import threads
from i2icli.data.labels.scenes import Scene
from i2icli.data.preprocess import Preprocess
from i2icli.errors import UserError
from i2icli.image import IdMap, Ids, Pixels, resize_ids
from i2icli.image.class_indices import Occurrence, class_indices, occurrences

_BYTES = frozenset(range(256))


@dataclass(frozen=True)
class CountedMap:
    """What a label map holds."""

    name: str
    size: tuple[int, int]  # (height, width), turned as its photo is
    found: dict[int, Occurrence]  # ids, or colours as numbers
    coloured: bool
    palette: tuple[Colour, ...]
    border: int  # pixels with a neighbour of another id
    thin: int  # of these, pixels that differ from both neighbours in a direction
    first_thin: tuple[int, int]  # the first of them: (x, y)
    kept: Pixels | None  # (h, w, 1): ids, then indices of classes, at the size that training reads


class Surveyed(NamedTuple):
    """A scene whose label map was counted."""

    scene: Scene
    map: CountedMap

    def indexed(self, labels: LabelSet) -> "Surveyed":
        """The same, with what is kept of the map as indices of classes. Raises UserError for unknown ids."""
        kept = self.map.kept
        if kept is None:
            return self
        indices = class_indices(IdMap(kept[..., 0], self.map.coloured), labels, self.map.name)[..., None]
        return Surveyed(self.scene, replace(self.map, kept=indices))


def survey(
    scenes: Sequence[Scene], preprocess: Preprocess | None, *, strict: bool
) -> tuple[list[Surveyed], list[str]]:
    """What the label maps hold, by threads; and why others cannot be read.

    preprocess: keep the maps at the size that it reads them at, None: do not. Raises the first error if
    `strict`.
    """

    def counted(scene: Scene) -> Surveyed | str:
        try:
            found = scene.labels.read_map()
        except UserError as error:
            if strict:
                raise
            return str(error)
        ids = scene.turned(found.ids)
        holds, kept = occurrences(ids), None
        if preprocess is not None:
            stored = ids.astype(np.uint8) if set(holds) <= _BYTES else ids
            kept = resize_ids(stored[..., None], preprocess.prepared_size(scene.size))
        name, palette = scene.labels.name, found.palette
        return Surveyed(scene, CountedMap(name, ids.shape, holds, found.coloured, palette, *_thin(ids), kept))

    with ThreadPoolExecutor(threads()) as pool:
        results = list(pool.map(counted, scenes))
    good = [each for each in results if isinstance(each, Surveyed)]
    return good, [each for each in results if isinstance(each, str)]


def _thin(ids: Ids) -> tuple[int, int, tuple[int, int]]:
    """Inside a map, pixels with a neighbour of another id, those between two such, and where the first is."""
    middle = ids[1:-1, 1:-1]
    above, below, left, right = (
        middle != each for each in (ids[:-2, 1:-1], ids[2:, 1:-1], ids[1:-1, :-2], ids[1:-1, 2:])
    )
    thin = (above & below) | (left & right)
    number = int(thin.sum())
    y, x = divmod(int(thin.argmax()), middle.shape[1]) if number else (0, 0)
    return int((above | below | left | right).sum()), number, (x + 1, y + 1)
