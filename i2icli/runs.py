"""Finding a trained model by what a user calls it. No torch here."""

from pathlib import Path

from i2icli import registry
from i2icli.errors import UserError
from i2icli.metadata import read_metadata

LAST = "model.safetensors"
BEST = "best.safetensors"
COUNTS = "data.json"  # how many examples it learns from, and how many it is scored on
SEGMENTER = "segmenter.safetensors"  # scores generated photos; no model
GRAPHS = (".onnx", ".xml")  # suffixes of exported models


def find_model(text: str, runs: Path = Path("runs")) -> Path:
    """The model file that a text names: a path, a run under `runs`, a system (its newest run), or what
    was pulled by that name or from that address.

    A run folder means its last model; the best one is named by its own path. Raises UserError
    that lists what is there and how to get a model.
    """
    places = (Path(text), runs / text)
    for place in places:
        if place.is_file():
            return place
        if any(place.glob("*.safetensors")):  # a folder without a model (the data, say) hides no run
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


def run_models(runs: Path = Path("runs")) -> list[Path]:
    """The last model of every run, newest first."""
    found = [path for path in runs.glob(f"*/{LAST}") if path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _in_folder(folder: Path) -> Path:
    if (folder / LAST).is_file():
        return folder / LAST
    models = sorted(path for path in folder.glob("*.safetensors") if path.name != SEGMENTER)
    if len(models) == 1:
        return models[0]
    if models:
        names = ", ".join(path.name for path in models)
        raise UserError(f"{folder} holds several models ({names}); name one of them")
    if any(path.suffix.lower() in GRAPHS for path in folder.iterdir()):
        return folder  # an export of several graphs is one model
    raise UserError(f"{folder} is a folder without {LAST}; expected a run of `i2i train` or a model file")


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
