"""Telling label maps from photos by their pixels."""

from i2icli.errors import UserError
from i2icli.image import Item
from i2icli.image.class_indices import occurrences, runs

LARGEST = 256  # ids or colours of label maps: more of them are no classes
_FLAT = 4  # pixels to a run of equal ids, on average: photos have hardly more than one


def looks_like_labels(item: Item) -> bool:
    """Whether an image could be a label map: exact, of few ids or colours, in flat areas."""
    try:
        ids = item.read_map().ids
    except UserError:
        return False
    return len(occurrences(ids)) <= LARGEST and ids.size >= _FLAT * len(runs(ids)[0])
