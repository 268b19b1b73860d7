"""Files made to do harm: to run something, to take memory or time, to print what no terminal should see."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.hostile.kinds import KINDS, with_header

CANARY = "ran"  # a folder that appears where something of a file is executed

Attack = Callable[[Path], None]
"""Writes a file."""


class Running:
    """Unpickling this would make a folder."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, self.arguments


def attacks(kind: str) -> Iterator[tuple[str, Attack]]:
    """The attacks that suit a kind of file, by name."""
    parts = KINDS[kind].parts
    if kind in ("pth", "resume"):
        yield from _ATTACKS_ON_TORCH.items()
    if kind == "pickled networks":
        for name, pickled in _PICKLES.items():
            yield name, _writing(b"\x80\x02U\x06tfutil0" + pickled[2:] if pickled[:1] == b"\x80" else pickled)
    if kind == "clusters":
        for name, pickled in _PICKLES.items():
            header = (
                b"\x93NUMPY\x01\x00"
                + struct.pack("<H", 60)
                + b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
            )
            yield name, _writing(header.ljust(70) + pickled)
    if parts == "safetensors":
        yield from _ATTACKS_ON_SAFETENSORS.items()
    if kind == "model":
        yield from _ATTACKS_ON_MODELS.items()
    if kind == "npy":
        yield from _ATTACKS_ON_ARRAYS.items()


# -- pickles ---------------------------------------------------------------------------------------


def _nested(levels: int) -> bytes:
    """A tuple of two of a tuple of two ..., as a key: hashing it takes 2^levels steps."""
    inner = b"(t" + b"".join(b"q" + bytes([n]) + b"h" + bytes([n]) + b"\x86" for n in range(levels))
    return b"\x80\x02}" + inner + b"K\x01s."


def _equal_hashes(number: int) -> bytes:
    """Integers that all have the hash 0, as keys."""
    keys = (b"\x8a\x0c" + (each * (2**61 - 1)).to_bytes(12, "little") + b"N" for each in range(number))
    return b"\x80\x02}(" + b"".join(keys) + b"u."


def _calling(module: str, name: str, argument: str) -> bytes:
    return f"c{module}\n{name}\n(S'{argument}'\ntR.".encode()


_PICKLES = {
    "runs a command": pickle.dumps({"w": Running(os.system, f"mkdir {CANARY}")}, 2),
    "makes a folder": pickle.dumps({"w": Running(os.mkdir, CANARY)}, 2),
    "evaluates": pickle.dumps({"w": Running(eval, f"__import__('os').mkdir('{CANARY}')")}, 2),
    "calls by instance": f"(S'{CANARY}'\nios\nmkdir\n.".encode(),
    "calls by its text": _calling("os", "mkdir", CANARY),
    "calls by an attribute": _calling("torch", "serialization.os.mkdir", CANARY),
    "loads a pickle": pickle.dumps(Running(pickle.loads, pickle.dumps(Running(os.mkdir, CANARY))), 2),
    "names without end": b"c" + b"a" * 10**6 + b"\n" + b"b" * 10**6 + b"\n(tR.",
    "hashes nested keys": _nested(60),
    "equal hashes": _equal_hashes(30_000),
    "memory by a place": b"\x80\x02]r" + struct.pack("<I", 2**31) + b".",
    "memory by a length": b"\x80\x02B" + struct.pack("<I", 2**31) + b"a.",
    "a very long length": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"a.",
    "deep lists": b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b".",
    "deep dictionaries": b"\x80\x02" + b"}U\x01a" * 30_000 + b"N" + b"s" * 30_000 + b".",
    "huge digits": b"L" + b"9" * 10**6 + b"L\n.",
    "escapes": pickle.dumps({"\x1b]0;owned\x07\n" * 50: [1]}, 2),
    "an empty stack": b"\x80\x02" + b"0" * 50 + b".",
    "marks only": b"\x80\x02" + b"(" * 50_000 + b"t.",
    "a registry": b"\x80\x02\x82\x01.",
}


def _archive(pickled: bytes, *, compressed: bool = False, more: int = 0) -> bytes:
    """An archive as torch.save writes it, with a pickle of one's own."""
    target = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", kind) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/data/0", bytes(10**8 if compressed else 400))
        for number in range(more):
            archive.writestr(f"archive/data/{number}a", b"")
    return target.getvalue()


def _row(pickled: bytes) -> bytes:
    """The older format."""
    head = b"".join(pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, {}))
    return head + pickled + pickle.dumps([], 2)


def _tensor(shape: str, number: int, offset: int = 0, stride: str = "(K\x01t") -> bytes:
    """{"model.1.weight": a tensor of that shape over `number` values}."""
    storage = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuJ" + struct.pack("<i", number) + b"tQ"
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"J" + struct.pack("<i", offset)
    return (
        b"\x80\x02}U\x0emodel.1.weight"
        + made
        + shape.encode("latin1")
        + stride.encode("latin1")
        + b"\x89}tRs."
    )


def _writing(data: bytes) -> Attack:
    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


def _saving(content: Any, **options: Any) -> Attack:
    def write(path: Path) -> None:
        torch.save(content, path, **options)

    return write


def _end_lies(path: Path) -> None:
    """An archive whose directory claims four gigabytes."""
    data = bytearray(_archive(_tensor("(K\x64t", 100)))
    data[-10:-6] = struct.pack("<I", 2**32 - 2)
    path.write_bytes(data)


def _classic(**changes: Tensor) -> dict[str, Tensor]:
    """A generator with some weights replaced; "__" stands for a dot."""
    state = {f"model.{place}.weight": torch.zeros(2, 2, 3, 3) for place in (4, 7, 10, 13)}
    state |= {"model.1.weight": torch.zeros(2, 3, 7, 7), "model.10.conv_block.1.weight": torch.zeros(1)}
    return state | {name.replace("__", "."): value for name, value in changes.items()}


def _deep(levels: int) -> Any:
    """Networks in networks."""
    found: Any = {"w": torch.zeros(2)}
    for _ in range(levels):
        found = {"a": found}
    return found


_EMPTY = torch.zeros(0, 2**40)
_ATTACKS_ON_TORCH: dict[str, Attack] = {
    **{f"archive: {name}": _writing(_archive(pickled)) for name, pickled in _PICKLES.items()},
    **{f"row: {name}": _writing(_row(pickled)) for name, pickled in _PICKLES.items()},
    "bare pickle": _writing(_PICKLES["makes a folder"]),
    "compressed": _writing(_archive(_tensor("(K\x64t", 100), compressed=True)),
    "many records": _writing(_archive(_tensor("(K\x64t", 100), more=10_000)),
    "a lying end": _end_lies,
    "beyond its values": _writing(_archive(_tensor("(K\x64t", 100, offset=90))),
    "a negative place": _writing(_archive(_tensor("(K\x64t", 100, offset=-1))),
    "a negative side": _writing(_archive(_tensor("(J\xff\xff\xff\xfft", 100))),
    "sides of another number": _writing(_archive(_tensor("(K\x64t", 100, stride="(K\x01K\x01t"))),
    "values that are not there": _writing(_archive(_tensor("(J\0\0\0\x40t", 2**30))),
    "row: values that are not there": _writing(_row(_tensor("(J\0\0\0\x40t", 2**30))),
    "unfolding": _saving({"model.1.weight": torch.zeros(1).expand(10**12)}),
    "unfolding, row": _saving({"w": torch.zeros(1).expand(10**12)}, _use_new_zipfile_serialization=False),
    "no values": _saving({"model.1.weight": _EMPTY, "model.2.weight": _EMPTY}),
    "no values, label maps": _saving(_classic(model__1__weight=torch.zeros(0, 2**40, 7, 7))),
    "no values, planes": _saving({"main.0.weight": torch.zeros(0, 2**40, 7, 7)}),
    "no values, classes": _saving({"conv1.weight": torch.zeros(3, 3, 3, 3), "out.weight": _EMPTY.T}),
    "no sides": _saving(_classic(model__1__weight=torch.zeros(()))),
    "names without end": _saving({"a" * 10**6: torch.zeros(2), "b" * 10**6: torch.zeros(2)}),
    "names with escapes": _saving({"\x1b[2J\x07\nmodel": torch.zeros(2), "\x1b[31m": torch.zeros(2)}),
    "names with dots": _saving({".".join("a" * 10_000): torch.zeros(2), "a.b": torch.zeros(2)}),
    "many names": _saving({f"model.{number}.weight": torch.zeros(()) for number in range(4_000)}),
    "many blocks": _saving({f"model.{n}.conv_block.1.weight": torch.zeros(2) for n in range(10, 3000)}),
    "deep networks": lambda path: torch.save(_deep(300), path),
}


# -- safetensors -----------------------------------------------------------------------------------


def _header(text: bytes, size: int | None = None) -> Attack:
    return _writing(struct.pack("<Q", len(text) if size is None else size) + text)


def _entry(shape: list[int], end: int = 0) -> bytes:
    return json.dumps(
        {"G.stem.conv.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}}
    ).encode()


def _named(name: str) -> Attack:
    return lambda path: save_file({name: torch.zeros(2)}, path)


_ATTACKS_ON_SAFETENSORS: dict[str, Attack] = {
    "a huge header": _header(b"{}", 2**62),
    "a large header": _writing(struct.pack("<Q", 40_000_000) + b" " * 40_000_000 + b"{}"),
    "deep JSON": _header(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "deep lists": _header(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "no JSON": _header(b"\xff\xfe{"),
    "no values": _header(_entry([0, 2**40])),
    "overflowing": _header(_entry([2**40, 2**40], 4)),
    "a name without end": _named("a" * 5_000_000),
    "a name with escapes": _named("\x1b[2J\x07\nmodel"),
    "a name of surrogates": _header(b'{"\\ud800":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
}


def _described(**changes: Any) -> Attack:
    """A model of ours whose description of itself was changed; None leaves a field out."""

    def write(path: Path) -> None:
        KINDS["model"].seed(path)

        def change(header: dict[str, Any]) -> None:
            metadata = json.loads(header["__metadata__"]["i2icli"])
            for name, value in changes.items():
                target = metadata if name in metadata else metadata["config"]
                target[name] = value
            header["__metadata__"]["i2icli"] = json.dumps(metadata)

        with_header(path, change)

    return write


def _saying(text: str) -> Attack:
    def write(path: Path) -> None:
        KINDS["model"].seed(path)
        with_header(path, lambda header: header["__metadata__"].update(i2icli=text))

    return write


def _other_values(change: Callable[[Tensor], Tensor]) -> Attack:
    def write(path: Path) -> None:
        from safetensors import safe_open

        KINDS["model"].seed(path)
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            tensors = {name: change(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
        save_file(tensors, path, metadata=metadata)

    return write


_NAMES = [str(number) for number in range(10_000)]
_ATTACKS_ON_MODELS: dict[str, Attack] = {
    "nested JSON": _saying("[" * 100_000 + "]" * 100_000),
    "nested settings": _saying('{"config":' * 50_000 + "1" + "}" * 50_000),
    "huge digits": _saying('{"format": ' + "9" * 100_000 + "}"),
    "huge digits in settings": _described(width=10**4000),
    "a huge step": _described(step=10**400),
    "no number": _described(width=float("nan")),
    "a system without end": _described(system="a" * 10**6),
    "a version with escapes": _described(version="\x1b[2J\n" * 10, format=99),
    "an unknown setting": _described(**{"\x1b[31m" + "a" * 10**5: 1}),
    "10,000 domains": _described(system="combogan", config={"domains": _NAMES}),
    "10,000 attributes": _described(system="stargan", config={"attributes": _NAMES * 2}),
    "100,000 widths": _described(system="progan", config={"widths": [4] * 100_000}),
    "100,000 classes": _described(system="spade", config={"classes": [f"{n} {n}" for n in range(100_000)]}),
    "classes from a path": _described(system="spade", config={"classes": "/etc/passwd"}),
    "a wide network": _described(width=4096, depth=16, crop_size=65536),
    "many blocks": _described(generator="resnet", num_blocks=100, width=4096),
    "a stage of another": _described(stage="a" * 10**6),
    "not finite": _other_values(lambda value: value / 0 if value.is_floating_point() else value),
    "complex numbers": _other_values(lambda value: value.to(torch.complex64)),
    "integers": _other_values(lambda value: value.to(torch.int8)),
    "half precision": _other_values(lambda value: value.half()),
}


def _array(description: str, values: bytes = b"") -> Attack:
    header = description.encode() + b"\n"
    return _writing(b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header + values)


_ATTACKS_ON_ARRAYS: dict[str, Attack] = {
    "a pickled object": _array(
        "{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }", _PICKLES["makes a folder"]
    ),
    "a huge shape": _array("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }"),
    "an overflowing shape": _array(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**62}, 8), }}"),
    "a negative shape": _array("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }", bytes(99)),
    "nothing": _array("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1099511627776), }"),
    "code as a description": _array(f"__import__('os').mkdir('{CANARY}')"),
    "deep description": _array("(" * 5000 + ")" * 5000),
    "a huge type": _array("{'descr': '|V999999999999', 'fortran_order': False, 'shape': (1, 1), }"),
    "a type without end": _array(
        "{'descr': '" + "a" * 9000 + "', 'fortran_order': False, 'shape': (1, 1), }"
    ),
    "a long header": _writing(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{"),
    "digits": _array("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 9000 + ", 1), }"),
}
