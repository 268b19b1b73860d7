"""Finding the pairs in folders: by a list, by names, or as halves of one image."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from i2icli.data.describe import counted, skipped_lines
from i2icli.data.layouts import FolderLayout, recognise
from i2icli.data.pairing.inputs import find_inputs
from i2icli.data.pairing.lists import is_list, read_list
from i2icli.data.pairing.names import find_pattern, matched, pattern_of_two, same_names
from i2icli.data.pairing.pair import FoundPairs, PairChoice
from i2icli.data.split_names import TRAIN, VALIDATION_SPLITS, is_split, split_name
from i2icli.errors import UserError
from i2icli.image.finding import Collection, check_folder, collect
from i2icli.pair_pattern import PairPattern

_Files = list[tuple[Path, Path | None]]


def find_pairs(paths: Sequence[Path], choice: PairChoice) -> FoundPairs:
    """The pairs of a list, of one folder or of two (A, B).

    Raises UserError with one line: what was found, what is missing, what works.
    """
    if choice.side_by_side and choice.pattern is not None:
        raise UserError("--side-by-side and --pair: a pair is one image or two; leave one of them out")
    if choice.inputs:
        return find_inputs(paths, choice.inputs)
    if len(paths) == 1 and is_list(paths[0]):
        return read_list(paths[0])
    if len(paths) == 1 and choice.pattern is not None:
        check_folder(paths[0])
        return _by_pattern(paths[0], choice.pattern)
    return of_layout(recognise(paths, pairs=True), choice, given_apart=len(paths) == 2)


def of_layout(layout: FolderLayout, choice: PairChoice, *, given_apart: bool = False) -> FoundPairs:
    """The pairs in folders that were recognised, or given one by one. Raises UserError if there are none."""
    train = [collect(folder) for folder in layout.train]
    held_out = [collect(folder) for folder in layout.validation] if layout.validation else None
    if len(train) == 2:
        found = _of_two(train[0], train[1], held_out, choice.pattern, given_apart)
        return replace(found, names=layout.names, skipped=(*found.skipped, *layout.unused_lines))
    where = str(held_out[0].folder) if held_out else ""
    pattern = None if choice.side_by_side else choice.pattern or find_pattern(train[0])
    if pattern is not None:
        pairs, alone = _in_one(train[0], pattern)
        validation, more = _in_one(held_out[0], pattern) if held_out else (None, [])
        how = f"pairs by name in {train[0].folder}, --pair '{pattern}'"
        return FoundPairs(how, pairs, validation, where, (*alone, *more), pattern=pattern)
    both = [train[0], *(held_out or [])]
    halves: list[_Files] = [[(image, None) for image in each.images] for each in both]
    lines = tuple(line for each in both for line in skipped_lines(each, []))
    how = f"pairs side by side in {train[0].folder}"
    return FoundPairs(how, halves[0], halves[1] if held_out else None, where, lines)


def _of_two(
    a: Collection,
    b: Collection,
    held_out: list[Collection] | None,
    wanted: PairPattern | None,
    given_apart: bool,
) -> FoundPairs:
    """Pairs of two folders: of the same names, or by a pattern."""
    how, where = f"pairs: A in {a.folder}, B in {b.folder}", ""
    if held_out:
        where = " and ".join(str(each.folder) for each in held_out)
    for each, other in ((a, b), (b, a)):
        if not each.images:
            raise UserError(
                f"{each.folder}: no images in this folder; expected the same names as in {other.folder}"
            )
    pattern = wanted or pattern_of_two(a, b)
    pairs = matched(pattern, a, b) if pattern else same_names(a, b)
    if not pairs:
        raise _no_pairs(a, b, pattern)
    if pattern and not wanted:
        how += f", by name: --pair '{pattern if given_apart else _below(pattern, a.folder, b.folder)}'"
    lines = _skipped(a, b, pairs)
    validation: _Files | None = None
    if held_out:
        still = matched(pattern, *held_out) if pattern else same_names(*held_out)
        validation = list(still)
        lines += _skipped(held_out[0], held_out[1], still)
    return FoundPairs(how, list(pairs), validation, where, tuple(lines), pattern=pattern)


def _below(pattern: PairPattern, a: Path, b: Path) -> PairPattern:
    """A pattern of two folders as one of the folder above both, where that is their parent's."""
    for part_a, part_b in zip(reversed(a.parts), reversed(b.parts), strict=False):
        if part_a != part_b:
            return PairPattern(f"{part_a}/{pattern.a}", f"{part_b}/{pattern.b}")
    return pattern


def _by_pattern(folder: Path, pattern: PairPattern) -> FoundPairs:
    """The pairs of a pattern below a folder, with the splits that folders on the way name."""
    pairs, lines = _in_one(collect(folder), pattern)
    splits: dict[str, _Files] = {}
    for pair in pairs:
        parts = pair[0].relative_to(folder).parts[:-1]
        split = next((split_name(part).split for part in parts if is_split(part)), TRAIN)
        splits.setdefault(split, []).append(pair)
    held_out = next((split for split in VALIDATION_SPLITS if split in splits), None)
    if TRAIN not in splits:
        raise UserError(
            f"{folder}: all pairs of --pair '{pattern}' are in {held_out}/; expected some in train/"
        )
    how = f"pairs by name in {folder}, --pair '{pattern}'"
    return FoundPairs(
        how,
        splits[TRAIN],
        splits[held_out] if held_out else None,
        f"{held_out}/ in {folder}",
        tuple(lines),
        pattern=pattern,
    )


def _in_one(collection: Collection, pattern: PairPattern) -> tuple[_Files, list[str]]:
    """The pairs of a pattern in one folder, and what is skipped. Raises UserError if there are none."""
    pairs = matched(pattern, collection, collection)
    if not pairs:
        raise _no_pairs(collection, collection, pattern)
    used = {path for pair in pairs for path in pair}
    alone = [image for image in collection.images if image not in used]
    lines = skipped_lines(collection, [])
    if alone:
        lines.append(
            f"skipped {counted(len(alone), 'image')} of {collection.folder} without a partner, "
            f"e.g. {alone[0].relative_to(collection.folder)}"
        )
    return list(pairs), lines


def _no_pairs(a: Collection, b: Collection, pattern: PairPattern | None) -> UserError:
    names = f"e.g. {a.images[0].name} and {b.images[0].name}" if a.images and b.images else "no images"
    if pattern is not None:
        fit = [
            sum(pattern.key(side, _relative(each, image)) is not None for image in each.images)
            for side, each in enumerate((a, b))
        ]
        where = str(a.folder) if a is b else f"{a.folder} and {b.folder}"
        return UserError(
            f"--pair '{pattern}': no pairs in {where}; images that fit A: {fit[0]:,}, B: {fit[1]:,} ({names})"
        )
    return UserError(
        f"{a.folder} and {b.folder}: no names in common ({names}); pairs need the same name in both, "
        "such as A/1.png and B/1.png, or --pair '{}_A.png:{}_B.png'; without pairs train cyclegan"
    )


def _skipped(a: Collection, b: Collection, pairs: Sequence[tuple[Path, Path]]) -> list[str]:
    """What is skipped as it has no partner, or as a name occurs twice with different suffixes."""
    used = {path for pair in pairs for path in pair}
    lines = []
    for here, there in ((a, b), (b, a)):
        names = {here.key(image) for image in here.images if image in used}
        rest = [image for image in here.images if image not in used]
        twins = [image for image in rest if here.key(image) in names]
        alone = [image for image in rest if here.key(image) not in names]
        if alone:
            lines.append(
                f"skipped {counted(len(alone), 'image')} of {here.folder} without a partner in "
                f"{there.folder}, e.g. {alone[0].relative_to(here.folder)}"
            )
        if twins:
            lines.append(f"skipped {counted(len(twins), 'image')} of {here.folder} whose name occurs twice")
    return [*lines, *skipped_lines(a, []), *skipped_lines(b, [])]


def _relative(collection: Collection, image: Path) -> str:
    return image.relative_to(collection.folder).as_posix()
