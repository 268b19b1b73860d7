"""Pulling a model: from what a user names to a file that `--model` finds by its name."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from i2icli import __version__
from i2icli.downloads.download import Progress, download, locked, sha256_of
from i2icli.errors import UserError, about
from i2icli.home import data_home
from i2icli.hub.inspection import Inspected, inspect
from i2icli.hub.sources import Source, find_source
from i2icli.hub.store import Pulled, check_name, folder_of, read_record, safe_name, write_record


@dataclass(frozen=True)
class Result:
    """A model that can be named, and whether it was here before."""

    pulled: Pulled
    was_here: bool


def pull(
    what: str,
    progress: Progress,
    *,
    name: str | None = None,
    sha256: str = "",
    allow_http: bool = False,
    again: bool = False,
) -> Result:
    """Download a model, look at it, and make it known by its name.

    what: a name of the catalogue, https://..., or hf://owner/name[/file]. name: what it shall be called.
    sha256: what the file's must begin with. again: also if it is here. Raises UserError if it cannot be had,
    the name is taken by another model, or it is no model; then the file is kept aside and named.
    """
    known = _known(what, name)
    if known is not None and not again:
        _check_digest(known, sha256)
        return Result(known, was_here=True)
    source = find_source(what, sha256=sha256, allow_http=allow_http)
    name = name or source.name
    check_name(name)
    folder = folder_of(name)
    with locked(folder, progress):
        before = read_record(name)
        if before is not None and before.source != source.text:
            raise UserError(
                f"a model pulled from {before.source} is called {name} already; choose another --name"
            )
        if before is not None and not again:  # another process was faster
            return Result(before, was_here=True)
        waiting = data_home() / "downloads" / name / safe_name(source.file)
        if again:
            waiting.unlink(missing_ok=True)
        digest = download(source.wanted, waiting, progress)
        found = _inspected(waiting, source)
        return Result(_keep(name, source, found, digest, before), was_here=False)


def _known(what: str, name: str | None) -> Pulled | None:
    """The model that was pulled from there before, under that name if one is given."""
    from i2icli.hub.store import pulled

    found = [each for each in pulled() if each.source == what and name in (None, each.name)]
    return found[0] if found else None


def _check_digest(known: Pulled, sha256: str) -> None:
    if not known.sha256.startswith(sha256.lower()):
        raise UserError(
            f"{known.path}: its SHA-256 is {known.sha256}, not {sha256}; --again downloads it again"
        )


def _inspected(path: Path, source: Source) -> Inspected:
    """What a file is. One that is no model is kept aside, where `--model` does not find it by name."""
    try:
        with about(source.text):
            return inspect(path)
    except UserError as error:
        shutil.rmtree(path.parent / "unpacked", ignore_errors=True)
        beside = next((each for each in path.parent.glob(f"{path.name}*") if each.is_file()), path)
        aside = data_home() / "refused" / beside.name
        aside.parent.mkdir(parents=True, exist_ok=True)
        beside.replace(aside)
        raise UserError(f"{error} (kept as {aside})", exit_code=1) from None


def _keep(name: str, source: Source, found: Inspected, digest: str, before: Pulled | None) -> Pulled:
    """Move a file to where it is found by its name, and write down what is known of it.

    before: what was pulled by that name, whose file goes; whatever else a user keeps in the folder stays.
    """
    folder = folder_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    taken_out = found.path.parent.name == "unpacked"
    record = Pulled(
        name=name,
        file=found.path.name,
        source=source.text,
        url=source.wanted.url,
        sha256=sha256_of(found.path) if taken_out else digest,
        checked=source.checked,
        size=found.path.stat().st_size,
        system=found.system,
        translates=found.translates,
        licence=source.licence,
        version=__version__,
    )
    found.path.replace(record.path)
    write_record(record)
    if before is not None and before.path != record.path:
        before.path.unlink(missing_ok=True)
    shutil.rmtree(data_home() / "downloads" / name, ignore_errors=True)
    return record
