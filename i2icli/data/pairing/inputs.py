"""Pairs whose source is several images stacked: rgb/, depth/ and the folder of the targets."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from i2icli.data.describe import counted, skipped_lines
from i2icli.data.images import count_channels, scan_headers, widest_type
from i2icli.data.layouts import side_names, validation_folder
from i2icli.data.left_out import refuse_remainder
from i2icli.data.options import DataOptions
from i2icli.data.pairing.names import partners_of
from i2icli.data.pairing.pair import FoundPairs, Pair
from i2icli.data.pairing.reading import refuse_transposed
from i2icli.data.split_names import TRAIN, VALIDATION_SPLITS, beside, is_split, split_folders
from i2icli.data.value_ranges import find_ranges
from i2icli.errors import UserError
from i2icli.image import Item
from i2icli.image.finding import check_folder, collect, holds_images, holds_images_below, listing, subfolders
from i2icli.image.stacked import StackedItem
from i2icli.reading import PAGES_AS_IMAGES
from i2icli.task import StackPart
from i2icli.value_range import TYPE, ValueRange, bounds, joined, of_sides


@dataclass(frozen=True)
class _Side:
    """The folders of an input or of the targets."""

    train: Path
    validation: Path | None


def find_inputs(paths: Sequence[Path], wanted: Sequence[str]) -> FoundPairs:
    """The pairs of some inputs and the targets; the first input stands for all of them.

    The inputs are folders in the data folder, in its train/ and test/ as well, or paths of others. The
    targets are the only other folder there, or its images. Raises UserError for what is not there.
    """
    if len(paths) != 1:
        raise UserError("--inputs names the folders that are read; give one more, with the targets")
    data = paths[0]
    check_folder(data)
    inside = split_folders(data)
    sides = [_input(data, inside, name) for name in wanted]
    if len({side.train.resolve() for side in sides}) < len(sides):
        raise UserError(f"--inputs {','.join(wanted)}: one folder is given twice; name each input once")
    target = _target(data, inside, [side.train for side in sides])
    parts = [_matched([side.train for side in sides], target.train)]
    held_out = [each for each in (side.validation for side in (*sides, target)) if each is not None]
    if len(held_out) == len(sides) + 1:
        parts.append(_matched(held_out[:-1], held_out[-1]))
    pairs: list[list[tuple[Path, Path | None]]] = [[(row[0], row[-1]) for row in part] for part in parts]
    used = {path for part in parts for row in part for path in row}
    folders = [side.train for side in sides] + [target.train]
    return FoundPairs(
        f"inputs {', '.join(str(side.train) for side in sides)}, targets in {target.train}",
        pairs[0],
        pairs[1] if len(parts) > 1 else None,
        str(target.validation) if target.validation else "",
        tuple(line for folder in folders for line in _alone(folder, used)),
        side_names(sides[0].train, target.train),
        stacked={row[0]: row[1:-1] for part in parts for row in part},
    )


def _alone(folder: Path, used: AbstractSet[Path]) -> list[str]:
    """What of a folder is skipped."""
    collection = collect(folder)
    rest = [image for image in collection.images if image not in used]
    lines = (
        [f"skipped {counted(len(rest), 'image')} of {folder} without partners, e.g. {rest[0].name}"]
        if rest
        else []
    )
    return lines + skipped_lines(collection, [])


def stack(
    splits: Sequence[list[Pair]],
    stacked: Mapping[Path, tuple[Path, ...]],
    wanted: Sequence[str],
    options: DataOptions,
) -> tuple[list[list[Pair]], tuple[StackPart, ...], list[str]]:
    """Pairs whose A are the first inputs -> pairs whose A are all of them; the inputs, and report lines.

    Raises UserError for inputs of different channels, for ranges that cannot be, and for swapped sides.
    """
    if options.reading.pages == PAGES_AS_IMAGES:
        raise UserError("--pages images goes with files that are the whole input; leave out --inputs")
    paths = [path for pairs in splits for pair in pairs for path in stacked[Path(pair.a.name)]]
    items, broken = scan_headers(list(dict.fromkeys(paths)), strict=options.strict, reading=options.reading)
    refuse_remainder(broken, len(paths), "further inputs")
    known = {item.path: item for item in items}
    rows: list[list[tuple[Pair, tuple[Item, ...]]]] = [
        [(pair, tuple(known[path] for path in others if path in known)) for pair in pairs
         for others in (stacked[Path(pair.a.name)],) if known.keys() >= set(others)]
        for pairs in splits
    ]  # fmt: skip
    images = [(pair.a, *others) for part in rows for pair, others in part]
    for row in images:
        refuse_transposed((row[0], other) for other in row[1:])
    lines = [f"skipped {counted(len(broken), 'broken image')}: {broken[0]}"] if broken else []
    parts = []
    for name, column in zip(part_names(wanted), zip(*images, strict=True), strict=True):
        part, about = _part(name, column, of_sides(options.range)[0])
        parts.append(part)
        lines += about
    listed = " + ".join(f"{part.name} {part.channels}" for part in parts)
    lines.insert(0, f"source: {listed} = {sum(part.channels for part in parts)} channels")
    whole = [
        [Pair(StackedItem((pair.a, *others), tuple(parts)), pair.b) for pair, others in part] for part in rows
    ]
    return whole, tuple(parts), lines


def of_stack(options: DataOptions, parts: Sequence[StackPart]) -> DataOptions:
    """The options by which stacked images are read: the ranges of the source are those of its parts."""
    return replace(options, range=joined(TYPE, of_sides(options.range)[1])) if parts else options


def settings_of(parts: Sequence[StackPart], found: Mapping[str, Any], options: DataOptions) -> dict[str, Any]:
    """The settings that describe a stack; found: those of the two sides."""
    if not parts:
        return {}
    known = found.get("range", of_stack(options, parts).range)
    return {"inputs": tuple(part.name for part in parts), "stack": tuple(map(str, parts)), "range": known}


def part_names(wanted: Sequence[str]) -> tuple[str, ...]:
    """What inputs are called: the names of their folders."""
    names = tuple(Path(name).name for name in wanted)
    return names if len(set(names)) == len(names) else tuple(f"{n}-{name}" for n, name in enumerate(names, 1))


def _part(name: str, images: Sequence[Item], asked: str) -> tuple[StackPart, list[str]]:
    """What the images of an input have in common, and lines about their values."""
    if bounds(asked) is not None:
        raise UserError(
            f"--range {asked}: with --inputs expected type, found or percentile:1,99 for the source"
        )
    advice = "add --range found/type"
    try:
        channels = count_channels(images, None)
        found, lines = find_ranges({name: images}, asked)
    except UserError as error:
        raise UserError(f"input {name}: {_advising(str(error), advice)}") from error
    dtype = widest_type(images)
    limits = bounds(found)
    known = None if limits is None else ValueRange(*limits, dtype)
    return StackPart(name, channels, known), [
        _advising(line if line.startswith(f"{name}:") else f"{name}: {line}", advice) for line in lines
    ]


def _advising(line: str, advice: str) -> str:
    """A line with other advice about ranges: one that is typed would hold for all inputs."""
    before, found, _ = line.partition("add --range")
    return f"{before}{advice}" if found else line


# -- folders ---------------------------------------------------------------------------------


def _input(data: Path, inside: Mapping[str, Path], name: str) -> _Side:
    """An input by its name in the data folder, or its path."""
    key = Path(name).name.casefold()
    if TRAIN in inside and key in (train := subfolders(inside[TRAIN])):
        return _Side(train[key], _in_validation(inside, key))
    if key in (plain := subfolders(data)):
        return _divided(plain[key])
    if Path(name).is_dir():
        return _divided(Path(name))
    top = inside.get(TRAIN, data)
    raise UserError(f"--inputs {name}: there is no such folder in {top}; it contains {listing(top)}")


def _divided(side: Path) -> _Side:
    """A folder with train/ and test/ in it or beside it, or without."""
    inside = split_folders(side)
    if TRAIN in inside:
        return _Side(inside[TRAIN], validation_folder(inside))
    held_out = (beside(side, split) for split in VALIDATION_SPLITS)
    return _Side(side, next((each for each in held_out if each is not None), None))


def _in_validation(inside: Mapping[str, Path], key: str) -> Path | None:
    held_out = validation_folder(dict(inside))
    return subfolders(held_out).get(key) if held_out else None


def _target(data: Path, inside: Mapping[str, Path], inputs: Sequence[Path]) -> _Side:
    """The folder that is no input, or the data folder itself."""
    top = inside.get(TRAIN, data)
    taken = {each.resolve() for each in inputs} | {each.resolve().parent for each in inputs}
    names = {
        name: path
        for name, path in subfolders(top).items()
        if not is_split(name) and path.resolve() not in taken and holds_images_below(path)
    }
    if not any(each.resolve().is_relative_to(data.resolve()) for each in inputs) or holds_images(top):
        return _divided(data)
    if len(names) != 1:
        found = ", ".join(f"{path.name}/" for path in names.values()) or "no other folder"
        raise UserError(
            f"{top}: found {found} beside --inputs; expected one folder with the targets, or give it alone: "
            f"{data}/TARGETS --inputs {inputs[0]},..."
        )
    ((key, path),) = names.items()
    return _Side(path, _in_validation(inside, key)) if top != data else _divided(path)


def _matched(inputs: Sequence[Path], target: Path) -> list[tuple[Path, ...]]:
    """Files of all inputs and the target that belong together. Raises UserError where there are none."""
    first = collect(inputs[0])
    partners = []
    for folder in (*inputs[1:], target):
        found = dict(partners_of(first, collect(folder)))
        if not found:
            raise UserError(
                f"{first.folder} and {folder}: no names in common; inputs and targets need the same"
            )
        partners.append(found)
    return [
        (image, *(each[image] for each in partners))
        for image in first.images
        if all(image in each for each in partners)
    ]
