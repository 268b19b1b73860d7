"""Label maps and the photos and instance maps of the same scenes, found by their names."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from i2icli.data.describe import counted, skipped_lines
from i2icli.data.images import scan_headers
from i2icli.data.labels.names import scene_stem
from i2icli.data.labels.parts import Part
from i2icli.data.pairing.names import find_pattern, matched
from i2icli.data.sizes import lies_across
from i2icli.errors import UserError
from i2icli.image import FileItem, Item, Pixels
from i2icli.image.decoded import upright
from i2icli.image.finding import Collection
from i2icli.image.halves import HalfItem
from i2icli.reading import AS_FOUND, Reading


@dataclass(frozen=True)
class Scene:
    """A label map, its photo and perhaps its instance map."""

    labels: Item
    image: Item
    instances: Item | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo, to which its maps are brought."""
        return self.image.header().size

    def turned(self, pixels: Pixels) -> Pixels:
        """A map (H, W, ...) turned as EXIF turns the photo, if its sides show that it was not."""
        header = self.image.header()
        swapped = header.orientation > 4 and lies_across(header.size, (pixels.shape[0], pixels.shape[1]))
        return upright(pixels, header.orientation) if swapped else pixels


def find_scenes(part: Part, *, strict: bool, reading: Reading = AS_FOUND) -> tuple[list[Scene], list[str]]:
    """The scenes of a split that have label map and photo, and report lines about what is skipped.

    Raises UserError if there are none, or if `strict` for the first photo that cannot be read.
    """
    if part.label_half is not None:
        return _halves(part.labels, part.label_half == "right", strict, reading)
    photos = dict(part.known) or _matched(part.labels, part.images)
    lines = []
    if not photos and (pattern := find_pattern(part.labels, part.images)):
        photos = dict(matched(pattern, part.labels, part.images))
        lines = [f"paired by name: {pattern}"]
    if not photos:
        raise _none_in_common(part.labels, part.images)
    instances = _matched(part.labels, part.instances) if part.instances else {}
    known = [instances[file] for file in photos if file in instances]
    good, broken = scan_headers(list(photos.values()), strict=strict, reading=reading)
    objects, more = scan_headers(known, strict=strict, reading=reading)
    images = {item.path: item for item in good}
    maps = {item.path: item for item in objects}
    scenes = [
        Scene(
            FileItem(labels, reading),
            images[photo],
            maps.get(instances[labels]) if labels in instances else None,
        )
        for labels, photo in photos.items()
        if photo in images
    ]
    if not scenes:
        raise UserError(f"{part.images.folder}: none of its {len(broken)} photos can be read; {broken[0]}")
    lines += [
        *_alone("label map", part.labels, photos, "a photo"),
        *_alone("photo", part.images, photos.values(), "a label map"),
        *skipped_lines(Collection(part.images.folder, (), ()), broken + more),
    ]
    return scenes, lines


def with_instances(
    train: list[Scene], held_out: list[Scene], wanted: bool | None
) -> tuple[bool, tuple[list[Scene], list[Scene]], list[str]]:
    """Whether instance maps are read, the scenes that have what that needs, and a line about it.

    wanted: as asked for; None: if at least half of the scenes have one. Raises UserError if they are wanted
    and there are none.
    """
    everything = train + held_out
    present = sum(scene.instances is not None for scene in everything)
    missing = len(everything) - present
    if wanted and not present:
        raise UserError(
            f"--instances: {train[0].labels.name} and the other label maps have no instance maps; expected "
            "a folder instances/ with the same names; or leave the option out"
        )
    use = present > 0 and present >= missing if wanted is None else wanted
    left_out = present > 0 and wanted is None and not use
    missed = f"{counted(missing, 'pair')} of {len(everything):,} without"
    lines = [f"instance maps are not read: {missed}"] if left_out else []
    if use:
        kept = [[scene for scene in part if scene.instances is not None] for part in (train, held_out)]
        train, held_out = kept
        lines = [f"skipped {counted(missing, 'pair')} without an instance map"] if missing else []
    return use, (train, held_out), lines


def _halves(
    pairs: Collection, labels_right: bool, strict: bool, reading: Reading
) -> tuple[list[Scene], list[str]]:
    """The scenes of images whose halves are label map and photo."""
    files, broken = scan_headers(pairs.images, strict=strict, reading=reading, paged=True)
    odd = [file for file in files if file.size[1] % 2]
    if odd and (strict or len(odd) == len(files)):
        raise UserError(f"{odd[0].name}: {odd[0].size[1]} pixels wide; pairs side by side need an even width")
    scenes = [
        Scene(HalfItem(file, labels_right), HalfItem(file, not labels_right))
        for file in files
        if not file.size[1] % 2
    ]
    if not scenes:
        raise UserError(f"{pairs.folder}: none of its {len(broken)} images can be read; {broken[0]}")
    skipped = [f"skipped {counted(len(odd), 'image')} of odd width, e.g. {odd[0].name}"] if odd else []
    return scenes, skipped + skipped_lines(Collection(pairs.folder, (), ()), broken)


# -- names -----------------------------------------------------------------------------------


def _path_key(collection: Collection, file: Path) -> str:
    return collection.key(file)


def _scene_key(collection: Collection, file: Path) -> str:
    return collection.key(file.with_name(scene_stem(file.stem) + file.suffix))


def _name_key(collection: Collection, file: Path) -> str:
    return _scene_key(collection, file).rsplit("/", 1)[-1]


def _matched(labels: Collection, others: Collection) -> dict[Path, Path]:
    """Label map -> the other file of its scene, in natural order.

    By the path below the folder, without the endings that data sets add, or by the name alone: whichever
    finds the most. Keys that two files of a collection share do not count.
    """
    best: dict[Path, Path] = {}
    for key in (_path_key, _scene_key, _name_key):
        first, second = _unique(labels, key), _unique(others, key)
        found = {file: second[own] for own, file in first.items() if own in second}
        if len(found) > len(best):
            best = found
    return best


def _unique(collection: Collection, key: Callable[[Collection, Path], str]) -> dict[str, Path]:
    found: dict[str, Path | None] = {}
    for file in collection.images:
        own = key(collection, file)
        found[own] = None if own in found else file
    return {own: file for own, file in found.items() if file is not None}


def _none_in_common(labels: Collection, images: Collection) -> UserError:
    for each, what, other in ((labels, "label maps", images), (images, "photos", labels)):
        if not each.images:
            return UserError(
                f"{each.folder}: no {what} in this folder; expected the same names as in {other.folder}"
            )
    return UserError(
        f"{labels.folder} and {images.folder}: no names in common (e.g. {labels.images[0].name} and "
        f"{images.images[0].name}); a label map and its photo need the same name, or one that differs by an "
        "ending, as _mask; else give --pair 'labels/{}_x.png:images/{}_y.jpg'"
    )


def _alone(what: str, files: Collection, used: Iterable[Path], missing: str) -> list[str]:
    """What is skipped as it has no counterpart of its own."""
    known = set(used)
    alone = [file for file in files.images if file not in known]
    if not alone:
        return []
    example = alone[0].relative_to(files.folder)
    return [f"skipped {counted(len(alone), what)} of {files.folder} without {missing}, e.g. {example}"]
