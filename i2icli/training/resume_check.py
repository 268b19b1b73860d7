"""Whether a training may go on with the state of an earlier sitting."""

from typing import Any

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.fields import flag, show
from i2icli.stage import Stage
from i2icli.training.run_folder import RunFolder

STATE_FORMAT = 1  # of resume.pt


def check_resumable(state: dict[str, Any], name: str, config: Config, folder: RunFolder) -> None:
    """Raise UserError if the state is of another system, or of settings that cannot become these."""
    if state.get("format") != STATE_FORMAT:
        raise UserError(
            f"{folder.path}: its resume.pt was written by another version of i2icli; "
            f"start a new run with --init-from {folder.path} and another --out"
        )
    if state["name"] != name:
        raise UserError(f"{folder.path} holds a run of {state['name']}; choose another --out")
    before, now = state["config"], config.model_dump(mode="json")
    changed = [key for key, value in now.items() if key in before and before[key] != value]
    for key in changed:
        if key not in config.may_change | config.stage_settings:
            raise UserError(
                f"{folder.path} was begun {_given(key, before[key])}, not {_given(key, now[key])}, "
                f"and that cannot change; {_advice(key, before[key])}, "
                f"{_going_on(name, folder)}"
            )
    growing = [key for key in changed if key in config.stage_settings]
    if growing:
        _check_stages(state, name, config, folder, growing)
    done, wanted = state["clock"]["total"], config.steps or 0
    if done > wanted:
        raise UserError(
            f"{folder.path} has learned for {done} steps already; --steps {wanted} is less, give more, "
            "or choose another --out for a new run"
        )


def _going_on(name: str, folder: RunFolder) -> str:
    """What to do, whichever command it was: not every one takes a recipe."""
    return (
        f"go on with: i2i train {name} DATA --recipe {folder.recipe} --out {folder.path}, "
        "or choose another --out for a new run"
    )


def _given(key: str, value: object) -> str:
    return f"without {flag(key)}" if value in (None, []) else f"with {_spelled(key, value)}"


def _advice(key: str, value: object) -> str:
    return f"leave out {flag(key)}" if value in (None, []) else f"add {_spelled(key, value)}"


def _spelled(key: str, value: object) -> str:
    """As it is typed: --flip, --no-flip, --width 64."""
    if isinstance(value, bool):
        return flag(key if value else f"no_{key}")
    return f"{flag(key)} {show(value)}"


def _check_stages(
    state: dict[str, Any], name: str, config: Config, folder: RunFolder, changed: list[str]
) -> None:
    """Raise UserError unless the stages that were begun are still the same; those to come may be others."""
    before = type(config).model_validate(state["config"]).stages()
    now = config.stages()
    names = [stage.name for stage in before]
    place, step = names.index(state["clock"]["stage"]), state["clock"]["step"]
    reached = before[place]
    begun, wanted = (
        " and ".join(_given(key, settings[key]) for key in changed)
        for settings in (state["config"], config.model_dump(mode="json"))
    )
    given = f"begun {begun}, now {wanted}"
    if len(now) <= place:
        raise UserError(
            f"{folder.path} has reached stage {reached.name} (it was {given}); "
            "it cannot grow to a smaller size, choose another --out for a new run"
        )
    same = before[:place] == now[:place] and _kind(reached) == _kind(now[place])
    if not same or step > now[place].steps:
        raise UserError(
            f"{folder.path} was {given}, which would change the stages it has learned up to "
            f"{reached.name}; {_going_on(name, folder)}"
        )


def _kind(stage: Stage) -> tuple[object, ...]:
    """What must stay in the stage that was left; its length may change."""
    return stage.name, stage.batch_size, stage.resolution
