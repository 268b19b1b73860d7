"""Files <-> decoded images <-> arrays. torch is only loaded by the function that makes tensors."""

from i2icli.image.arrays import crop_back, pad_to_multiple, to_array, to_pixels
from i2icli.image.decoded import MAX_PIXELS, DecodedImage, Format, Header, Pixels
from i2icli.image.grey import grey_levels
from i2icli.image.id_maps import IdMap, Ids
from i2icli.image.items import ArrayItem, BytesItem, FileItem, Item
from i2icli.image.pillow_files import from_pillow, to_pillow
from i2icli.image.pixels import change_type, convert_channels, resize, resize_ids
from i2icli.image.read import KNOWN, probe, read_image, read_map
from i2icli.image.tensors import to_tensor
from i2icli.image.values import from_output, holds, to_stored, with_values
from i2icli.image.write import EIGHT_BIT, SUFFIXES, write_image

__all__ = [
    "EIGHT_BIT",
    "KNOWN",
    "MAX_PIXELS",
    "SUFFIXES",
    "ArrayItem",
    "BytesItem",
    "DecodedImage",
    "FileItem",
    "Format",
    "Header",
    "IdMap",
    "Ids",
    "Item",
    "Pixels",
    "change_type",
    "convert_channels",
    "crop_back",
    "from_output",
    "from_pillow",
    "grey_levels",
    "holds",
    "pad_to_multiple",
    "probe",
    "read_image",
    "read_map",
    "resize",
    "resize_ids",
    "to_array",
    "to_pillow",
    "to_pixels",
    "to_stored",
    "to_tensor",
    "with_values",
    "write_image",
]
