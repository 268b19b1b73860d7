"""--init-from: start from the weights of another run, a published model or an original checkpoint."""

from typing import Any

from torch import Tensor

from i2icli.engine.models import load_any
from i2icli.engine.run_folder import RunFolder
from i2icli.errors import UserError
from i2icli.models import find_model
from i2icli.system import System


def load_initial(system: System[Any], source: str) -> str:
    """Copy every weight that has the same name and shape; one line saying how many did.

    A run folder gives all its networks, discriminators included; a single file its published ones.
    Raises UserError if nothing fits.
    """
    path = find_model(source)
    state = RunFolder(path.parent).load_state() if path.name == "model.safetensors" else None
    given: dict[str, Any] = state["system"] if state else load_any(path).state_dict()
    own = system.state_dict()
    fitting = {
        name: value
        for name, value in given.items()
        if isinstance(value, Tensor) and not value.is_meta and name in own and own[name].shape == value.shape
    }
    weights = {name for name, _ in system.named_parameters()}
    taken = weights & fitting.keys()
    translating = {
        name for name in weights if name.startswith(tuple(f"{m}." for m in system.inference_modules))
    }
    if 2 * len(taken & translating) < len(translating):
        raise UserError(
            f"--init-from {source}: only {len(taken & translating)} of the {len(translating)} weights that "
            "translate fit; give the settings it was trained with (see i2i info)"
        )
    system.load_state_dict(own | fitting)
    others = weights - translating
    return (
        f"starting from {path}: taken over {len(taken & translating)} of the {len(translating)} weights "
        f"that translate and {len(taken & others)} of {len(others)} others; the rest begin fresh"
    )
