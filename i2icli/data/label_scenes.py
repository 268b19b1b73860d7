"""Label maps and the photos and instance maps of the same scenes, found by their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2icli.data.images import scan_headers
from i2icli.errors import UserError
from i2icli.image import FileItem, Item
from i2icli.image.finding import Collection, collect


@dataclass(frozen=True)
class Scene:
    """A label map, its photo and perhaps its instance map."""

    labels: Item
    image: Item
    instances: Item | None = None


def find_scenes(labels: Path, images: Path, instances: Path | None, *, strict: bool) -> list[Scene]:
    """The scenes of folders whose files have the same names."""
    found = [_by_key(collect(folder), strict) for folder in (labels, images, instances) if folder]
    keys = [key for key in found[0] if all(key in other for other in found)]
    if not keys:
        raise UserError(f"{labels} and {images}: no names in common")
    return [Scene(*(each[key] for each in found)) for key in keys]


def _by_key(collection: Collection, strict: bool) -> dict[str, FileItem]:
    files, _ = scan_headers(collection.images, strict=strict)
    return {collection.key(file.path): file for file in files}


def scenes_of(folders: Sequence[Path], *, strict: bool) -> list[Scene]:
    """labels/ and images/, and perhaps instances/."""
    (folder,) = folders
    instances = folder / "instances"
    return find_scenes(
        folder / "labels", folder / "images", instances if instances.is_dir() else None, strict=strict
    )
