"""Taking the models out of a zip file of unknown origin: bounded, and nothing outside the target."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from i2icli.downloads.download import SPARE, megabytes
from i2icli.errors import UserError
from i2icli.hub.store import safe_name

MOST_MEMBERS = 1000  # files in an archive
MOST_MODELS = 20  # of these
LARGEST_RATIO = 20  # weights hardly compress; what unfolds to many times its size is no model


def unpack_models(path: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Unpack the files with such suffixes beside the archive, one after another, by their last names.

    Raises UserError for a damaged archive, for one that unfolds to more than the disk or weights could be,
    and for files of equal names.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MOST_MEMBERS:
                raise UserError(f"the archive holds more than {MOST_MEMBERS:,} files; this is no model")
            members = [each for each in archive.infolist() if each.filename.lower().endswith(suffixes)]
            _check(members, path)
            for member in members:
                target = path.parent / "unpacked" / safe_name(PurePosixPath(member.filename).name)
                target.parent.mkdir(exist_ok=True)
                if target.exists():
                    raise UserError(
                        f"the archive holds {target.name} twice; unpack it and name a file itself"
                    )
                with archive.open(member) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, 2**20)  # reads no more than the declared size
                yield target
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, ValueError, RuntimeError) as error:
        raise UserError(f"the archive cannot be unpacked ({error}); pull it again") from None


def _check(members: list[zipfile.ZipInfo], path: Path) -> None:
    whole, packed = (sum(getattr(each, name) for each in members) for name in ("file_size", "compress_size"))
    if len(members) > MOST_MODELS:
        raise UserError(f"the archive holds {len(members)} files of weights; unpack it and name one itself")
    if whole > LARGEST_RATIO * max(1, path.stat().st_size) or whole > LARGEST_RATIO * max(1, packed):
        raise UserError(
            f"the archive unfolds to {megabytes(whole)}, which weights do not; it was not unpacked"
        )
    if whole > shutil.disk_usage(path.parent).free - SPARE:
        raise UserError(f"the archive unfolds to {megabytes(whole)}, for which {path.parent} has no room")
