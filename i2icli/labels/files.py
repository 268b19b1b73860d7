"""Label maps, instance maps and lists of classes as files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from i2icli.classes import NO_CLASS, Colour, LabelClass
from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.image import Ids, Item

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


def write_palette_map(path: Path, ids: Ids, colours: dict[int, Colour]) -> None:
    """Write ids (H, W) from 0 to 255 as a palette PNG, in which each id has its colour. Raises OSError."""
    image = Image.frombytes("P", ids.shape[::-1], ids.astype(np.uint8).tobytes())
    image.putpalette([value for number in range(256) for value in colours.get(number, (0, 0, 0))])
    with atomic_write(path) as temporary:
        image.save(temporary, "PNG")


def write_16_bit_map(path: Path, ids: Ids) -> None:
    """Write ids (H, W) from 0 to 65535 as a grey PNG of 16 bit. Raises OSError."""
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
