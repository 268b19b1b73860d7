"""Which recipe a training starts from where none is named: sized to the machine, or that of its run."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.fields import flag
from i2icli.metadata import read_metadata
from i2icli.recipe import PAPER, SMALL, is_small, resolve_config, small_sizes
from i2icli.runs import find_model
from i2icli.training.run_folder import RunFolder, default_folder


def default_recipe(
    system: str,
    data: Sequence[Path],
    given: Mapping[str, Any],
    options: RunOptions,
    spelled: Callable[[str], str] = flag,
) -> tuple[str | None, str]:
    """The recipe, None for the paper's settings, and a line that says so where the user did not decide.

    given: the settings that the user names. With one of them about sizes, which is said, or with a GPU these
    are the paper's. A run that was started keeps what it has, and one that starts from a model has networks
    of that size. spelled: the options of settings, as the user typed them.
    """
    sizes = small_sizes(system)
    named = [name for name in given if name in sizes]
    if not sizes:
        return None, ""
    folder = RunFolder(options.out or default_folder(system, data))
    if any(path.exists() for path in folder.states):
        return (SMALL if not named and _started_small(system, folder) else None), ""
    if options.init_from is not None:
        same = not named and _suits(system, given) and _is_small_model(system, options.init_from)
        line = f"training with --recipe {SMALL}, as --init-from {options.init_from} was trained"
        return (SMALL, line) if same else (None, "")
    if _has_gpu() or not _suits(system, given):
        return None, ""
    if named:
        return None, _of_named_sizes(system, list(map(spelled, named)), given)
    height, width = sizes.get("crop_size", (0, 0))
    size = f"{width}x{height} px, " if height != width else f"{width} px, " if width else ""
    return SMALL, (
        f"no GPU found: training with --recipe {SMALL} ({size}sized to a processor); the paper's settings: "
        f"--recipe {PAPER}"
    )


def _of_named_sizes(system: str, options: Sequence[str], given: Mapping[str, Any]) -> str:
    """What is said where some options name sizes; "" if with them all are those of the small recipe."""
    if is_small(system, resolve_config(system, None, given)):
        return ""
    return (
        f"no GPU found, but with {', '.join(options)} all other settings are the paper's, which are "
        f"slow on a processor; those sized to one: --recipe {system}-{SMALL}"
    )


def _suits(system: str, given: Mapping[str, Any]) -> bool:
    """Whether the small recipe goes together with the settings that the user names."""
    try:
        resolve_config(system, SMALL, given)
    except UserError:
        return False
    return True


def _started_small(system: str, folder: RunFolder) -> bool:
    try:
        return is_small(system, resolve_config(system, folder.recipe))
    except UserError:  # another system's, or changed by hand: what does not fit is said where it is resumed
        return False


def _is_small_model(system: str, model: str) -> bool:
    """Whether a model has the sizes of the small recipe; what is wrong with it is said where it is loaded."""
    try:
        path = find_model(model)
        metadata = read_metadata(path)
        return metadata.system == system and is_small(system, metadata.settings(path))
    except UserError:
        return False


def _has_gpu() -> bool:
    from i2icli.runtime.device import choose_device

    return choose_device(None).type != "cpu"
