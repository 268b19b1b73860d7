"""Names of images in the files of others become names of results; photos are found by them."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from i2icli.errors import UserError
from i2icli.image.finding import collect, is_image_name

LONGEST = 200  # bytes of one part of a name: file systems take 255, and a suffix is to follow
PHOTO_ENDINGS = ("", "_leftImg8bit")  # what the names of photos have after those of their maps


def result_name(text: str) -> str:
    """The path of a result, without suffix, below its folder: "bonn/0001.jpg" -> "bonn/0001".

    Raises UserError for a name that would lead outside of the folder or that no file can have.
    """
    parts = PurePosixPath(text.replace("\\", "/")).parts
    odd = [part for part in parts if part in ("..", "/") or ":" in part or not part.isprintable()]
    if odd or not parts or any(len(part.encode(errors="replace")) > LONGEST for part in parts):
        raise UserError(
            f"the image name {text[:LONGEST]!r} is no path below a folder; expected one such as bonn/0001.jpg"
        )
    last = Path(parts[-1])
    stem = last.stem if is_image_name(last) or last.suffix.lower() in (".json", ".txt") else last.name
    return "/".join([*parts[:-1], stem])


class Photos:
    """The photos below some folders, found by the names of annotations, in which images/ does not occur."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)

    def find(self, name: str) -> Path | None:
        """The photo of a result: that of its path, or the only one whose last part is the same; or None."""
        for ending in PHOTO_ENDINGS:
            wanted = f"{name}{ending}".casefold()
            found = self._by_path.get(wanted) or self._by_stem.get(wanted.rsplit("/", 1)[-1], [])
            if len(found) == 1:
                return found[0]
        return None

    @cached_property
    def _by_path(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for folder in self.folders:
            collection = collect(folder)
            for image in collection.images:
                key = [part for part in collection.key(image).split("/") if part != "images"]
                found.setdefault("/".join(key), []).append(image)
        return found

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for key, images in self._by_path.items():
            found.setdefault(key.rsplit("/", 1)[-1], []).extend(images)
        return found
