"""One pass over all label maps when data are opened: each is decoded, counted, and kept if there is room."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    areas: frozenset[int]  # those that fill an area somewhere, if that was asked for
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
    scenes: Sequence[Scene], preprocess: Preprocess | None, *, areas: bool, strict: bool
) -> tuple[list[Surveyed], list[str]]:
    """What the label maps hold, by threads; and why others cannot be read.

    preprocess: keep the maps at the size that it reads them at, None: do not. areas: find out which ids fill
    areas. Raises the first error if `strict`.
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
        filled = _areas(ids) if areas else frozenset[int]()
        whole = CountedMap(scene.labels.name, ids.shape, holds, found.coloured, found.palette, filled, kept)
        return Surveyed(scene, whole)

    with ThreadPoolExecutor(threads()) as pool:
        results = list(pool.map(counted, scenes))
    good = [each for each in results if isinstance(each, Surveyed)]
    return good, [each for each in results if isinstance(each, str)]


def _areas(ids: Ids) -> frozenset[int]:
    """The ids that a pixel and its four neighbours share somewhere."""
    middle = ids[1:-1, 1:-1]
    inside: NDArray[Any] = middle == ids[:-2, 1:-1]
    for neighbour in (ids[2:, 1:-1], ids[1:-1, :-2], ids[1:-1, 2:]):
        inside &= middle == neighbour
    return frozenset(np.unique(middle[inside]).tolist())
