"""Everything that a run is resumed from."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from i2icli.errors import UserError
from i2icli.system import System
from i2icli.training.distributed import gather_on_main, rank

if TYPE_CHECKING:
    from i2icli.training.trainer import Trainer


def own_state(system: System[Any]) -> dict[str, Tensor]:
    """The state that a checkpoint holds: of all networks but the frozen ones."""
    prefixes = tuple(f"{name}." for name in system.frozen)
    return {name: value for name, value in system.state_dict().items() if not name.startswith(prefixes)}


def own_weights(system: System[Any]) -> dict[str, nn.Parameter]:
    """The parameters of all networks but the frozen ones, by name."""
    prefixes = tuple(f"{name}." for name in system.frozen)
    return {name: value for name, value in system.named_parameters() if not name.startswith(prefixes)}


def state_of(trainer: "Trainer", *, alone: bool = False) -> dict[str, Any]:
    """Everything needed to resume from here. Collective: every process must call it.

    alone: other processes are not asked, as they may have ended; what is theirs is left out.
    """
    weights = own_weights(trainer.system)
    full = own_state(trainer.system)
    own = _on_cpu({name: value for name, value in full.items() if name not in weights})
    clock = trainer.system.clock
    return {
        "system": full,
        # image pools and running statistics differ between processes
        "ranks": [] if alone else gather_on_main(own)[1:],
        "average": trainer.ema.state(),
        "optimizers": {name: optimizer.state_dict() for name, optimizer in trainer.optimizers.items()},
        "scalers": trainer.updater.state(),
        "clock": {"stage": clock.stage.name, "step": clock.step, "total": clock.total},
        "seconds": trainer.seconds,
        "loaded": sorted(trainer.loaded),
    }


def restore(trainer: "Trainer", state: dict[str, Any], *, grown: bool = False) -> None:
    """Restore from `state`; optimisers are restored when their stage is entered.

    `grown`: the networks may have gained layers since, which start from scratch.
    """
    system = trainer.system
    own = state["ranks"][rank() - 1] if 0 < rank() <= len(state["ranks"]) else {}
    current = system.state_dict()
    if not grown:  # every weight must be in the state, except those that are never saved
        current = {name: current[name] for name in current.keys() - own_state(system).keys()}
    system.load_state_dict(current | state["system"] | own)
    trainer.ema.load_state(state["average"], grown=grown)
    clock, stages = system.clock, system.config.stages()
    reached = state["clock"]["stage"]
    if reached not in (stage.name for stage in stages):
        raise UserError(
            f"stopped in stage {reached!r}, which these settings do not have; choose another --out"
        )
    clock.stage = next(stage for stage in stages if stage.name == reached)
    clock.step, clock.total = state["clock"]["step"], state["clock"]["total"]
    trainer.seconds, trainer.loaded = state["seconds"], frozenset(state.get("loaded", ()))
    system.train()  # what trains depends on the stage
    trainer.restored = state


def restore_optimizers(trainer: "Trainer") -> None:
    """Restore the optimisers of the interrupted stage, which alone has a state to resume, once."""
    if trainer.restored is None:
        return
    for name, state in trainer.restored["optimizers"].items():
        trainer.optimizers[name].load_state_dict(state)
        _match_memory_layout(trainer.optimizers[name])
    trainer.updater.load_state(trainer.restored["scalers"])
    trainer.restored = None


def _on_cpu(value: Any) -> Any:
    """The same nested dicts and lists with every tensor on the CPU."""
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {key: _on_cpu(each) for key, each in value.items()}
    return [_on_cpu(each) for each in value] if isinstance(value, list) else value


def _match_memory_layout(optimizer: Optimizer) -> None:
    """Convert loaded optimiser state to the memory layout of its weights.

    A run may be resumed in another precision, hence in another layout, and the fused optimiser ignores
    strides.
    """
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                state[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)
