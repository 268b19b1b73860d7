"""Reference images and what systems make of them, kept ready for the next input."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock

from i2icli.image import kinds
from i2icli.image.items import Item
from i2icli.request import Array, Arrays
from i2icli.task import Port

MOST_BYTES = 512 * 2**20  # of arrays that are kept, whatever their number


class ReferenceCache:
    """Reads and encodes references once, as long as memory for them lasts; those used last are kept."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.kept: OrderedDict[Hashable, Arrays] = OrderedDict()
        self.size = 0  # bytes of those that are kept
        self.lock = RLock()

    def image(self, item: Item, port: Port) -> Array:
        """The reference as the port reads it, (1, C, h, w), at its own size and not padded.

        Raises UserError if it cannot be read.
        """
        return self.get((item, port), lambda: {"image": self._read(item, port)})["image"]

    def get(self, key: Hashable, make: Callable[[], Arrays]) -> Arrays:
        """What was made for a key, now or before."""
        with self.lock:
            if key not in self.kept:
                self.kept[key] = made = make()
                self.size += _bytes(made)
                while self.size > self.most_bytes and len(self.kept) > 1:
                    _, dropped = self.kept.popitem(last=False)
                    self.size -= _bytes(dropped)
            self.kept.move_to_end(key)
            return self.kept[key]

    def _read(self, item: Item, port: Port) -> Array:
        pixels = kinds.prepare(kinds.decode(item, port), port)
        return kinds.to_array(pixels, port.kind)[None]  # (1, C, h, w)


def _bytes(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays.values())
