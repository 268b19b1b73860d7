"""Finding the pairs in folders: halves of one image, or equal names in two folders."""

from dataclasses import dataclass
from pathlib import Path

from i2icli.data.describe import counted, skipped_lines
from i2icli.data.images import ImageFile, survey
from i2icli.errors import UserError
from i2icli.image import Pixels, read_image
from i2icli.image.finding import Collection, collect


@dataclass(frozen=True)
class Pair:
    """Two images of one scene; `b` is None where the right half of `a` is meant."""

    a: ImageFile
    b: ImageFile | None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of A, which B follows."""
        height, width = self.a.header.size
        return (height, width // 2) if self.b is None else (height, width)

    def read(self) -> tuple[Pixels, Pixels]:
        """A and B, decoded (H, W, C). Raises UserError."""
        pixels = read_image(self.a.path).pixels
        if self.b is not None:
            return pixels, read_image(self.b.path).pixels
        half = pixels.shape[1] // 2
        return pixels[:, :half], pixels[:, half:]


def find_pairs(folders: tuple[Path, ...], *, strict: bool) -> tuple[list[Pair], list[str]]:
    """The pairs of one folder (side by side) or two (equal names), and what was skipped, in words.

    Raises UserError if there are none, or if `strict` for one that is broken or has no middle.
    """
    if len(folders) == 1:
        return _halves(collect(folders[0]), strict)
    return _matched(collect(folders[0]), collect(folders[1]), strict)


def _halves(collection: Collection, strict: bool) -> tuple[list[Pair], list[str]]:
    files, broken = survey(collection.images, strict=strict)
    if not files:
        raise UserError(f"{collection.folder}: none of its {len(broken)} images can be read; {broken[0]}")
    odd = [file for file in files if file.header.size[1] % 2]
    whole = [file for file in files if not file.header.size[1] % 2]
    skipped = skipped_lines(collection, broken)
    if odd:
        height, width = odd[0].header.size
        reason = f"{odd[0].path}: {width}x{height} pixels have no middle; pairs side by side need even widths"
        if strict or not whole:
            raise UserError(f"{reason}, or else two folders A/ and B/ with the same names")
        skipped.append(f"skipped {len(odd)} of {len(files)} images of odd width (e.g. {reason})")
    return [Pair(file, None) for file in whole], skipped


def _matched(a: Collection, b: Collection, strict: bool) -> tuple[list[Pair], list[str]]:
    """Pair the images of two folders by their names without suffix."""
    keys = common_keys(a, b)
    by_key = [{each.key(image): image for image in reversed(each.images)} for each in (a, b)]
    files_a, broken_a = survey([by_key[0][key] for key in keys], strict=strict)
    files_b, broken_b = survey([by_key[1][key] for key in keys], strict=strict)
    good_a = {a.key(file.path): file for file in files_a}
    good_b = {b.key(file.path): file for file in files_b}
    pairs = [Pair(good_a[key], good_b[key]) for key in keys if key in good_a and key in good_b]
    if not pairs:
        raise UserError(f"{a.folder} and {b.folder}: no pair can be read; {(broken_a + broken_b)[0]}")
    lines = _unmatched_lines(a, b, set(keys)) + _unmatched_lines(b, a, set(keys))
    return pairs, lines + skipped_lines(a, broken_a) + skipped_lines(b, broken_b)


def common_keys(a: Collection, b: Collection) -> list[str]:
    """The keys that images of both folders have, in the order of A. Raises UserError if there are none."""
    for each, other in ((a, b), (b, a)):
        if not each.images:
            raise UserError(
                f"{each.folder}: no images in this folder; expected the same names as in {other.folder}"
            )
    others = set(map(b.key, b.images))
    common = list(dict.fromkeys(key for key in map(a.key, a.images) if key in others))
    if not common:
        raise UserError(
            f"{a.folder} and {b.folder}: no names in common "
            f"(e.g. {a.images[0].name} and {b.images[0].name}); pairs need the same name in both, "
            "such as A/1.png and B/1.png; for collections without pairs train cyclegan"
        )
    return common


def _unmatched_lines(here: Collection, there: Collection, common: set[str]) -> list[str]:
    """What was left out for want of a partner, or because a name occurs twice with different suffixes."""
    alone = [image for image in here.images if here.key(image) not in common]
    twins = len(here.images) - len(alone) - len(common)
    lines = []
    if alone:
        example = alone[0].relative_to(here.folder)
        lines.append(
            f"skipped {counted(len(alone), 'image')} of {here.folder} "
            f"without a partner in {there.folder}, e.g. {example}"
        )
    if twins:
        lines.append(f"skipped {counted(twins, 'image')} of {here.folder} whose name occurs twice")
    return lines
