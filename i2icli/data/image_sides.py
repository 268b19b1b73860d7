"""What the images of one side or two have in common, found in them: channels, number types, ranges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from i2icli.data.images import count_channels, has_alpha_channel, widest_type
from i2icli.data.options import DataOptions
from i2icli.data.value_ranges import find_ranges
from i2icli.errors import UserError
from i2icli.image import Item
from i2icli.reading import NAMED, Reading
from i2icli.task import Port, image_ports


@dataclass(frozen=True)
class ImageSides:
    """What was found."""

    settings: dict[str, Any]  # "channels" and "types" of one side or two, and "range" if it was looked for
    ports: tuple[Port, Port]  # the same twice where there is one side
    report: list[str]  # lines about the values


def one_side(images: Sequence[Item], options: DataOptions) -> ImageSides:
    """Where all images are read alike, with the channels and range that are wanted, else as found.

    Raises UserError as `count_channels` and `find_ranges`, and if several numbers are wanted.
    """
    wanted = options.channels
    if wanted is not None and len(set(wanted)) > 1:
        raise UserError(f"--channels {','.join(map(str, wanted))}: expected one number, the same for all")
    channels = count_channels(images, wanted[0] if wanted else None)
    return _found((channels,), {"": images}, options)


def two_sides(
    first: Sequence[Item],
    second: Sequence[Item],
    options: DataOptions,
    names: tuple[str, str],
    *,
    pairs: bool = False,
) -> ImageSides:
    """The same for two sides, which messages call by their names; pairs: whether they belong together."""
    wanted = options.channels
    if wanted is not None and len(wanted) > 2:
        listed = ",".join(map(str, wanted))
        raise UserError(f"--channels {listed}: expected one number, or two: {','.join(names)}")
    channels = (
        count_channels(first, wanted[0] if wanted else None),
        count_channels(second, wanted[-1] if wanted else None),
    )
    return _found(channels, dict(zip(names, (first, second), strict=True)), options, pairs=pairs)


def _found(
    channels: tuple[int, ...],
    sides: Mapping[str, Sequence[Item]],
    options: DataOptions,
    *,
    pairs: bool = False,
) -> ImageSides:
    types = tuple(map(widest_type, sides.values()))
    own = zip(sides.values(), channels, strict=True)
    alpha = tuple(has_alpha_channel(images, number) for images, number in own)
    readings = tuple(replace(options.reading, channels=number) for number in channels)
    ranges, report = find_ranges(sides, options.range, readings, pairs=pairs)
    ports = image_ports((channels[0], channels[-1]), types, ranges, options.reading, alpha)
    sizes = [
        options.preprocess.prepared_size(image.header().size) for each in sides.values() for image in each
    ]
    settings: dict[str, Any] = {"channels": channels, "types": types, "learned_size": _typical(sizes)}
    if any(alpha):
        settings["alpha"] = alpha
    report = [*report, *_transparency_lines(sides, alpha, options)]
    return ImageSides(settings | ({"range": ranges} if ranges != options.range else {}), ports, report)


def _typical(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The medians of heights and widths."""
    heights, widths = zip(*sizes, strict=True)
    return int(median(heights)), int(median(widths))


def _transparency_lines(
    sides: Mapping[str, Sequence[Item]], alpha: Sequence[bool], options: DataOptions
) -> list[str]:
    """What becomes of transparency, where there is any: it is learned, or something lies under it."""
    lines = []
    for (name, images), is_channel in zip(sides.items(), alpha, strict=True):
        headers = [header for header in (image.header() for image in images) if header.alpha]
        if not headers:
            continue
        line = f"{_under(options.reading)}; --channels {headers[0].channels + 1} learns it as a channel"
        line = "transparency is learned, as the last channel" if is_channel else line
        lines.append(f"{name}: {line}" if name and len(set(alpha)) > 1 else line)
    return list(dict.fromkeys(lines))


def _under(reading: Reading) -> str:
    """What becomes of transparency that is no channel."""
    if reading.background is None:
        return "some images have transparency: colours count as they are stored, hidden ones too"
    named = next(name for name in (*NAMED, "") if not name or NAMED[name] == reading.background)
    colour = named or "colour " + ",".join(map(str, reading.background))
    return f"some images have transparency: {colour} is put under it (--background)"
