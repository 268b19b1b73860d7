"""Checks that a run can be resumed with these settings."""

from typing import Any

from i2icli.config import Config
from i2icli.errors import UserError, quoted
from i2icli.fields import flag, show
from i2icli.stage import Stage
from i2icli.training.run_folder import RunFolder
from i2icli.written import counted

STATE_FORMAT = 1  # of resume.pt


def check_resumable(state: dict[str, Any], name: str, config: Config, folder: RunFolder) -> None:
    """Raise UserError if the state belongs to another system or to incompatible settings."""
    if state.get("format") != STATE_FORMAT:
        raise UserError(
            f"{folder.path}: its resume.pt was written by another version of i2icli; "
            f"start a new run with --init-from {quoted(folder.path)} and another --out"
        )
    if state["name"] != name:
        raise UserError(f"{folder.path} is a run of {state['name']}; choose another --out")
    before, now = state["config"], config.model_dump(mode="json")
    changed = [key for key, value in now.items() if key in before and before[key] != value]
    for key in changed:
        if key in config.found_only - config.may_change:
            raise UserError(
                f"{folder.path} was started with {before[key]} as its {key.replace('_', ' ')}, now there is "
                f"{now[key]}; resume with the same, or choose another --out for a new run"
            )
        if key not in config.may_change | config.stage_settings:
            raise UserError(
                f"{folder.path} was started {_given(key, before[key])}, not {_given(key, now[key])}; this "
                f"cannot be changed later: {_advice(key, before[key])}, or {_how_to_resume(name, folder)} "
                "(new run: another --out, or --init-from)"
            )
    stage_settings = [key for key in changed if key in config.stage_settings]
    if stage_settings:
        _check_stages(state, name, config, folder, stage_settings)
    done = state["clock"]["total"]
    if done > (config.steps or 0):
        raise UserError(
            f"{folder.path}: already trained for {counted(done, 'step')}; --steps must be at least that, "
            "or choose another --out for a new run"
        )


def _how_to_resume(name: str, folder: RunFolder) -> str:
    """How to resume with the original settings; not every command takes a recipe."""
    return f"resume with: i2i train {name} DATA --recipe {quoted(folder.recipe)} --out {quoted(folder.path)}"


def _given(key: str, value: object) -> str:
    return f"without {flag(key)}" if value in (None, []) else f"with {_spelled(key, value)}"


def _advice(key: str, value: object) -> str:
    return f"leave out {flag(key)}" if value in (None, []) else f"add {_spelled(key, value)}"


def _spelled(key: str, value: object) -> str:
    """As on the command line: --flip, --no-flip, --width 64."""
    if isinstance(value, bool):
        return flag(key if value else f"no_{key}")
    return f"{flag(key)} {show(value)}"


def _check_stages(
    state: dict[str, Any], name: str, config: Config, folder: RunFolder, changed: list[str]
) -> None:
    """Raise UserError unless the stages reached so far are unchanged; later ones may differ."""
    before = type(config).model_validate(state["config"]).stages()
    now = config.stages()
    names = [stage.name for stage in before]
    index, step = names.index(state["clock"]["stage"]), state["clock"]["step"]
    reached = before[index]
    old, new = (
        " and ".join(_given(key, settings[key]) for key in changed)
        for settings in (state["config"], config.model_dump(mode="json"))
    )
    if len(now) <= index:
        raise UserError(
            f"{folder.path} has reached stage {reached.name} (started {old}, now {new}); "
            "it cannot grow to a smaller size, choose another --out for a new run"
        )
    same = before[:index] == now[:index] and _fixed(reached) == _fixed(now[index])
    if not same or step > now[index].steps:
        raise UserError(
            f"{folder.path} was started {old}, now {new}; this would change stages that are already trained "
            f"(up to {reached.name}); {_how_to_resume(name, folder)}, or choose another --out for a new run"
        )


def _fixed(stage: Stage) -> tuple[object, ...]:
    """What must not change in the current stage; its length may."""
    return stage.name, stage.batch_size, stage.resolution, stage.clip_length
