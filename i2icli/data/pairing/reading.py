"""Reading the headers of pairs: those that are broken, have no halves, or do not fit each other."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote

from i2icli.data.describe import counted
from i2icli.data.images import scan_headers
from i2icli.data.left_out import refuse_remainder
from i2icli.data.pairing.pair import Pair
from i2icli.data.sizes import lies_across, turned_lines
from i2icli.errors import UserError
from i2icli.image import FileItem, Item
from i2icli.reading import AS_FOUND, Reading

_NEARLY_ALL = 0.9  # of the images: as many are twice as wide as high where halves are taken for pairs


def readable(
    files: Sequence[tuple[Path, Path | None]],
    *,
    side_by_side: bool,
    strict: bool,
    reading: Reading = AS_FOUND,
) -> tuple[list[Pair], list[str]]:
    """The pairs of which both images can be read, and report lines about the others.

    side_by_side: halves were said to be pairs; reading: where it takes pages for images, those of one number
    are a pair. Raises UserError if there are none, if too many are broken, if
    halves cannot be pairs, or if `strict` for one that is broken or of odd width.
    """
    good, broken = _headers(files, strict, reading)
    pairs = [
        Pair(item, None if b is None else good[1][b][page])
        for a, b in files
        for page, item in good[0].get(a, {}).items()
        if b is None or page in good[1].get(b, {})
    ]
    if not files:
        return [], []
    if not pairs:
        raise UserError(f"no pair can be read; {broken[0]}")
    lost = sum(a not in good[0] or (b is not None and b not in good[1]) for a, b in files)
    refuse_remainder(broken[:1] * lost, len(files), files[0][0].parent, "pairs")
    more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
    lines = [f"skipped {counted(len(broken), 'broken image')}: {broken[0]}{more}"] if broken else []
    if pairs[0].b is not None:
        return pairs, lines
    whole, odd = _of_even_width(pairs, strict)
    if not side_by_side:
        _refuse_other_shapes(whole)
    return whole, lines + odd


def _headers(
    files: Sequence[tuple[Path, Path | None]], strict: bool, reading: Reading
) -> tuple[list[dict[Path, dict[int | None, FileItem]]], list[str]]:
    """The images of A and of B by file and number of the page, and why others cannot be read."""
    good: list[dict[Path, dict[int | None, FileItem]]] = []
    broken: list[str] = []
    for side in (0, 1):
        paths = list(dict.fromkeys(path for each in files if (path := each[side]) is not None))
        items, bad = scan_headers(paths, strict=strict, reading=reading, paged=True)
        where = os.path.commonpath([path.parent for path in paths]) if paths else ""
        if bad and not items:
            raise UserError(f"{where}: none of its {len(bad)} images can be read; {bad[0]}")
        refuse_remainder(bad, len(paths), where)
        pages: dict[Path, dict[int | None, FileItem]] = {}
        for item in items:
            pages.setdefault(item.path, {})[item.reading.page] = item
        good.append(pages)
        broken += bad
    return good, broken


def _of_even_width(pairs: list[Pair], strict: bool) -> tuple[list[Pair], list[str]]:
    odd = [pair.a for pair in pairs if _width(pair) % 2]
    if not odd:
        return pairs, []
    reason = f"{odd[0].name}: {_size(odd[0])} pixels cannot be halved; pairs side by side need an even width"
    if strict or len(odd) == len(pairs):
        raise UserError(f"{reason}, or two folders A/ and B/ with the same names")
    whole = [pair for pair in pairs if not _width(pair) % 2]
    return whole, [f"skipped {len(odd)} of {len(pairs)} images of odd width (e.g. {reason})"]


def look_like_halves(files: Sequence[Path]) -> bool:
    """Whether nearly all images are twice as wide as high, as two squares side by side are."""
    items, _ = scan_headers(files, strict=False)
    return sum(item.size[1] == 2 * item.size[0] for item in items) >= max(1, _NEARLY_ALL * len(items))


def _refuse_other_shapes(pairs: Sequence[Pair]) -> None:
    """Raise UserError unless nearly all images are twice as wide as high, as those of two squares."""
    other = [pair.a for pair in pairs if _width(pair) != 2 * pair.size[0]]
    if len(other) <= (1 - _NEARLY_ALL) * len(pairs):
        return
    many = f", like {counted(len(other) - 1, 'other')}" if len(other) > 1 else ""
    raise UserError(
        f"{other[0].name} has {_size(other[0])} pixels{many}, so its halves are hardly a pair: add "
        "--side-by-side if they are; else give A/ and B/ with the same names, --pair or a list (CSV)"
    )


def size_lines(pairs: Sequence[Pair]) -> list[str]:
    """Lines about partners of different sizes, or turned. Raises UserError where one lies on its side."""
    apart = [(pair.a, pair.b) for pair in pairs if pair.b]
    other = [(a, b) for a, b in apart if b.header().size != a.header().size]
    refuse_transposed(other)
    lines = turned_lines(apart)
    if not other:
        return lines
    first = Path(other[0][0].name).name
    return [f"{counted(len(other), 'pair')} with different sizes (e.g. {first}): B is resized to A", *lines]


def refuse_transposed(pairs: Iterable[tuple[Item, Item]]) -> None:
    """Raise UserError if partners have each other's shape, turned: one of them lies on its side."""
    turned = [(a, b) for a, b in pairs if lies_across(a.header().size, b.header().size)]
    if not turned:
        return
    a, b = turned[0]
    more = f" (and {counted(len(turned) - 1, 'other pair')})" if len(turned) > 1 else ""
    found = f"{a.name} has {_size(a)} pixels, {b.name} {_size(b)}{more}"
    tagged = [each for each in (a, b) if each.header().orientation > 4]
    if len(tagged) != 1:
        raise UserError(f"{found}: one of them lies on its side; rotate it")
    first, other = (Path(each.name) for each in ((a, b) if tagged[0] is a else (b, a)))
    raise UserError(
        f"{found}: EXIF rotates {first.name}, its partner was made from the unrotated pixels; rotate "
        f"{other.name} as well, or drop the tag: exiftool -Orientation= {quote(str(first.parent))}"
    )


def _width(pair: Pair) -> int:
    return pair.a.header().size[1]


def _size(image: Item) -> str:
    height, width = image.header().size
    return f"{width}x{height}"
