"""Reference images, kept ready for the next input."""

from collections import OrderedDict
from threading import Lock

from torch import Tensor

from i2icli.image import kinds
from i2icli.image.items import Item
from i2icli.runtime.device import Placement
from i2icli.task import Port

MOST_BYTES = 512 * 2**20  # of images that are kept, whatever their number


class ReferenceCache:
    """Reads references once, as long as memory for them lasts; those used last are kept."""

    def __init__(self, placement: Placement, most_bytes: int = MOST_BYTES) -> None:
        self.placement, self.most_bytes = placement, most_bytes
        self.kept: OrderedDict[tuple[Item, Port], Tensor] = OrderedDict()
        self.size = 0  # bytes of those that are kept
        self.lock = Lock()

    def get(self, item: Item, port: Port) -> Tensor:
        """The reference as the port reads it, (1, C, h, w), at its own size and not padded.

        Raises UserError if it cannot be read.
        """
        key = item, port
        with self.lock:
            if key not in self.kept:
                pixels = kinds.prepare(kinds.decode(item, port), port)
                image = kinds.to_tensor(pixels, port.kind)[None]  # (1, C, h, w)
                self.kept[key] = image = self.placement.tensor(image)
                self.size += image.nbytes
                while self.size > self.most_bytes and len(self.kept) > 1:
                    _, dropped = self.kept.popitem(last=False)
                    self.size -= dropped.nbytes
            self.kept.move_to_end(key)
            return self.kept[key]
