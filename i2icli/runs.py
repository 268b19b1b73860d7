"""Finding a trained model by what a user calls it. No torch here."""

from pathlib import Path

from i2icli import registry
from i2icli.checkpoint_files import checkpoints_in, models_among, newest
from i2icli.errors import UserError
from i2icli.home import runs_home
from i2icli.metadata import read_metadata

LAST = "model.safetensors"
BEST = "best.safetensors"
COUNTS = "data.json"  # how many examples it learns from, and how many it is scored on
SEGMENTER = "segmenter.safetensors"  # scores generated photos; no model
GRAPHS = (".onnx", ".xml")  # suffixes of exported models
MOST = 8  # models of a folder that are listed


def find_model(text: str, runs: Path | None = None) -> Path:
    """The model file that a text names: a path, a run under `runs`, a system (its newest run), or what
    was pulled by that name or from that address. Without `runs` they lie in `runs_home`.

    A run folder means its last model; the best one is named by its own path. A folder of other programs'
    checkpoints means the generator of the newest epoch. Raises UserError that lists what is there and how to
    get a model.
    """
    runs = runs or runs_home()
    places = (Path(text), runs / text)
    for place in places:
        if place.is_file():
            return place
        if checkpoints_in(place):  # a folder without a model (the data, say) hides no run
            return _in_folder(place)
    if system := registry.system_named(text):
        return _newest(system, runs)
    from i2icli.hub.store import find_pulled

    pulled = find_pulled(text)
    if pulled is not None:
        return pulled
    for place in places:
        if place.is_dir():
            return _in_folder(place)
    raise UserError(
        f"no model {text!r}: {_published(text) or f'no such file, run or system{_there_is(runs)}'}"
    )


def find_networks(text: str, runs: Path | None = None) -> Path | None:
    """The folder of other programs' checkpoints that a text names, one network to a file; else None."""
    if Path(text).is_file():
        return None
    for place in (Path(text), (runs or runs_home()) / text):
        if place.is_dir() and not (place / LAST).exists() and newest(checkpoints_in(place)):
            return place
    return None


def run_models(runs: Path | None = None, *, depth: int = 1) -> list[Path]:
    """The last model of every run, newest first; depth: levels of folders that are looked into."""
    found: list[Path] = []
    folders = [runs or runs_home()]
    for _ in range(depth):
        inside = [each for folder in folders for each in folder.glob("*") if each.is_dir()]
        found += [each / LAST for each in inside if (each / LAST).is_file()]
        folders = [each for each in inside if not (each / LAST).is_file()]  # what is in runs are no runs
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _in_folder(folder: Path) -> Path:
    if (folder / LAST).is_file():
        return folder / LAST
    models = models_among(checkpoints_in(folder))
    if len(models) == 1:
        return models[0]
    if models:
        names = ", ".join(path.name for path in models[:MOST]) + (", ..." if len(models) > MOST else "")
        raise UserError(f"{folder} holds several models ({names}); name one of them, such as {models[0]}")
    if any(path.suffix.lower() in GRAPHS for path in folder.iterdir()):
        return folder  # an export of several graphs is one model
    raise UserError(f"{folder} is a folder without {LAST}; expected a run of `i2i train`, or checkpoints")


def _published(text: str) -> str:
    """How to get a model that lies elsewhere; empty if none is known by that text."""
    from i2icli.hub.catalogue import catalogue

    return f"it is not here yet; get it with: i2i pull {text}" if "://" in text or text in catalogue() else ""


def _newest(system: str, runs: Path) -> Path:
    for path in run_models(runs):
        try:
            if read_metadata(path).system == system:
                return path
        except UserError:
            continue  # a damaged run must not hide the others; naming it says what is wrong
    raise UserError(f"no run of {system} under {runs}{_there_is(runs)}")


def _there_is(runs: Path) -> str:
    names = [path.parent.name for path in run_models(runs)]
    if names:
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        return f"; runs under {runs}: {shown}"
    return f"; there are no runs under {runs}, get a model with: i2i train SYSTEM DATA, or i2i demo"
