"""Which recipe a training starts from where none is named: sized to the machine, or that of its run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.recipe import PAPER, SMALL, is_small, resolve_config, small_sizes
from i2icli.runs import find_model
from i2icli.training.run_folder import RunFolder, default_folder


def default_recipe(
    system: str, data: Sequence[Path], given: Mapping[str, Any], options: RunOptions
) -> tuple[str | None, str]:
    """The recipe, None for the paper's settings, and a line that says so where the machine decides.

    given: the settings that the user names. With one of them about sizes, a model to start from or a GPU
    these are the paper's. A run that was started keeps what it has, and so do the networks of another run.
    """
    sizes = small_sizes(system)
    if not sizes or given.keys() & sizes.keys():
        return None, ""
    folder = RunFolder(options.out or default_folder(system, data))
    if any(path.exists() for path in folder.states):
        return (SMALL if _started_small(system, folder) else None), ""
    if options.init_from is not None:
        return _of_its_start(system, options.init_from)
    if _has_gpu() or not _suits(system, given):
        return None, ""
    height, width = sizes.get("crop_size", (0, 0))
    size = f"{width}x{height} px, " if height != width else f"{width} px, " if width else ""
    return SMALL, (
        f"no GPU found: training with --recipe {SMALL} ({size}sized to a processor); the paper's settings: "
        f"--recipe {PAPER}"
    )


def _of_its_start(system: str, source: str) -> tuple[str | None, str]:
    """The small recipe where the run that a training starts from was trained with it."""
    try:
        run = RunFolder(find_model(source).parent)
    except UserError:  # checkpoints of others, or none: said where they are read
        return None, ""
    if not run.recipe.is_file() or not _started_small(system, run):
        return None, ""
    return SMALL, f"--recipe {SMALL}, as {source} was trained with it"


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


def _has_gpu() -> bool:
    from i2icli.runtime.device import choose_device

    return choose_device(None).type != "cpu"
