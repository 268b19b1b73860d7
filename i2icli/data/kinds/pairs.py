"""Finding the pairs in folders: halves of one image, or the same file names in two folders."""

from dataclasses import dataclass
from pathlib import Path

from i2icli.data.describe import counted, skipped_lines
from i2icli.data.images import scan_headers
from i2icli.data.left_out import refuse_remainder
from i2icli.data.scan import key_of
from i2icli.errors import UserError
from i2icli.image import FileItem, Pixels
from i2icli.image.finding import Collection, collect
from i2icli.image.kinds import decode
from i2icli.reading import AS_FOUND, Reading
from i2icli.task import Port


@dataclass(frozen=True)
class Pair:
    """Two images of one scene; `b` is None where the halves of `a` are the pair."""

    a: FileItem
    b: FileItem | None

    @property
    def files(self) -> tuple[FileItem, FileItem]:
        """The files that A and B are in."""
        return self.a, self.b or self.a

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of A, to which B is resized."""
        height, width = self.a.size
        return (height, width // 2) if self.b is None else (height, width)

    def read(self, ports: tuple[Port, Port]) -> tuple[Pixels, Pixels]:
        """A and B, decoded (H, W, C) as their ports have it. Raises UserError."""
        a = decode(self.a, ports[0])
        if self.b is not None:
            return a, decode(self.b, ports[1])
        both = a if ports[0].range == ports[1].range else decode(self.a, ports[1])
        half = a.shape[1] // 2
        return a[:, :half], both[:, half:]


def find_pairs(
    folders: tuple[Path, ...], *, strict: bool, reading: Reading = AS_FOUND
) -> tuple[list[Pair], list[str]]:
    """The pairs of one folder (side by side) or two (same names), and report lines about what is skipped.

    Raises UserError if there are none, or if `strict` for one that is broken or of odd width.
    """
    if len(folders) == 1:
        return _halves(collect(folders[0]), strict, reading)
    return _matched(collect(folders[0]), collect(folders[1]), strict, reading)


def _halves(collection: Collection, strict: bool, reading: Reading) -> tuple[list[Pair], list[str]]:
    files, broken = scan_headers(collection.images, strict=strict, reading=reading, paged=True)
    if not files:
        raise UserError(f"{collection.folder}: none of its {len(broken)} images can be read; {broken[0]}")
    refuse_remainder(broken, len(collection.images), collection.folder)
    odd = [file for file in files if file.size[1] % 2]
    whole = [file for file in files if not file.size[1] % 2]
    skipped = skipped_lines(collection, broken)
    if odd:
        height, width = odd[0].size
        reason = (
            f"{odd[0].path}: {width}x{height} pixels cannot be halved; pairs side by side need an even width"
        )
        if strict or not whole:
            raise UserError(f"{reason}, or two folders A/ and B/ with the same names")
        skipped.append(f"skipped {len(odd)} of {len(files)} images of odd width (e.g. {reason})")
    return [Pair(file, None) for file in whole], skipped


def _matched(a: Collection, b: Collection, strict: bool, reading: Reading) -> tuple[list[Pair], list[str]]:
    """Pair the images of two folders by file name without suffix, and pages that are images by number."""
    keys = common_keys(a, b)
    by_key = [{each.key(image): image for image in reversed(each.images)} for each in (a, b)]
    paths_a, paths_b = ([each[key] for key in keys] for each in by_key)
    files_a, broken_a = scan_headers(paths_a, strict=strict, reading=reading, paged=True)
    files_b, broken_b = scan_headers(paths_b, strict=strict, reading=reading, paged=True)
    good_b = {key_of(b, file): file for file in files_b}
    partners = ((file, good_b.get(key_of(a, file))) for file in files_a)
    pairs = [Pair(file, partner) for file, partner in partners if partner is not None]
    if not pairs:
        raise UserError(f"{a.folder} and {b.folder}: no pair can be read; {(broken_a + broken_b)[0]}")
    for side, broken in ((a, broken_a), (b, broken_b)):
        refuse_remainder(broken, len(keys), side.folder)
    lines = _unmatched_lines(a, b, set(keys)) + _unmatched_lines(b, a, set(keys))
    return pairs, lines + skipped_lines(a, broken_a) + skipped_lines(b, broken_b)


def common_keys(a: Collection, b: Collection) -> list[str]:
    """The keys that both folders have, in the order of A. Raises UserError if there are none."""
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
            "such as A/1.png and B/1.png; without pairs train cyclegan"
        )
    return common


def _unmatched_lines(here: Collection, there: Collection, common: set[str]) -> list[str]:
    """What is skipped as it has no partner, or as a name occurs twice with different suffixes."""
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
