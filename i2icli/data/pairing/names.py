"""Finding how the names of pairs differ: by an ending, a beginning, or both."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from random import Random
from typing import NamedTuple

from i2icli.errors import UserError
from i2icli.image.finding import Collection
from i2icli.pair_pattern import PairPattern, plain

LEAST = 0.5  # of the images, or of those of the smaller folder: part of a pair
_FREQUENT = 0.05  # of the names: that many have an affix that counts
_MOST = 12  # affixes of a kind, the most frequent, that are tried
_LOOKED_AT = 2000  # names that affixes are found in
_BOUNDARY = re.compile(
    r"(?<=[^\W_])(?=[\W_])"  # an ending takes its separator along: 001|_A
    r"|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"  # 001|A
)
_LETTER = re.compile(r"[^\W\d_]")


class _Affixes(NamedTuple):
    """What comes before and after that which the names of a pair share."""

    before: str
    after: str

    def core(self, stem: str) -> str | None:
        """What is between them."""
        long = len(stem) > len(self.before) + len(self.after)
        if not long or not stem.startswith(self.before) or not stem.endswith(self.after):
            return None
        return stem[len(self.before) : len(stem) - len(self.after)]


_Names = dict[tuple[str, str], Path]
"""Folder below that of the collection, and stem, both as they are compared -> image."""
_Both = tuple[_Affixes, _Affixes]
_Pairs = Mapping[tuple[str, str], tuple[str, str]]
"""The keys of partners."""


def find_pattern(a: Collection, b: Collection | None = None) -> PairPattern | None:
    """How the names of A and B differ in two collections, or in one; None if too few images would be paired.

    Raises UserError, naming them, if several patterns fit.
    """
    if b is None and (suffixes := _by_suffix(a)):
        return suffixes
    first = _names(a)
    second = first if b is None else _names(b)
    ranked = _ranked(first, second, alone=b is None)
    if not ranked:
        return None
    least = LEAST * (len(first) / 2 if b is None else min(len(first), len(second)))
    best, pairs = ranked[0]
    if len(pairs) < max(2, least):
        return None
    rivals = [each for each in ranked[1:] if len(each[1]) > 0.9 * len(pairs) and _differ(pairs, each[1])]
    if rivals:
        shown = [f"'{_pattern(*each, first, second)}'" for each in (ranked[0], *rivals)]
        where = a.folder if b is None else f"{a.folder} and {b.folder}"
        ways = " or --pair ".join(shown[:3])
        raise UserError(f"{where}: images may be paired in several ways; choose one: --pair {ways}")
    return _pattern(best, pairs, first, second)


def matched(pattern: PairPattern, a: Collection, b: Collection) -> list[tuple[Path, Path]]:
    """The pairs of a pattern, in the order of A; both collections may be the same."""
    second = _keys(pattern, 1, b)
    first = _keys(pattern, 0, a)
    return [(path, second[key]) for key, path in first.items() if key in second and second[key] != path]


def same_names(a: Collection, b: Collection) -> list[tuple[Path, Path]]:
    """The images of two folders with the same path below them, without suffix, in the order of A."""
    first, second = ({each.key(image): image for image in reversed(each.images)} for each in (a, b))
    keys = dict.fromkeys(map(a.key, a.images))
    return [(first[key], second[key]) for key in keys if key in second]


def pattern_of_two(a: Collection, b: Collection) -> PairPattern | None:
    """How names differ, unless most are the same."""
    same = len(same_names(a, b))
    if 2 * same >= min(len(a.images), len(b.images)):
        return None
    found = find_pattern(a, b)
    return found if found and len(matched(found, a, b)) > same else None


def partners_of(a: Collection, b: Collection) -> list[tuple[Path, Path]]:
    """The images of two folders that belong together: of the same names, or by a pattern that is found."""
    pattern = pattern_of_two(a, b)
    return matched(pattern, a, b) if pattern else same_names(a, b)


def _keys(pattern: PairPattern, side: int, collection: Collection) -> dict[tuple[str, str], Path]:
    paths = ((path, path.relative_to(collection.folder).as_posix()) for path in collection.images)
    keys = ((pattern.key(side, relative), path) for path, relative in paths)
    found: dict[tuple[str, str], Path] = {}
    for key, path in keys:
        if key is not None:
            found.setdefault(key, path)
    return found


def _names(collection: Collection) -> _Names:
    found: _Names = {}
    for path in collection.images:
        relative = path.relative_to(collection.folder)
        found.setdefault((plain(relative.parent.as_posix()), plain(relative.stem)), path)
    return found


def _by_suffix(collection: Collection) -> PairPattern | None:
    """How the names of one folder differ if all that differs is the suffix: 1.jpg and 1.png."""
    suffixes: dict[str, list[str]] = {}
    for path in collection.images:
        suffixes.setdefault(collection.key(path), []).append(path.suffix)
    both = Counter(tuple(sorted(each, key=str.casefold)) for each in suffixes.values() if len(each) == 2)
    if not both:
        return None
    (one, other), count = both.most_common(1)[0]
    if one.casefold() == other.casefold() or count < max(2, LEAST * len(suffixes)):
        return None
    return PairPattern(f"{{}}{one}", f"{{}}{other}")


# -- trying ----------------------------------------------------------------------------------


def _ranked(first: _Names, second: _Names, *, alone: bool) -> list[tuple[_Both, _Pairs]]:
    """Affixes of A and B and what they pair, best first: the most pairs, then the shortest affixes."""
    ways = [_affixes(names) for names in (first, second)]
    for kinds in (("after",), ("before",), ("before", "after")):
        tried = [_combined(way, kinds) for way in ways]
        cores = [
            {each: _cores(names, each) for each in own}
            for names, own in zip((first, second), tried, strict=True)
        ]
        found: list[tuple[_Both, _Pairs]] = []
        for one, other in product(*cores):
            if one == other or (alone and not _is_way(one, other)):
                continue
            keys = cores[0][one].keys() & cores[1][other].keys()
            if len(keys) > 1:
                pairs = {cores[0][one][key]: cores[1][other][key] for key in sorted(keys)}
                found.append(((one, other), pairs))
        found.sort(key=lambda each: (-len(each[1]), sum(map(len, (*each[0][0], *each[0][1])))))
        if found and len(found[0][1]) >= LEAST * min(len(first), len(second)) / (2 if alone else 1):
            return found
    return []


def _affixes(names: _Names) -> dict[str, list[str]]:
    """Frequent beginnings and endings of names."""
    stems = [stem for _, stem in Random(0).sample(list(names), min(len(names), _LOOKED_AT))]
    least = max(2, _FREQUENT * len(stems))

    def frequent(affixes: Iterable[str]) -> list[str]:
        return ["", *(affix for affix, count in Counter(affixes).most_common(_MOST) if count >= least)]

    ends = (stem[place.start() :] for stem in stems for place in _BOUNDARY.finditer(stem))
    turned = (stem[::-1] for stem in stems)
    starts = (stem[place.start() :][::-1] for stem in turned for place in _BOUNDARY.finditer(stem))
    return {"before": frequent(starts), "after": frequent(ends)}


def _combined(affixes: Mapping[str, list[str]], kinds: Sequence[str]) -> list[_Affixes]:
    before = affixes["before"] if "before" in kinds else [""]
    after = affixes["after"] if "after" in kinds else [""]
    return [_Affixes(*both) for both in product(before, after)]


def _cores(names: _Names, affixes: _Affixes) -> dict[tuple[str, str], tuple[str, str]]:
    cores = ((folder, affixes.core(stem), stem) for folder, stem in names)
    return {(folder, core): (folder, stem) for folder, core, stem in cores if core is not None}


def _is_way(one: _Affixes, other: _Affixes) -> bool:
    """Whether these may tell A from B in one folder: by letters; A comes first in the alphabet."""
    if one > other:
        return False
    return any(map(_tells, one, other))


def _tells(one: str, other: str) -> bool:
    """Whether two affixes differ by letters."""
    if one == other:
        return False
    shared = 0
    while shared < min(len(one), len(other)) and one[-1 - shared] == other[-1 - shared]:
        shared += 1
    parts = (text[: len(text) - shared] for text in (one, other))
    return any(_LETTER.search(part) for part in parts)


def _differ(pairs: _Pairs, other: _Pairs) -> bool:
    """Whether two ways give an image different partners."""
    partner = dict(pairs) | {b: a for a, b in pairs.items()}
    return any(partner.get(a) != b for a, b in other.items())


def _pattern(both: _Both, pairs: _Pairs, first: _Names, second: _Names) -> PairPattern:
    """The pattern as it is written, names spelled as in files, with suffixes where all have the same."""
    sides = []
    for affixes, names, keys in zip(both, (first, second), (list(pairs), list(pairs.values())), strict=True):
        own = [names[key] for key in keys]
        stem, suffixes = own[0].stem, {path.suffix for path in own}
        before, after = stem[: len(affixes.before)], stem[len(stem) - len(affixes.after) :]
        sides.append(f"{before}{{}}{after}{suffixes.pop() if len(suffixes) == 1 else ''}")
    return PairPattern(*sides)
