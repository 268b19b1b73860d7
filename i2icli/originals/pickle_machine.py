"""Pickles read as data: an interpreter of their opcodes that can call nothing but our stand-ins.

A pickle is a program for a small stack machine. The library's machine imports and calls whatever a file
names, and hashes whatever it uses as a key; this one does neither. Names become `Known` (a stand-in of ours)
or `Unknown`, calls of unknown names become `Thing`s that keep what they were given, keys are plain. The work
is bounded by the length of the file.
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any, NoReturn

TOO_MUCH = "it asks for more memory than it holds"
MOST_STEPS = 5_000_000  # opcodes: some seconds; the state of the largest optimisers has a tenth
LARGEST_KEY = 2**32  # larger integers may be chosen so that all have one hash


class RefusedError(Exception):
    """The file is not what it should be; the text says why."""


class StandIn:
    """An object of ours in the place of one that a file describes."""

    def set_state(self, state: object) -> None:
        """Take what the file calls its state."""


class Known:
    """A name for which there is a stand-in."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


class Unknown:
    """Any other name; nothing is imported."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Thing(StandIn):
    """What a file makes by calling an unknown name: never made, but what it was given is kept."""

    def __init__(self, kind: Unknown, arguments: tuple[Any, ...] = ()) -> None:
        self.kind, self.arguments = kind, arguments
        self.state: object = None
        self.items: dict[Any, Any] = {}

    def set_state(self, state: object) -> None:
        """Keep it."""
        self.state = state


Find = Callable[[str, str], Known | Unknown]
External = Callable[[Any], Any]


class _Mark:
    """Where a group of arguments begins on the stack."""


_MARK = _Mark()


def refuse_external(_: Any) -> NoReturn:
    """For pickles that lie alone."""
    raise RefusedError("it refers to things outside of it")


class Machine:
    """Reads one pickle from a stream and leaves the stream behind it."""

    def __init__(self, stream: IO[bytes], find: Find, external: External = refuse_external) -> None:
        """find: what stands for a name in a module; external: what persistent ids stand for."""
        self.stream, self.find, self.external = stream, find, external
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def load(self) -> Any:
        """What the pickle describes. Raises RefusedError, or what pickletools raises for damage."""
        for step, (opcode, argument, _) in enumerate(pickletools.genops(self.stream)):
            if step > MOST_STEPS:
                raise RefusedError("it is longer than any known checkpoint")
            kind = opcode.name
            if kind in _PUSHED:
                self.stack.append(argument)
            elif kind in _CONSTANTS:
                self.stack.append(_CONSTANTS[kind]())
            elif kind == "STOP":
                break
            elif kind in _ACTIONS:
                _ACTIONS[kind](self, argument)
            elif kind not in ("PROTO", "FRAME"):
                raise RefusedError("it holds more than data")
        return self.stack.pop()

    # -- the stack -----------------------------------------------------------------------

    def _group(self) -> list[Any]:
        """Everything above the last mark, which is taken off with it."""
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise RefusedError("it is damaged")
        group = self.stack[place + 1 :]
        del self.stack[place:]
        return group

    def _taken(self, number: int) -> tuple[Any, ...]:
        group = tuple(self.stack[-number:])
        del self.stack[-number:]
        return group

    def _push(self, value: Any) -> None:
        self.stack.append(value)

    def _pop(self, _: Any) -> None:
        self.stack.pop()

    def _pop_group(self, _: Any) -> None:
        self._group()

    def _push_mark(self, _: Any) -> None:
        self.stack.append(_MARK)

    def _duplicate(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def _put(self, place: int) -> None:
        if place > MOST_STEPS:
            raise RefusedError(TOO_MUCH)
        self.memo[place] = self.stack[-1]

    def _memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _get(self, place: int) -> None:
        self.stack.append(self.memo[place])

    # -- collections ---------------------------------------------------------------------

    def _make_list(self, _: Any) -> None:
        self.stack.append(self._group())

    def _make_tuple(self, _: Any) -> None:
        self.stack.append(tuple(self._group()))

    def _make_dict(self, _: Any) -> None:
        group = self._group()
        self.stack.append({})
        self._fill(group)

    def _append(self, _: Any) -> None:
        self._extend([self.stack.pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._group())

    def _set_item(self, _: Any) -> None:
        self._fill(list(self._taken(2)))

    def _set_items(self, _: Any) -> None:
        self._fill(self._group())

    def _extend(self, values: list[Any]) -> None:
        if isinstance(self.stack[-1], list):  # of a thing it is not known what it is
            self.stack[-1].extend(values)

    def _fill(self, pairs: list[Any]) -> None:
        target = self.stack[-1]
        items = target.items if isinstance(target, Thing) else target
        if not isinstance(items, dict):
            raise RefusedError("it is damaged")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            put(items, key, value)

    # -- names and calls -----------------------------------------------------------------

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(self.find(module, name))

    def _stack_global(self, _: Any) -> None:
        module, name = self._taken(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise RefusedError("it is damaged")
        self.stack.append(self.find(module, name))

    def _reduce(self, _: Any) -> None:
        called, arguments = self._taken(2)
        self._call(called, arguments)

    def _new_with_names(self, _: Any) -> None:
        called, arguments, _named = self._taken(3)
        self._call(called, arguments)

    def _instance(self, argument: str) -> None:
        arguments = tuple(self._group())
        module, _, name = argument.partition(" ")
        self._call(self.find(module, name), arguments)

    def _object(self, _: Any) -> None:
        called, *arguments = self._group()
        self._call(called, tuple(arguments))

    def _call(self, called: Any, arguments: Any) -> None:
        if not isinstance(arguments, tuple):
            raise RefusedError("it is damaged")
        if isinstance(called, Known):
            self.stack.append(called.call(*arguments))
        elif isinstance(called, Unknown):
            self.stack.append(Thing(called, arguments))
        else:  # such as a method of a thing
            self.stack.append(Thing(Unknown("", ""), arguments))

    def _build(self, _: Any) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], StandIn):
            self.stack[-1].set_state(state)

    def _external(self, _: Any) -> None:
        self.stack.append(self.external(self.stack.pop()))

    def _external_text(self, argument: str) -> None:
        self.stack.append(self.external(argument))


def put(items: dict[Any, Any], key: object, value: object) -> None:
    """An entry of a dictionary; those whose keys are things are left out.

    Raises RefusedError for keys that could be made to cost time: tuples inside tuples, and numbers that
    share one hash.
    """
    if isinstance(key, Thing | Unknown | Known | StandIn | float):
        return
    for each in key if isinstance(key, tuple) else (key,):
        plain = each is None or isinstance(each, str | bytes | bool)
        if not plain and not (isinstance(each, int) and abs(each) < LARGEST_KEY):
            raise RefusedError("it uses something else than names as keys")
    items[key] = value


_PUSHED = frozenset({
    "FLOAT", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "BINFLOAT",
})  # fmt: skip
_CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": list,  # its members may be anything: they are kept in a row, and never hashed
}
_ACTIONS: Mapping[str, Callable[[Machine, Any], None]] = {
    "MARK": Machine._push_mark,
    "POP": Machine._pop,
    "POP_MARK": Machine._pop_group,
    "DUP": Machine._duplicate,
    "PUT": Machine._put,
    "BINPUT": Machine._put,
    "LONG_BINPUT": Machine._put,
    "MEMOIZE": Machine._memoize,
    "GET": Machine._get,
    "BINGET": Machine._get,
    "LONG_BINGET": Machine._get,
    "LIST": Machine._make_list,
    "FROZENSET": Machine._make_list,
    "TUPLE": Machine._make_tuple,
    "TUPLE1": lambda machine, _: machine._push(machine._taken(1)),
    "TUPLE2": lambda machine, _: machine._push(machine._taken(2)),
    "TUPLE3": lambda machine, _: machine._push(machine._taken(3)),
    "DICT": Machine._make_dict,
    "APPEND": Machine._append,
    "APPENDS": Machine._appends,
    "ADDITEMS": Machine._appends,
    "SETITEM": Machine._set_item,
    "SETITEMS": Machine._set_items,
    "GLOBAL": Machine._global,
    "STACK_GLOBAL": Machine._stack_global,
    "REDUCE": Machine._reduce,
    "NEWOBJ": Machine._reduce,
    "NEWOBJ_EX": Machine._new_with_names,
    "INST": Machine._instance,
    "OBJ": Machine._object,
    "BUILD": Machine._build,
    "BINPERSID": Machine._external,
    "PERSID": Machine._external_text,
}
