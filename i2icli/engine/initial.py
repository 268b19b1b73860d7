"""--init-from: start from the weights of another run, a published model or an original checkpoint."""

from typing import Any

from torch import Tensor

from i2icli.engine.checkpoint import load_model
from i2icli.engine.run_folder import RunFolder
from i2icli.errors import UserError
from i2icli.fields import flag, show
from i2icli.models import find_model
from i2icli.original import Original
from i2icli.originals import load_original
from i2icli.system import System


def load_initial(system: System[Any], source: str) -> tuple[frozenset[str], str]:
    """Copy every weight that has the same name and shape: the names of those that did, and a line about it.

    A run folder gives all its networks, discriminators included; a published file those that translate; an
    original checkpoint what it holds, be it only a part. Raises UserError if not enough of it fits: half of
    the weights that translate, of those here or, where networks were added, of those there.
    """
    path = find_model(source)
    original = None
    if path.suffix != ".safetensors":
        original = load_original(path)
        given: dict[str, Any] = dict(original.tensors)
    elif path.name == "model.safetensors" and (state := RunFolder(path.parent).load_state()):
        given = state["system"]
    else:
        given = load_model(path).state_dict()
    own = system.state_dict()
    fitting = {
        name: value
        for name, value in given.items()
        if isinstance(value, Tensor) and not value.is_meta and name in own and own[name].shape == value.shape
    }
    weights = {name for name, _ in system.named_parameters()}
    taken = weights & fitting.keys()
    prefixes = tuple(f"{module}." for module in system.inference_modules)
    translating = {name for name in weights if name.startswith(prefixes)}
    theirs = sum(name.startswith(prefixes) for name in given)
    enough = 2 * len(taken & translating) >= max(1, min(len(translating), theirs))
    if original is not None and not original.translates:
        enough = all(name in fitting for name in given if name.startswith(prefixes))
    if not enough:
        advice = (
            "give the settings it was trained with (see i2i info)"
            if original is None
            else _advice(system, original)
        )
        raise UserError(
            f"--init-from {source}: only {len(taken & translating)} of the {len(translating)} weights that "
            f"translate fit; {advice}"
        )
    system.load_state_dict(own | fitting)
    others = weights - translating
    return frozenset(taken), (
        f"starting from {path}: taken over {len(taken & translating)} of the {len(translating)} weights "
        f"that translate and {len(taken & others)} of {len(others)} others; the rest begin fresh"
    )


def _advice(system: System[Any], original: Original) -> str:
    """The settings that the file tells and this training has not."""
    told, wanted = original.config.model_dump(mode="json"), system.config.model_dump(mode="json")
    others = {name: told[name] for name in original.config.model_fields_set if told[name] != wanted.get(name)}
    listed = " ".join(f"{flag(name)} {show(value)}" for name, value in sorted(others.items()))
    return f"it belongs to {original.system} with {listed}" if others else f"it belongs to {original.system}"
