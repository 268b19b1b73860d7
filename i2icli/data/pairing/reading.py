"""Reading the headers of pairs: those that are broken, have no halves, or do not fit each other."""

import os
from collections.abc import Sequence
from pathlib import Path

from i2icli.data.describe import counted
from i2icli.data.images import scan_headers
from i2icli.data.left_out import refuse_remainder
from i2icli.data.pairing.pair import Pair
from i2icli.errors import UserError
from i2icli.image import FileItem, Header

_NEARLY_ALL = 0.9  # of the images: as many are twice as wide as high where halves are taken for pairs


def readable(
    files: Sequence[tuple[Path, Path | None]], *, side_by_side: bool, strict: bool
) -> tuple[list[Pair], list[str]]:
    """The pairs of which both images can be read, and report lines about the others.

    side_by_side: halves were said to be pairs. Raises UserError if there are none, if too many are broken, if
    halves cannot be pairs, or if `strict` for one that is broken or of odd width.
    """
    good: list[dict[Path, FileItem]] = []
    broken: list[str] = []
    for side in (0, 1):
        paths = list(dict.fromkeys(path for each in files if (path := each[side]) is not None))
        items, bad = scan_headers(paths, strict=strict)
        where = os.path.commonpath([path.parent for path in paths]) if paths else ""
        if bad and not items:
            raise UserError(f"{where}: none of its {len(bad)} images can be read; {bad[0]}")
        refuse_remainder(bad, len(paths), where)
        good.append({item.path: item for item in items})
        broken += bad
    pairs = [
        Pair(good[0][a], None if b is None else good[1][b])
        for a, b in files
        if a in good[0] and (b is None or b in good[1])
    ]
    if not pairs:
        raise UserError(f"no pair can be read; {broken[0]}")
    more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
    lines = [f"skipped {counted(len(broken), 'broken image')}: {broken[0]}{more}"] if broken else []
    if pairs[0].b is not None:
        return pairs, lines
    whole, odd = _of_even_width(pairs, strict)
    if not side_by_side:
        _refuse_other_shapes(whole)
    return whole, lines + odd


def _of_even_width(pairs: list[Pair], strict: bool) -> tuple[list[Pair], list[str]]:
    odd = [pair.a for pair in pairs if pair.a.size[1] % 2]
    if not odd:
        return pairs, []
    height, width = odd[0].size
    reason = f"{odd[0].path}: {width}x{height} pixels cannot be halved; pairs side by side need an even width"
    if strict or len(odd) == len(pairs):
        raise UserError(f"{reason}, or two folders A/ and B/ with the same names")
    whole = [pair for pair in pairs if not pair.a.size[1] % 2]
    return whole, [f"skipped {len(odd)} of {len(pairs)} images of odd width (e.g. {reason})"]


def _refuse_other_shapes(pairs: Sequence[Pair]) -> None:
    """Raise UserError unless nearly all images are twice as wide as high, as those of two squares."""
    other = [pair.a for pair in pairs if pair.a.size[1] != 2 * pair.a.size[0]]
    if len(other) <= (1 - _NEARLY_ALL) * len(pairs):
        return
    many = f", like {len(other) - 1:,} others" if len(other) > 1 else ""
    raise UserError(
        f"{other[0].name} has {_size(other[0].header())} pixels{many}, so its halves are hardly a pair: add "
        "--side-by-side if they are; else give A/ and B/ with the same names, --pair or a list (CSV)"
    )


def size_lines(pairs: Sequence[Pair]) -> list[str]:
    """A report line about partners of different sizes. Raises UserError where one lies on its side."""
    other = [pair for pair in pairs if pair.b is not None and pair.b.size != pair.size]
    turned = [pair.files for pair in other if pair.b is not None and pair.b.size == pair.size[::-1]]
    if turned:
        raise transposed(*turned[0], len(turned) - 1)
    if not other:
        return []
    first = other[0].a.path.name
    return [f"{counted(len(other), 'pair')} with different sizes (e.g. {first}): B is resized to A"]


def transposed(a: FileItem, b: FileItem, others: int) -> UserError:
    """For partners of which one lies on its side, with the reason; others: how many more there are."""
    more = f" (and {counted(others, 'other pair')})" if others else ""
    found = f"{a.name} has {_size(a.header())} pixels, {b.name} {_size(b.header())}{more}"
    tagged = [each for each in (a, b) if each.header().orientation > 4]
    if len(tagged) != 1:
        return UserError(f"{found}: one of them lies on its side; rotate it")
    (turned,) = tagged
    partner = b if turned is a else a
    return UserError(
        f"{found}: EXIF rotates {turned.path.name}, its partner was made from the unrotated pixels; rotate "
        f"{partner.path.name} as well, or drop the tag: exiftool -Orientation= {turned.path.parent}"
    )


def _size(header: Header) -> str:
    return f"{header.size[1]}x{header.size[0]}"
