"""How items are read, resized, padded and made arrays, by kind of `Port`, in training and inference alike.

Images and conditions are interpolated and reflected. Ids of labels and instances are neither: they are names,
not quantities. Those of instances stay exactly what the file says; those of labels become indices of classes
here, and nowhere else.
"""

from dataclasses import replace
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from i2icli.classes import LabelSet, numbered
from i2icli.image import arrays
from i2icli.image.class_indices import class_indices
from i2icli.image.decoded import DecodedImage, Pixels
from i2icli.image.items import Item
from i2icli.image.label_colours import in_colours
from i2icli.image.pixels import convert_channels, resize, resize_ids
from i2icli.task import Kind, Port

if TYPE_CHECKING:
    from torch import Tensor


_COLOURS = 3  # channels of the images that conditions are computed from


def holds_ids(kind: Kind) -> bool:
    """Whether values are class or instance ids."""
    return kind in ("labels", "instances")


def decode(item: Item, port: Port) -> Pixels:
    """Images (H, W, C) with the channels that the item has, of its type or that of the port's range; maps
    (H, W, 1).

    Labels as indices of the port's classes, uint8 or int32, instances as the ids that are stored, int32.
    Raises UserError naming the item: unreadable, not a map of exact ids, ids that no class has, or values
    that are none of the range.
    """
    if port.kind == "labels":
        return class_indices(item.read_map(port.reading), known_classes(port), item.name)[..., None]
    return (
        item.read_map(port.reading).ids[..., None] if port.kind == "instances" else _read(item, port).pixels
    )


def decoded(item: Item, port: Port) -> DecodedImage:
    """The same as an image, with alpha and what it needs to be written again; see `decode`."""
    if holds_ids(port.kind):
        return DecodedImage(decode(item, port), None, item.header().format)
    return _read(item, port)


def _read(item: Item, port: Port) -> DecodedImage:
    """An image, with transparency among its channels if the port has as many."""
    channels = None if port.condition is not None else port.channels
    return item.read(port.range, replace(port.reading, channels=channels))


def pixel_bytes(port: Port, dtype: np.dtype[Any]) -> int:
    """Bytes of a prepared pixel; dtype: of the images as `Header` tells it. Ids are int32."""
    if holds_ids(port.kind):
        return 4
    return port.channels * (4 if port.range is not None else dtype.itemsize)


def known_classes(port: Port) -> LabelSet:
    """The classes of a port of labels; ids 0 to channels - 1 where it names none."""
    return port.labels or LabelSet(numbered(port.channels), ignored=())


def prepare(pixels: Pixels, port: Port, size: tuple[int, int] | None = None) -> Pixels:
    """What `decode` gives, (H, W, C), with the channels of the port, resized to (height, width).

    None keeps the size. Of a condition it is the image in colours, from which the planes are then computed at
    the size of the networks, as in training. Raises UserError if channels cannot be converted.
    """
    size = size or (pixels.shape[0], pixels.shape[1])
    if holds_ids(port.kind):
        return resize_ids(pixels, size)
    channels = port.channels if port.condition is None else _COLOURS
    if pixels.shape[2] > channels:  # the cheaper order; both give the same
        return resize(convert_channels(pixels, channels), size)
    return convert_channels(resize(pixels, size), channels)


def displayed(pixels: Pixels, port: Port, size: tuple[int, int]) -> Pixels:
    """What `decode` gives, as an image of (height, width).

    Labels in the colours of their classes, instances as greys in which small ids differ clearly.
    """
    if not holds_ids(port.kind):
        return resize(pixels, size)
    ids = resize_ids(pixels, size)
    if port.kind == "labels":
        return in_colours(ids, known_classes(port))
    return (ids.astype(np.int64) * 67 % 256).astype(np.uint8)


def to_array(pixels: Pixels, kind: Kind) -> NDArray[Any]:
    """Images (H, W, C) -> (C, H, W) float32 in [-1, 1]; ids (H, W, 1) -> (1, H, W) int64."""
    if not holds_ids(kind):
        return arrays.to_array(pixels)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.int64)


def to_tensor(pixels: Pixels, kind: Kind) -> "Tensor":
    """The same as a tensor, for training."""
    import torch

    return torch.from_numpy(to_array(pixels, kind))


def pad(values: NDArray[Any], port: Port) -> NDArray[Any]:
    """(B, C, H, W) -> sides that are multiples as the port asks, extended to the right and below.

    Where a side is below the minimum of the port, to multiples of that, too. Images are reflected, ids
    continue those at the edge. `crop_back` undoes it. A fixed size stays as it is.
    """
    if port.fixed is not None:
        return values
    multiple = port.multiple
    if min(values.shape[-2:]) < port.minimum:
        multiple = lcm(multiple, port.minimum)
    return arrays.pad_to_multiple(values, multiple, reflect=not holds_ids(port.kind))


def array(item: Item, port: Port, size: tuple[int, int] | None = None) -> NDArray[Any]:
    """An item as inference reads it: (1, C, H', W'), resized to (height, width) if given, and padded."""
    return pad(to_array(prepare(decode(item, port), port, size), port.kind)[None], port)
