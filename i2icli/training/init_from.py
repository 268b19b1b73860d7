"""--init-from: start from the weights of another run, a published model or an original checkpoint."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from i2icli.errors import UserError
from i2icli.fields import flag, show
from i2icli.metadata import describes_itself
from i2icli.nn.growth import grown_name
from i2icli.originals import load_original
from i2icli.originals.checkpoint import Original
from i2icli.runs import find_model
from i2icli.runtime.checkpoint import load_model
from i2icli.system import System
from i2icli.training.run_folder import RunFolder
from i2icli.training.state import own_state, own_weights

MOST = 8  # weights of other shapes that are listed by name


def load_init_weights(system: System[Any], source: str) -> tuple[frozenset[str], str]:
    """Load every weight whose name and shape match; returns the names of those loaded, and a line to report.

    A run folder provides all networks, discriminators included; a published file the inference networks; an
    original checkpoint whatever it holds, possibly only a part. Raises UserError if fewer than half of the
    generator weights match (of those here or, where networks were added, of those in the file).
    """
    path = find_model(source)
    found, original = _read(path)
    own = own_state(system)
    found = {
        name if name in own else _in_grown(name, own): value
        for name, value in found.items()
        if isinstance(value, Tensor) and not value.is_meta
    }
    matching = {
        name: value for name, value in found.items() if name in own and own[name].shape == value.shape
    }
    prefixes = tuple(f"{module}." for module in system.inference_modules)
    weights = set(own_weights(system))
    generator = {name for name in weights if name.startswith(prefixes)}
    loaded, others = weights & matching.keys(), weights - generator
    theirs = {name for name in found if name.startswith(prefixes)}
    if original is not None and not original.translates:
        enough = theirs <= matching.keys()
    else:
        enough = 2 * len(loaded & generator) >= max(1, min(len(generator), len(theirs)))
    if not enough:
        raise UserError(
            f"--init-from {source}: only {len(loaded & generator)} of {len(generator)} generator weights "
            f"match; {_advice(system, original)}"
        )
    system.load_state_dict(system.state_dict() | matching)
    return frozenset(loaded), (
        f"starting from {path}: loaded {len(loaded & generator)}/{len(generator)} generator weights and "
        f"{len(loaded & others)}/{len(others)} others{_from_scratch(system, weights - loaded, found)}"
    )


def _from_scratch(system: System[Any], names: set[str], found: Mapping[str, Any]) -> str:
    """Which weights start from scratch: "; from scratch: ...", empty where none does."""
    differ = [
        f"{name} ({_shape(found[name])} there, {_shape(system.get_parameter(name))} here)"
        for name in sorted(names & found.keys())
    ]
    more = [f"and {len(differ) - MOST} more"] if len(differ) > MOST else []
    lacking = Counter(name.partition(".")[0] for name in names - found.keys())
    networks = [f"{count} weights of {network} that it lacks" for network, count in sorted(lacking.items())]
    listed = ", ".join([*differ[:MOST], *more, *networks])
    return f"; from scratch: {listed}" if listed else ""


def _shape(weight: Tensor) -> str:
    return "x".join(map(str, weight.shape))


def _in_grown(name: str, own: Mapping[str, Any]) -> str:
    """The name of a weight inside the grown network, if its network has grown."""
    return grown_name(name) if grown_name(name) in own else name


def _read(path: Path) -> tuple[dict[str, Any], Original | None]:
    """The state dict of a model, and the `Original` if it is the original authors' checkpoint."""
    if not describes_itself(path):
        original = load_original(path)
        return dict(original.tensors), original
    state = RunFolder(path.parent).load_state() if path.name == "model.safetensors" else None
    return (state["system"] if state else load_model(path).state_dict()), None


def _advice(system: System[Any], original: Original | None) -> str:
    """What to do: the settings of the file that differ from those of this run."""
    if original is None:
        return "use the settings it was trained with (see i2i info)"
    theirs, ours = original.config.model_dump(mode="json"), system.config.model_dump(mode="json")
    others = {key: theirs[key] for key in original.config.model_fields_set if theirs[key] != ours.get(key)}
    listed = " ".join(f"{flag(name)} {show(value)}" for name, value in sorted(others.items()))
    made_for = f"it was made for {original.system}"
    return f"{made_for} with {listed}" if others else made_for
