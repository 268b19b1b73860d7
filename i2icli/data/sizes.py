"""Whether images suit the networks and a batch, known from their headers alone."""

from collections.abc import Iterable, Sequence

from i2icli.data.describe import counted
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.errors import UserError
from i2icli.image import Header, Item

Size = tuple[int, int]
"""(height, width)"""
Sized = tuple[str, Size]
"""The name of an image, or of a pair, and its size."""

_OBLONG = 1.1  # long side over short side from which on a shape tells how an image lies
_ALIKE = 0.02  # by as much shapes may differ that are the same but for rounding

WHOLE_IMAGES = ("scale-width", "none")  # modes of --preprocess whose examples are not of the crop size


def sized(images: Iterable[Item]) -> list[Sized]:
    """Names and sizes."""
    return [(image.name, image.header().size) for image in images]


def lies_across(size: Size, other: Size) -> bool:
    """Whether one of two images of a scene lies on its side: the shape of the other, turned, in any size."""
    if size == other[::-1]:
        return size != other
    (height, width), (other_height, other_width) = size, other
    turned = (height > width) != (other_height > other_width)
    shapes = width * other_width / (height * other_height)  # 1: that of the other, turned
    return turned and max(size) >= _OBLONG * min(size) and abs(shapes - 1) <= _ALIKE


def turned_lines(pairs: Iterable[tuple[Item, Item]]) -> list[str]:
    """A line about partners of which EXIF turns one, where sizes cannot tell whether the other was turned."""
    doubtful = [(a, b) for a, b in pairs if _turned_alone(a.header(), b.header())]
    if not doubtful:
        return []
    tagged = next(each for each in doubtful[0] if each.header().orientation > 1)
    return [
        f"{counted(len(doubtful), 'pair')} of which EXIF turns or mirrors one image alone, e.g. "
        f"{tagged.name}; sizes do not tell whether its partner was turned as well: check a sample sheet"
    ]


def _turned_alone(header: Header, other: Header) -> bool:
    if header.orientation == other.orientation:
        return False
    quarter = (header.orientation > 4) != (other.orientation > 4)
    return not quarter or header.size[0] == header.size[1]


def check_sizes(train: Sequence[Sized], validation: Sequence[Sized], options: DataOptions) -> None:
    """Raise UserError if an image gives too small an example, or training examples cannot share a batch."""
    preprocess = options.preprocess
    refuse_small_examples(train, preprocess, options.smallest_side)
    refuse_small_examples(validation, preprocess.for_validation(), options.smallest_side)
    if options.batch_size > 1:
        refuse_mixed_sizes(train, preprocess)


def refuse_small_examples(images: Iterable[Sized], preprocess: Preprocess, smallest_side: int) -> None:
    """Raise UserError if an image gives an example with a side below `smallest_side` pixels.

    Concerns the modes that keep whole images; crops are checked with the settings.
    """
    if preprocess.mode not in WHOLE_IMAGES:
        return
    for name, (height, width) in images:
        example = preprocess.example_size((height, width))
        if min(example) >= smallest_side:
            continue
        advice = "--preprocess resize-and-crop, or remove such images"
        if preprocess.mode == "scale-width":
            load_width = max(smallest_side, -(-smallest_side * width // height))
            advice = f"--load-size {load_width}, or --preprocess resize-and-crop"
        least = f"{smallest_side}x{smallest_side}"
        raise UserError(f"{_becomes(name, (height, width), preprocess)} need at least {least}; use {advice}")


def refuse_other_sizes(images: Iterable[Sized], preprocess: Preprocess) -> None:
    """Raise UserError if an image gives an example of another size than that of crops."""
    height, width = preprocess.crop_size
    for name, size in images:
        if preprocess.example_size(size) != (height, width):
            raise UserError(
                f"{_becomes(name, size, preprocess)} learn {width}x{height}; "
                "use --preprocess scale-width-and-crop, or resize"
            )


def _becomes(name: str, size: Size, preprocess: Preprocess) -> str:
    height, width = preprocess.example_size(size)
    return (
        f"{name} ({size[1]}x{size[0]} pixels) becomes {width}x{height} with --preprocess {preprocess.mode}, "
        "but these networks"
    )


def refuse_mixed_sizes(
    images: Sequence[Sized],
    preprocess: Preprocess,
    advice: str = "they cannot share a batch; use --batch-size 1, or --preprocess resize or crop",
) -> None:
    """Raise UserError if images give examples of different sizes."""
    sizes = [preprocess.example_size(size) for _, size in images]
    for (name, _), (height, width) in zip(images, sizes, strict=True):
        if (height, width) != sizes[0]:
            first = f"{images[0][0]} {sizes[0][1]}x{sizes[0][0]}"
            raise UserError(f"{name} becomes {width}x{height} pixels, {first}: {advice}")


def refuse_small_images(images: Sequence[Sized], minimum: Size) -> None:
    """Raise UserError if an image is smaller than `minimum`: upscaled images have no details to learn."""
    small = [(name, size) for name, size in images if size[0] < minimum[0] or size[1] < minimum[1]]
    if not small:
        return
    name, (height, width) = small[0]
    shortest = min(min(size) for _, size in images)
    fits = 1 << (shortest.bit_length() - 1)  # resolutions are doubled
    more = f" and {counted(len(small) - 1, 'other image')} are" if len(small) > 1 else " is"
    raise UserError(
        f"{name} ({width}x{height} pixels){more} smaller than the {minimum[1]}x{minimum[0]} pixels to be "
        f"learned; choose --crop-size {fits} (i2i grow: a smaller --to), or remove such images"
    )
