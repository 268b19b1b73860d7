"""Label maps and photos that are known to be pairs: by names, by a list, as halves of one image."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from i2icli.data.labels.content import looks_like_labels
from i2icli.data.labels.parts import LabelLayout, Part
from i2icli.data.labels.scenes import Scene
from i2icli.data.layouts import side_names
from i2icli.data.pairing.pair import FoundPairs, Pair, known_again
from i2icli.errors import UserError
from i2icli.image import FileItem, Item
from i2icli.image.finding import Collection
from i2icli.image.halves import HalfItem
from i2icli.pair_config import LABEL_SIDES

_SAMPLES = 3  # pairs that are read to tell label maps from photos
_Files = Sequence[tuple[Path, Path | None]]


def layout_of(found: FoundPairs) -> LabelLayout:
    """Which side of some pairs are the label maps, told by pixels. Raises UserError if neither is."""
    second = _second_holds_labels(found)
    return LabelLayout(
        _part(found.train, second, found.how),
        _part(found.validation, second, found.validation_from) if found.validation else None,
        found.pattern,
    )


def label_pairs(layout: LabelLayout, scenes: Sequence[Scene]) -> dict[str, Any]:
    """The settings of `PairConfig` by which a model that learned from scenes knows such pairs again."""
    part = layout.train
    names = None if part.known or part.label_half else side_names(part.labels.folder, part.images.folder)
    names = names or (LABEL_SIDES[::-1] if part.second or part.label_half == "right" else LABEL_SIDES)
    whole = [Pair(scene.labels.item, None) for scene in scenes if isinstance(scene.labels, HalfItem)]
    return known_again(FoundPairs("", [], None, names=names, pattern=layout.pattern), whole)


def _second_holds_labels(found: FoundPairs) -> bool:
    for second in (False, True):
        if any(looks_like_labels(_side(*pair, second)) for pair in found.train[:_SAMPLES]):
            return second
    raise UserError(f"{found.how}: neither {found.train[0][0]} nor its partner is a label map of few ids")


def _side(a: Path, b: Path | None, second: bool) -> Item:
    if b is None:
        return HalfItem(FileItem(a), second)
    return FileItem(b if second else a)


def _part(pairs: _Files, second: bool, how: str) -> Part:
    if pairs[0][1] is None:
        both = _collection([a for a, _ in pairs])
        return Part(both, both, label_half="right" if second else "left")
    known = tuple((b, a) if second else (a, b) for a, b in pairs if b is not None)
    labels, photos = (_collection([pair[side] for pair in known]) for side in (0, 1))
    return Part(labels, photos, known=known, how=f"{how}, label maps {'B' if second else 'A'}", second=second)


def _collection(files: Sequence[Path]) -> Collection:
    folder = Path(os.path.commonpath([file.parent for file in files]))
    return Collection(folder, tuple(files), ())
