"""The forms in which people keep weights: which state dicts a file holds, and under which names.

State dicts lie bare, in wrappers such as {"state_dict": ...}, several beside each other with optimisers,
nested, inside pickled networks, and with prefixes of the program that trained them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from i2icli.originals.pickle_machine import Thing
from i2icli.originals.torch_pickles import Stored

AVERAGES = ("params_ema", "ema_state_dict", "model_ema", "ema", "state_dict_ema")
WRAPPERS = (*AVERAGES, "state_dict", "model", "model_state_dict", "generator", "params", "net")
"""Keys under which training programs put the weights beside other things; moving averages first."""

PREFIXES = ("module.", "_orig_mod.", "_forward_module.")
"""Put before all names by DataParallel, torch.compile and others."""

SETTINGS = ("models.utils.config.BaseConfig",)
"""Objects of known programs whose numbers are kept; that of pytorch_GAN_zoo."""

DEEPEST = 4  # levels of dictionaries in which networks are looked for
MOST_NETWORKS = 64

T = TypeVar("T")


def networks(found: Any) -> dict[str, dict[str, Any]]:
    """The state dicts in what a file holds, by the keys that lead to them; "" for one that lies bare.

    Values are `Stored` tensors, or numbers of known settings. Prefixes are taken off.
    """
    result: dict[str, dict[str, Any]] = {}
    for name, part in _states(found, "", DEEPEST):
        if len(result) < MOST_NETWORKS:
            result[name] = without_prefixes(part)
    return result


def _states(found: Any, name: str, levels: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """State dicts, and how they are called."""
    if isinstance(found, Thing):
        yield from _of_thing(found, name)
        return
    if isinstance(found, list | tuple):
        found = {f"network{number}": each for number, each in enumerate(found[:MOST_NETWORKS])}
    if not isinstance(found, Mapping):
        return
    tensors = {
        key: value for key, value in found.items() if isinstance(value, Stored) and isinstance(key, str)
    }
    inner: list[tuple[str, dict[str, Any]]] = []
    if levels:
        for key, value in found.items():
            if isinstance(key, str) and not isinstance(value, Stored):
                inner += _states(value, f"{name}.{key}".lstrip("."), levels - 1)
    # Tensors beside whole networks are losses or counters.
    if tensors and not inner:
        yield name, tensors
    yield from inner


def _of_thing(thing: Thing, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The weights of a pickled network, or the numbers of known settings."""
    state = thing.state
    if not isinstance(state, Mapping):
        return
    if f"{thing.kind.module}.{thing.kind.name}" in SETTINGS:
        numbers = {str(key): float(value) for key, value in state.items() if type(value) in (int, float)}
        if numbers:
            yield name, numbers
        return
    weights = dict(_of_module(thing, "", 32))
    if weights:
        yield name, weights


def _of_module(thing: object, prefix: str, levels: int) -> Iterator[tuple[str, Stored]]:
    """Parameters and buffers of a pickled module, by their names in its state dict."""
    state = thing.state if isinstance(thing, Thing) else None
    if not isinstance(state, Mapping) or not levels:
        return
    for kind in ("_parameters", "_buffers"):
        held = state.get(kind)
        for key, value in held.items() if isinstance(held, Mapping) else ():
            if isinstance(key, str) and isinstance(value, Stored):
                yield f"{prefix}{key}", value
    inner = state.get("_modules")
    for key, value in inner.items() if isinstance(inner, Mapping) else ():
        if isinstance(key, str):
            yield from _of_module(value, f"{prefix}{key}.", levels - 1)


def without_prefixes(state: Mapping[str, T]) -> dict[str, T]:
    """Names without what programs put before all of them."""
    names = list(state)
    while prefix := next((each for each in PREFIXES if all(name.startswith(each) for name in names)), ""):
        names = [name.removeprefix(prefix) for name in names]
    return dict(zip(names, state.values(), strict=True))


def inner_networks(state: Mapping[str, T]) -> Iterator[tuple[str, dict[str, T]]]:
    """Names "netG.model.1.weight" taken apart: (name of a network, its state dict), outer ones first.

    Moving averages and what wrappers hold come first, discriminators last, so that the first that a system
    knows is the one to take.
    """
    level = [("", dict(state))]
    found: list[tuple[str, dict[str, T]]] = []
    for _ in range(3):
        level = [inner for name, part in level for inner in _split(name, part)]
        found += level[: MOST_NETWORKS - len(found)]
    yield from sorted(found, key=lambda each: _rank(each[0]))


def _split(name: str, state: Mapping[str, T]) -> Iterator[tuple[str, dict[str, T]]]:
    """The groups of names with one first part."""
    groups: dict[str, dict[str, T]] = {}
    for key, value in state.items():
        first, _, rest = key.partition(".")
        if rest and not first.isdigit() and (first in groups or len(groups) < MOST_NETWORKS):
            groups.setdefault(first, {})[rest] = value
    for first, part in groups.items():
        if len(part) > 1:
            yield f"{name}.{first}".lstrip("."), without_prefixes(part)


def _rank(name: str) -> int:
    """How likely a network of this name is the generator to use; the least is the likeliest."""
    last = name.rpartition(".")[2]
    if last in WRAPPERS:
        return WRAPPERS.index(last)
    words = last.lower().replace("net", "").strip("_")
    if "ema" in words or "avg" in words:
        return len(WRAPPERS)
    return len(WRAPPERS) + (1 if words.startswith("g") else 3 if words.startswith("d") else 2)
