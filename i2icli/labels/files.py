"""Label maps, instance maps and lists of classes as files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.classes import NO_CLASS, NO_COLOUR, Colour, LabelClass, LabelSet
from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.image import DecodedImage, Ids, Item, write_image
from i2icli.image.class_indices import class_indices
from i2icli.labels.regions import ids_of_index

_EIGHT_BIT, _SIXTEEN_BIT = NO_CLASS


def unlabelled_id(classes: Sequence[LabelClass]) -> int:
    """What pixels of no class are in files: 255, or 65535 where a class has an id that 8 bits do not hold."""
    return _EIGHT_BIT if all(each.id < _EIGHT_BIT for each in classes) else _SIXTEEN_BIT


def read_ids(item: Item) -> Ids:
    """The ids of a map (H, W), as they are stored. Raises UserError for colours and what cannot be read."""
    found = item.read_map()
    if found.coloured:
        raise UserError(f"cannot read {item.name}: it holds colours; expected one id per pixel", exit_code=1)
    return found.ids


@dataclass(frozen=True)
class Encoding:
    """How a file holds ids."""

    coloured: bool  # as the colours of the classes
    palette: tuple[Colour, ...]  # as indices of a palette
    deep: bool  # in more than 8 bit


def read_label_map(item: Item, labels: LabelSet) -> tuple[Ids, Encoding]:
    """A label map as ids of classes, (H, W), and how it held them.

    Raises UserError for what cannot be read, and for ids or colours that no class has.
    """
    found = item.read_map()
    indices = class_indices(found, labels, item.name)
    encoding = Encoding(found.coloured, found.palette, item.header().dtype != np.uint8)
    if not found.coloured:
        return found.ids, encoding
    ids = np.array([ids_of_index(labels, index)[0] for index in range(int(indices.max()) + 1)], np.int32)
    return ids[indices], encoding


def write_label_map(path: Path, ids: Ids, labels: LabelSet, encoding: Encoding) -> None:
    """Write ids as a PNG in the same encoding, in 16 bit where 8 do not suffice. Raises OSError."""
    small = int(ids.max()) <= _EIGHT_BIT
    if encoding.coloured:
        write_image(path, DecodedImage(_in_own_colours(ids, labels), None, "png"))
    elif encoding.palette and small:
        write_palette_map(path, ids, dict(enumerate(encoding.palette)))
    elif encoding.deep or not small:
        write_16_bit_map(path, ids)
    else:
        write_image(path, DecodedImage(ids.astype(np.uint8)[..., None], None, "png"))


def _in_own_colours(ids: Ids, labels: LabelSet) -> NDArray[np.uint8]:
    """(H, W, 3): the colours by which classes are known, or greys that are their ids where none has one."""
    if not labels.index_of_colour:
        if ids.max() > _EIGHT_BIT:
            raise UserError(
                f"the id {ids.max()} does not fit into 8 bit; edit a map of ids instead of colours"
            )
        return np.repeat(ids.astype(np.uint8)[..., None], 3, axis=2)
    no_class = labels.ignored_colours[0] if labels.ignored_colours else NO_COLOUR
    table = {each.id: each.colour for each in labels.classes if each.colour}
    colourless = next((each for each in labels.classes if not each.colour and (ids == each.id).any()), None)
    if colourless is not None:
        raise UserError(
            f"class {colourless.name} has no colour, so a colour-coded map cannot hold it; edit a map of ids"
        )
    numbers, positions = np.unique(ids, return_inverse=True)
    colours = np.array([table.get(number, no_class) for number in numbers.tolist()], np.uint8)
    return colours[positions].reshape(*ids.shape, 3)


def write_palette_map(path: Path, ids: Ids, colours: dict[int, Colour]) -> None:
    """Write ids (H, W) from 0 to 255 as a palette PNG, in which each id has its colour. Raises OSError."""
    image = Image.frombytes("P", ids.shape[::-1], ids.astype(np.uint8).tobytes())
    image.putpalette([value for number in range(256) for value in colours.get(number, (0, 0, 0))])
    with atomic_write(path) as temporary:
        image.save(temporary, "PNG")


def write_16_bit_map(path: Path, ids: Ids) -> None:
    """Write ids (H, W) as a grey PNG of 16 bit. Raises UserError for ids beyond 0 to 65535, OSError."""
    if ids.min() < 0 or ids.max() > _SIXTEEN_BIT:
        beyond = ids.min() if ids.min() < 0 else ids.max()
        raise UserError(f"the id {beyond} does not fit into a 16-bit PNG, which holds 0 to {_SIXTEEN_BIT}")
    with atomic_write(path) as temporary:
        Image.fromarray(ids.astype(np.uint16)).save(temporary, "PNG")


def write_classes(path: Path, classes: Sequence[LabelClass], ignored: Sequence[int | str]) -> None:
    """Write a list of classes as TOML: `ignore`, and a table [[class]] of id, name and colour for each."""
    import tomlkit  # 70 ms that --help need not pay

    document = tomlkit.document()
    document.add("ignore", tomlkit.item(list(ignored)))
    tables = tomlkit.aot()
    for each in classes:
        table = tomlkit.table()
        table.add("id", each.id)
        table.add("name", each.name)
        if each.colour is not None:
            table.add("colour", "#{:02x}{:02x}{:02x}".format(*each.colour))
        tables.append(table)
    document.add("class", tables)
    with atomic_write(path) as temporary:
        temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
