"""What a survey of label maps tells: the share of every class, what never occurs, maps of other sizes."""

from collections.abc import Sequence

from i2icli.classes import LabelSet
from i2icli.data.describe import counted
from i2icli.data.labels.survey import CountedMap, Surveyed
from i2icli.data.sizes import lies_across, turned_lines
from i2icli.errors import UserError
from i2icli.image.class_indices import class_pixels

_MOST = 3  # classes that are named with their share
_LISTED = 8  # classes that are named at all
_THIN = 0.3  # of the pixels along borders: more stripes a pixel wide are no accident


def class_lines(
    labels: LabelSet, source: str, train: Sequence[CountedMap], validation: Sequence[CountedMap]
) -> list[str]:
    """The classes, their shares of the training pixels, and what is odd about them.

    source: where the classes are from. Raises UserError for a map that holds ids of no class.
    """
    pixels, held_out = (_pixels(labels, maps) for maps in (train, validation))
    total = sum(pixels)
    *known, unlabelled = pixels
    shares = sorted(range(len(known)), key=lambda index: -known[index])[:_MOST]
    words = ", ".join(f"{labels.names[index]} {known[index] / total:.0%}" for index in shares if known[index])
    seen = [bool(count or other) for count, other in zip(known, held_out, strict=False)]
    never = [name for name, was in zip(labels.names, seen, strict=True) if not was]
    later = [
        name for name, own, other in zip(labels.names, known, held_out, strict=False) if other and not own
    ]
    lines = [f"classes: {len(known)} {source} ({_listed(labels.names)}); most: {words}"]
    if never:
        lines.append(f"classes that never occur: {_listed(never)}")
    if later:
        lines.append(f"classes that are not learned, as they only occur in validation: {_listed(later)}")
    if labels.dont_care:
        ids = ", ".join(map(str, labels.ignored))
        share = f"{unlabelled / total:.1%} of the pixels"
        lines.append(f"unlabelled ({ids}): {share}; learned as a class of its own")
    return lines


def size_lines(surveyed: Sequence[Surveyed]) -> list[str]:
    """Maps whose size is not that of their photo. Raises UserError where one of the two lies on its side."""
    other = [(scene, found) for scene, found in surveyed if found.size != scene.size]
    for scene, found in other:
        if lies_across(scene.size, found.size):
            raise UserError(
                f"{found.name} has {found.size[1]}x{found.size[0]} pixels, its photo {scene.image.name} "
                f"{scene.size[1]}x{scene.size[0]}: one of them lies on its side; rotate it"
            )
    turned = turned_lines((scene.image, scene.labels) for scene, _ in surveyed)
    if not other:
        return turned
    scene, found = other[0]
    shapes = [s.size[0] * f.size[1] / (s.size[1] * f.size[0]) for s, f in other]  # 1: the same shape
    distorted = sum(not 0.98 < shape < 1.02 for shape in shapes)
    line = (
        f"{counted(len(other), 'label map')} of another size than the photo (e.g. {found.name}: "
        f"{found.size[1]}x{found.size[0]}, photo {scene.size[1]}x{scene.size[0]}): brought to its size by "
        "nearest neighbour"
    )
    return [f"{line}; {distorted:,} of another shape, too" if distorted else line, *turned]


def spoilt(maps: Sequence[CountedMap]) -> str | None:
    """What shows that ids were interpolated or compressed: stripes of wrong ids, a pixel wide, along borders.

    Of the pixels with a neighbour of another id 25 to 75 % lie in them, in other maps hardly any. Or None.
    """
    border, thin = sum(each.border for each in maps), sum(each.thin for each in maps)
    if thin <= _THIN * border:
        return None
    worst = max(maps, key=lambda each: each.thin)
    return (
        f"{thin / border:.0%} of the pixels along borders differ from those on both sides, such as "
        f"{worst.first_thin} of {worst.name}: label maps that were smoothed, resized or compressed hold "
        "wrong ids there; save them without that"
    )


def spoilt_lines(maps: Sequence[CountedMap]) -> list[str]:
    """The same as a line of the report."""
    why = spoilt(maps)
    return [why] if why else []


def holds_unlabelled(labels: LabelSet, maps: Sequence[CountedMap]) -> bool:
    """Whether a map has pixels that are ignored. Raises UserError for ids of no class."""
    return _pixels(labels, maps)[-1] > 0


def _pixels(labels: LabelSet, maps: Sequence[CountedMap]) -> list[int]:
    """Pixels of each class, then of don't-care."""
    total = [0] * (len(labels.classes) + 1)
    for each in maps:
        for index, pixels in class_pixels(each.found, labels, each.name, coloured=each.coloured).items():
            total[index] += pixels
    return total


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
