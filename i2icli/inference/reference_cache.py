"""Reference images, kept ready for the next picture."""

from collections import OrderedDict
from pathlib import Path

from torch import Tensor

from i2icli.image import convert_channels, read_image, to_tensor
from i2icli.runtime.device import Placement

MOST_BYTES = 512 * 2**20  # of images that are kept, whatever their number


class ReferenceCache:
    """Reads references once, as long as memory for them lasts; those used last are kept."""

    def __init__(self, placement: Placement, most_bytes: int = MOST_BYTES) -> None:
        self.placement, self.most_bytes = placement, most_bytes
        self.kept: OrderedDict[tuple[Path, int], Tensor] = OrderedDict()
        self.size = 0  # bytes of those that are kept

    def get(self, path: Path, channels: int) -> Tensor:
        """The image with so many channels, (1, C, h, w) in [-1, 1], at its own size and not padded.

        Raises UserError if it cannot be read.
        """
        key = path, channels
        if key not in self.kept:
            image = to_tensor(convert_channels(read_image(path).pixels, channels))[None]  # (1, C, h, w)
            self.kept[key] = image = self.placement.tensor(image)
            self.size += image.nbytes
            while self.size > self.most_bytes and len(self.kept) > 1:
                _, dropped = self.kept.popitem(last=False)
                self.size -= dropped.nbytes
        self.kept.move_to_end(key)
        return self.kept[key]
