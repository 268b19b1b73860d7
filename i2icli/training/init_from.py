"""--init-from: start from the weights of another run, a published model or an original checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from i2icli.errors import UserError
from i2icli.fields import flag, show
from i2icli.nn.growth import grown_name
from i2icli.originals import load_original
from i2icli.originals.checkpoint import Original
from i2icli.runs import find_model
from i2icli.runtime.checkpoint import load_model
from i2icli.system import System, own_state, own_weights
from i2icli.training.run_folder import RunFolder


def load_init_weights(system: System[Any], source: str) -> tuple[frozenset[str], str]:
    """Copy every weight that has the same name and shape: the names of those that did, and a line about it.

    A run folder gives all its networks, discriminators included; a published file those that translate; an
    original checkpoint what it holds, be it only a part. Raises UserError if not enough of it fits: half of
    the weights that translate, of those here or, where networks were added, of those there.
    """
    path = find_model(source)
    given, original = _read(path)
    own = own_state(system)
    given = {name if name in own else _in_grown(name, own): value for name, value in given.items()}
    fitting = {
        name: value
        for name, value in given.items()
        if isinstance(value, Tensor) and not value.is_meta and name in own and own[name].shape == value.shape
    }
    prefixes = tuple(f"{module}." for module in system.inference_modules)
    weights = set(own_weights(system))
    translating = {name for name in weights if name.startswith(prefixes)}
    taken, others = weights & fitting.keys(), weights - translating
    theirs = {name for name in given if name.startswith(prefixes)}
    if original is not None and not original.translates:
        enough = theirs <= fitting.keys()
    else:
        enough = 2 * len(taken & translating) >= max(1, min(len(translating), len(theirs)))
    if not enough:
        raise UserError(
            f"--init-from {source}: only {len(taken & translating)} of the {len(translating)} weights that "
            f"translate fit; {_advice(system, original)}"
        )
    system.load_state_dict(system.state_dict() | fitting)
    return frozenset(taken), (
        f"starting from {path}: taken over {len(taken & translating)} of the {len(translating)} weights "
        f"that translate and {len(taken & others)} of {len(others)} others; the rest begin fresh"
    )


def _in_grown(name: str, own: Mapping[str, Any]) -> str:
    """Where a weight belongs if its network has grown since: inside the larger one."""
    return grown_name(name) if grown_name(name) in own else name


def _read(path: Path) -> tuple[dict[str, Any], Original | None]:
    """All that a model has to give, by name; and what it is, if it is the authors' own file."""
    if path.suffix != ".safetensors":
        original = load_original(path)
        return dict(original.tensors), original
    state = RunFolder(path.parent).load_state() if path.name == "model.safetensors" else None
    return (state["system"] if state else load_model(path).state_dict()), None


def _advice(system: System[Any], original: Original | None) -> str:
    """What to do: give the settings that the file tells and this training has not."""
    if original is None:
        return "give the settings it was trained with (see i2i info)"
    told, wanted = original.config.model_dump(mode="json"), system.config.model_dump(mode="json")
    others = {name: told[name] for name in original.config.model_fields_set if told[name] != wanted.get(name)}
    listed = " ".join(f"{flag(name)} {show(value)}" for name, value in sorted(others.items()))
    return f"it belongs to {original.system} with {listed}" if others else f"it belongs to {original.system}"
