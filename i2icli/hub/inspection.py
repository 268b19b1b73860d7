"""Looking at a file that was downloaded: which model it is, or why it is none. Nothing in it is executed."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from i2icli import registry
from i2icli.errors import UserError, readable
from i2icli.hub.archives import unpack_models
from i2icli.metadata import describes_itself, read_metadata, stage_named, system_of_graph

SUFFIXES = (".safetensors", ".pth", ".pt", ".pkl", ".ckpt", ".onnx")

_FIRST_OF_ONNX = b"\x08"  # the number of the field that is written first: the version of the format


@dataclass(frozen=True)
class Inspected:
    """A model file, and what it holds."""

    path: Path
    system: str
    translates: bool = True  # False: a part that a training can start from


def inspect(path: Path) -> Inspected:
    """The model in a file, which gets a suffix that says its kind. Raises UserError if it is none.

    Of an archive the one model that can translate or generate is taken out.
    """
    with path.open("rb") as file:
        start = file.read(256)
    if path.suffix.lower() == ".xml" and b"<net" in start:
        raise UserError(
            "an OpenVINO graph is two files, of which this is one; pull the .onnx, or download .xml and .bin "
            "into a folder and name that: --model FOLDER"
        )
    if start.lstrip()[:1] == b"<":
        raise UserError(
            "a web page came, not a model; open the address in a browser, download the file there, and name "
            "the file itself: --model FILE",
            exit_code=1,
        )
    if path.suffix.lower() not in SUFFIXES and _is_archive(path):
        return _from_archive(path)
    if path.suffix.lower() not in SUFFIXES:
        path = path.rename(path.with_name(f"{path.name}{_suffix(start)}"))
    return _model(path)


def _model(path: Path) -> Inspected:
    if path.suffix.lower() == ".onnx":
        return Inspected(path, system_of_graph(path))
    if describes_itself(path):
        metadata = read_metadata(path)
        registry.entry(metadata.system)
        stage_named(metadata.settings(path), metadata.stage, path)
        return Inspected(path, metadata.system)
    from i2icli.originals import load_original  # imports torch

    original = load_original(path)
    return Inspected(path, original.system, original.translates)


def _suffix(start: bytes) -> str:
    """The suffix of a file that has none, by its first bytes."""
    if start[8:9] == b"{" and not any(start[5:8]):
        return ".safetensors"
    return ".onnx" if start[:1] == _FIRST_OF_ONNX else ".pth"


def _is_archive(path: Path) -> bool:
    """Whether it is a zip file, but not one that torch.save writes."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return not any(name.endswith("/data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _from_archive(path: Path) -> Inspected:
    found, reasons = [], []
    for member in unpack_models(path, SUFFIXES):
        try:
            found.append(_model(member))
        except UserError as error:
            reasons.append(str(error))
            member.unlink(missing_ok=True)
    whole = [each for each in found if each.translates] or found
    if len(whole) != 1:
        names = ", ".join(readable(each.path.name) for each in whole)
        why = f"several models ({names})" if whole else f"no model ({reasons[0]})" if reasons else "no model"
        raise UserError(f"the archive holds {why}; unpack it and name a file itself: --model FILE")
    for each in found:
        if each is not whole[0]:
            each.path.unlink(missing_ok=True)
    return whole[0]
