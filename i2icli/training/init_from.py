"""--init-from: start from the weights of another run, a published model or checkpoints of others."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from i2icli import registry
from i2icli.config import Config
from i2icli.errors import UserError, quoted
from i2icli.fields import flag, kind, show
from i2icli.logs import LOG
from i2icli.metadata import describes_itself, read_metadata
from i2icli.nn.growth import grown_name
from i2icli.originals.parts import Start, Taken, parts_of, read_start
from i2icli.runs import LAST, find_model, find_networks
from i2icli.runtime.checkpoint import check_finite, load_model
from i2icli.system import System
from i2icli.training.callbacks import Callbacks
from i2icli.training.fine_tuning import report_start
from i2icli.training.run_folder import DamagedStateError, RunFolder
from i2icli.training.state import own_state, own_weights
from i2icli.written import counted

_OF_NETWORKS = ("int", "choice", "flag")  # kinds of settings that decide how large networks are
MOST = 8  # weights of other shapes that are listed by name


def initialise(system: System[Any], source: str | None, callbacks: Callbacks) -> frozenset[str]:
    """Load initial weights for a run that begins, if there are any; the names of those loaded."""
    loaded: frozenset[str] = frozenset()
    if source:
        loaded, line = load_init_weights(system, source, callbacks.warn)
        callbacks.note(line)
    system.check_start(loaded)
    report_start(system, loaded, callbacks.warn)
    return loaded


def load_init_weights(
    system: System[Any], source: str, warn: Callable[[str], None] = LOG.warning
) -> tuple[frozenset[str], str]:
    """Load every weight whose name and shape match; returns the names of those loaded, and a line to report.

    A run folder provides all networks, discriminators included; a published file the
    inference networks; checkpoints of others whichever networks they hold. Raises UserError if fewer than
    half of the generator weights match (of those here or, where networks were added, of those in the source;
    where networks lie in files of their own, of each), and for weights that are not finite.
    warn: is told where an older state stands in for a damaged one.
    """
    name = registry.name_of(type(system))
    path, start = _read(system, name, source, warn)
    compared = Compared(system, start)
    if not compared.enough:
        raise UserError(f"--init-from {source}: {compared.shortage}; {_advice(system, name, start, path)}")
    for key, value in compared.matching.items():
        check_finite(value, key, path)
    system.load_state_dict(system.state_dict() | compared.matching)
    own = parts_of(name, system.config)
    networks = [Taken(each, part.module, part.about) for each, part in own.items()] if start.taken else []
    lines = [*compared.taken(networks), compared.numbers + compared.from_scratch(networks)]
    return compared.loaded, f"starting from {path}: {'; '.join([*lines, *_remarks(system, start, networks)])}"


class Compared:
    """What a source holds, beside what a system has."""

    def __init__(self, system: System[Any], start: Start) -> None:
        own = own_state(system)
        self.start, self.weights, self.modules = start, own_weights(system), system.inference_modules
        self.found = {
            key if key in own else _in_grown(key, own): value
            for key, value in start.tensors.items()
            if isinstance(value, Tensor) and not value.is_meta
        }
        self.matching = {
            key: value for key, value in self.found.items() if key in own and own[key].shape == value.shape
        }
        self.unfit = [each for each in start.taken if each.alone and not self._fits(each)]
        self.share = {each: self._share(each) for each in self.unfit}
        for each in self.unfit:
            self.matching = {key: value for key, value in self.matching.items() if not _inside(key, each)}
        self.generator = {key for key in self.weights if self._generates(key)}
        self.loaded = frozenset(self.weights.keys() & self.matching.keys())

    @property
    def enough(self) -> bool:
        """Whether so much matches that a training may start from it."""
        if any(self._generates(f"{each.module}.") for each in self.unfit):
            return False
        theirs = {key for key in self.found if self._generates(key)}
        if self.start.partial:
            return theirs <= self.matching.keys()
        if self.start.taken and not self.start.made_for:
            return bool(self.loaded)
        return 2 * len(self.loaded & self.generator) >= max(1, min(len(self.generator), len(theirs)))

    @property
    def shortage(self) -> str:
        """What does not match."""
        if self.unfit:
            return ", ".join(f"{each} does not fit ({self.share[each]})" for each in self.unfit)
        matching = len(self.loaded & self.generator)
        return f"only {matching} of {len(self.generator)} generator weights match"

    def taken(self, networks: list[Taken]) -> list[str]:
        """Which networks came from the source, and which start from scratch, if they have names."""
        taken = [str(each) for each in self.start.taken if each not in self.unfit]
        missing = [self._why(each) for each in networks if self._is_missing(each)]
        lines = [f"took {_listed(taken)}"] if networks and taken else []
        start = "starts" if len(missing) == 1 else "start"
        return [*lines, f"{_listed(missing)} {start} from scratch"] if missing else lines

    @property
    def numbers(self) -> str:
        """How many weights were loaded."""
        others = self.weights.keys() - self.generator
        return (
            f"loaded {len(self.loaded & self.generator)}/{len(self.generator)} generator weights and "
            f"{len(self.loaded & others)}/{len(others)} others"
        )

    def from_scratch(self, networks: list[Taken]) -> str:
        """Which other weights start from scratch: "; from scratch: ...", empty where none does."""
        missing = [each for each in networks if self._is_missing(each)]
        names = {
            name
            for name in self.weights.keys() - self.loaded
            if not any(_inside(name, each) for each in missing)
        }
        differ = [
            f"{self._theirs(name)} ({_shape(self.found[name])} there, {_shape(self.weights[name])} here)"
            for name in sorted(names & self.found.keys())
        ]
        more = [f"and {len(differ) - MOST} more"] if len(differ) > MOST else []
        lacking = Counter(name.partition(".")[0] for name in names - self.found.keys())
        lacks = [
            f"{counted(count, 'weight')} of {network} that it lacks"
            for network, count in sorted(lacking.items())
        ]
        listed = ", ".join([*differ[:MOST], *more, *lacks])
        return f"; from scratch: {listed}" if listed else ""

    def _generates(self, name: str) -> bool:
        return name.startswith(tuple(f"{module}." for module in self.modules))

    def _fits(self, network: Taken) -> bool:
        matching, here, there = self._counts(network)
        return 2 * matching >= max(1, min(here, there))

    def _share(self, network: Taken) -> str:
        matching, here, _ = self._counts(network)
        return f"{matching} of {counted(here, 'weight')} match"

    def _counts(self, network: Taken) -> tuple[int, int, int]:
        """Weights of a network: those that match, those here, and its tensors in the source."""
        here = {name for name in self.weights if _inside(name, network)}
        there = sum(_inside(name, network) for name in self.found)
        return len(here & self.matching.keys()), len(here), there

    def _is_missing(self, network: Taken) -> bool:
        matching, here, _ = self._counts(network)
        return here > 0 and matching == 0

    def _theirs(self, name: str) -> str:
        """A weight's name, its network called as the source calls it."""
        network = next((each for each in self.start.taken if _inside(name, each)), None)
        return name if network is None else f"{network.name}.{name.removeprefix(f'{network.module}.')}"

    def _why(self, network: Taken) -> str:
        share = next((text for each, text in self.share.items() if each.module == network.module), None)
        return f"{network}, which does not fit ({share})," if share else str(network)


def _inside(name: str, network: Taken) -> bool:
    return name.startswith(f"{network.module}.")


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _shape(weight: Tensor) -> str:
    return "x".join(map(str, weight.shape))


def _in_grown(name: str, own: Mapping[str, Any]) -> str:
    """The name of a weight inside the grown network, if its network has grown."""
    return grown_name(name) if grown_name(name) in own else name


def _read(system: System[Any], name: str, source: str, warn: Callable[[str], None]) -> tuple[Path, Start]:
    """Where the source is, and what is in it."""
    networks = find_networks(source)
    if networks is not None:
        return networks, read_start(name, system.config, networks)
    path = find_model(source)
    if not describes_itself(path):
        return path, read_start(name, system.config, path)
    return path, Start(_state(path, warn) or load_model(path).state_dict(), *_made_with(path))


def _made_with(model: Path) -> tuple[dict[str, Any], str]:
    """The settings of a model's networks, those of its training left out, and its system."""
    metadata = read_metadata(model)
    config = metadata.settings(model)
    fields = type(config).model_fields
    own = [name for name in fields.keys() - Config.model_fields.keys() if kind(fields[name]) in _OF_NETWORKS]
    return config.model_dump(mode="json", include={*own, "channels"}), metadata.system


def _state(model: Path, warn: Callable[[str], None]) -> dict[str, Any] | None:
    """All networks of the run that a model belongs to; None where no state can be read."""
    if model.name != LAST:
        return None
    folder = RunFolder(model.parent)
    try:
        state = folder.load_state(warn)
    except DamagedStateError:
        warn(f"{folder.states[0]} is damaged: only what {model.name} holds is loaded, no discriminators")
        return None
    return state["system"] if state else None


def _advice(system: System[Any], name: str, start: Start, path: Path) -> str:
    """What to do: the recipe of the run, or the settings of the files that differ from those of this run."""
    if not start.taken:
        return _advice_on_ours(system, name, start, RunFolder(path.parent).recipe)
    made = f"it was made for {start.made_for}" if start.made_for not in ("", name) else "it was made"
    listed = _differing(system, start)
    if not listed:
        return made if start.made_for else "it is of another kind than the networks of these settings"
    return f"{made} with {listed}"


def _advice_on_ours(system: System[Any], name: str, start: Start, recipe: Path) -> str:
    """The same for a model that describes itself."""
    if start.made_for != name:
        return f"it is a model of {start.made_for}, name one of {name}"
    if recipe.is_file():
        return f"take the settings it was trained with: --recipe {quoted(recipe)}"
    return f"it was trained with {_differing(system, start) or 'other settings, see i2i info'}"


def _differing(system: System[Any], start: Start) -> str:
    """The settings that keys and shapes tell and that are others here: "--width 8 --norm batch"."""
    ours = system.config.model_dump(mode="json")
    others = {key: value for key, value in start.settings.items() if value != ours.get(key)}
    return " ".join(_option(name, value) for name, value in sorted(others.items()))


def _option(name: str, value: object) -> str:
    """A setting as it is typed."""
    if isinstance(value, bool):
        return flag(name if value else f"no_{name}")
    return f"{flag(name)} {show(value)}"


def _remarks(system: System[Any], start: Start, networks: list[Taken]) -> list[str]:
    """What else a user should know of networks of others."""
    if not networks:
        return []
    differing = "" if start.made_for else _differing(system, start)
    remarks = [f"it was made with {differing}"] if differing else []
    if start.beside:
        names = _listed([path.name for path in start.beside])
        lies = "lies" if len(start.beside) == 1 else "lie"
        remarks.append(f"{names} {lies} beside it (--init-from {quoted(start.beside[0].parent)} takes all)")
    return remarks
