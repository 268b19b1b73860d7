"""Fine-tuning: weights that do not learn (`Config.freeze`), and a learning rate for those that were loaded.

The optimisers that a system made are changed, so that no system knows of it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer

from i2icli.errors import UserError
from i2icli.nn.growth import grown_name
from i2icli.system import System
from i2icli.training.state import own_weights

ROLES = ("generator", "discriminator", "encoder")
ENCODERS = ("E", "encoders")
CLIPPED_WITH = "clipped_with"  # of a group of weights: the number of the one that it was split from
MOST = 12  # names that are listed


def frozen_prefixes(system: System[Any]) -> tuple[str, ...]:
    """The networks and parts that `--freeze` names, as "G.down." or the name of a single weight.

    Raises UserError for a name that there is not, and where nothing would be left to learn.
    """
    names = system.config.freeze
    if not names:
        return ()
    prefixes = tuple(each for name in names for each in _meant(system, name))
    weights = own_weights(system)
    kept = {id(weight) for name, weight in weights.items() if name.startswith(prefixes)}
    clock, reached = system.clock, system.clock.stage
    try:
        for stage in system.config.stages():
            clock.stage = stage
            groups = (group for each in system.optimizers().values() for group in each.param_groups)
            if all(id(weight) in kept for group in groups for weight in group["params"]):
                during = f" in stage {stage.name}" if stage.name != "main" else ""
                raise UserError(f"--freeze {','.join(names)} leaves nothing to learn{during}; freeze less")
    finally:
        clock.stage = reached
    return prefixes


def frozen_weights(system: System[Any]) -> frozenset[str]:
    """The names of the weights that do not learn; see `frozen_prefixes`."""
    prefixes = frozen_prefixes(system)
    return frozenset(name for name in own_weights(system) if name.startswith(prefixes))


def frozen_line(system: System[Any]) -> str | None:
    """How much does not learn, in one line; None where everything does."""
    frozen, weights = frozen_weights(system), own_weights(system)
    if not frozen:
        return None
    some = sum(weights[name].numel() for name in frozen)
    every = sum(weight.numel() for weight in weights.values())
    return f"frozen: {', '.join(system.config.freeze)} ({some:,} of {every:,} parameters)"


def report_start(system: System[Any], loaded: frozenset[str], warn: Callable[[str], None]) -> None:
    """Warn of what may be meant otherwise where a run starts.

    loaded: names of the weights that --init-from gave.
    """
    random = sorted(frozen_weights(system) - loaded)
    learning = {name.partition(".")[0] for name in own_weights(system).keys() - set(random)}
    parts = dict.fromkeys(
        ".".join(name.split(".")[: 1 + (name.partition(".")[0] in learning)]) for name in random
    )
    if random:
        listed = ", ".join(list(parts)[:MOST]) + (", ..." if len(parts) > MOST else "")
        warn(f"frozen, but not from --init-from: {listed} will stay random")
    if system.config.loaded_lr_factor != 1 and not loaded:
        warn("--loaded-lr-factor has no effect without --init-from")


def freeze(system: System[Any]) -> None:
    """Keep frozen weights from gradients, and what lies beside them from following the batches.

    Running statistics and singular vectors are what a network keeps of the batches: its layers that have
    such are in evaluation mode from now on. To be called whenever the system was set to training.
    """
    prefixes = frozen_prefixes(system)
    if not prefixes:
        return
    for name, weight in own_weights(system).items():
        if name.startswith(prefixes):
            weight.requires_grad_(False)
    for name, module in system.named_modules():
        if f"{name}.".startswith(prefixes) and any(True for _ in module.buffers(recurse=False)):
            module.training = False


def adjust_optimizers(
    system: System[Any], optimizers: Mapping[str, Optimizer], loaded: frozenset[str]
) -> None:
    """Take frozen weights out of new optimisers, and put those that were loaded into groups of their own.

    loaded: names of the weights that --init-from gave.
    """
    names = {id(weight): name for name, weight in own_weights(system).items()}
    frozen, factor = frozen_weights(system), system.config.loaded_lr_factor
    apart = loaded if factor != 1 else frozenset()
    for optimizer in optimizers.values():
        groups: list[dict[str, Any]] = []
        for number, group in enumerate(optimizer.param_groups):
            learned = [weight for weight in group["params"] if names.get(id(weight)) not in frozen]
            others = [weight for weight in learned if names.get(id(weight)) not in apart]
            own = [weight for weight in learned if names.get(id(weight)) in apart]
            split = {CLIPPED_WITH: number} if own else {}
            groups += [group | split | {"params": others}] if others else []
            groups += [group | split | {"params": own, "lr": factor * group["lr"]}] if own else []
        optimizer.param_groups[:] = groups


def clipped_together(optimizer: Optimizer) -> Iterable[list[nn.Parameter]]:
    """The weights whose gradients are clipped to one norm: a group, or those that it was split into."""
    together: dict[object, list[nn.Parameter]] = {}
    for place, group in enumerate(optimizer.param_groups):
        together.setdefault(group.get(CLIPPED_WITH, f"group {place}"), []).extend(group["params"])
    return together.values()


def _networks(system: System[Any]) -> list[str]:
    """The networks that learn."""
    return list(dict.fromkeys(name.partition(".")[0] for name in own_weights(system)))


def _meant(system: System[Any], name: str) -> list[str]:
    """What a name stands for: networks of a role, a network, or layers inside one."""
    networks = _networks(system)
    encoders = [each for each in networks if each in ENCODERS]
    published = [each for each in networks if each in system.inference_modules]
    roles = {
        "generator": [each for each in published if each not in encoders],
        "discriminator": [each for each in networks if each not in published],
        "encoder": encoders,
    }
    role = roles.get(name.lower().removesuffix("s"), []) if name not in networks else []
    if role:
        return [f"{each}." for each in role]
    weights = own_weights(system)
    for start in (name, grown_name(name)):
        for prefix in (f"{start}.", start):
            if any(each.startswith(prefix) if prefix != start else each == start for each in weights):
                return [prefix]
    raise UserError(f"--freeze {name}: {_there_is(system, name, networks, roles)}")


def _there_is(system: System[Any], name: str, networks: list[str], roles: Mapping[str, list[str]]) -> str:
    """What may be frozen instead of an unknown name."""
    network = name.partition(".")[0]
    if network not in networks:
        own = [role for role, names in roles.items() if names and role not in networks]
        some, every = ", ".join(_parts(system, networks[0])[:3]), ", ".join(networks)
        return f"no such network; there are {every} (or {', '.join(own)}), and parts such as {some}"
    parts = _parts(system, network)
    more = ", ..." if len(parts) > MOST else ""
    return f"{network} has no such part; there are {', '.join(parts[:MOST])}{more}"


def _parts(system: System[Any], network: str) -> list[str]:
    names = (name for name in own_weights(system) if name.startswith(f"{network}."))
    return list(dict.fromkeys(".".join(name.split(".")[:2]) for name in names))
