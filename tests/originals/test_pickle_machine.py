"""The interpreter of pickles gives what the library's gives, for data, and never more."""

import pickle
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

import pytest

from i2icli.originals.pickle_machine import Known, Machine, RefusedError, Thing, Unknown

DATA: list[Any] = [
    None, True, -5, 2**70, 1.5, "text", "ü\ud800", b"bytes", bytearray(b"more"), [1, [2, []]], (), (1,),
    (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {"a": {"b": [1, 2]}, 3: None, (1, "x"): 2}, [[1]] * 3,
]  # fmt: skip


def read(data: bytes) -> Any:
    return Machine(BytesIO(data), lambda module, name: Unknown(module, name)).load()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", DATA, ids=repr)
def test_data_come_back_as_they_were(value: Any, protocol: int) -> None:
    if protocol < 3 and isinstance(value, bytes | bytearray):
        pytest.skip("spelled as a call")
    if protocol < 5 and isinstance(value, bytearray):
        pytest.skip("spelled as a call")
    assert read(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(6))
def test_objects_become_things_that_keep_what_they_were_given(protocol: int) -> None:
    found = read(pickle.dumps({"path": PurePosixPath("a/b"), "rest": 1}, protocol))
    assert isinstance(found["path"], Thing)
    assert found["rest"] == 1


def test_a_shared_list_stays_shared_and_a_recursive_one_recursive() -> None:
    inner: list[Any] = [1]
    inner.append(inner)
    found = read(pickle.dumps([inner, inner]))
    assert found[0] is found[1]
    assert found[0][1] is found[0]


def test_the_stream_is_left_behind_the_pickle() -> None:
    stream = BytesIO(pickle.dumps([1]) + pickle.dumps("two") + b"rest")
    find = Unknown
    assert Machine(stream, find).load() == [1]
    assert Machine(stream, find).load() == "two"
    assert stream.read() == b"rest"


def test_only_known_names_are_called() -> None:
    called: list[Any] = []

    def find(module: str, name: str) -> Known | Unknown:
        return Known(lambda *given: called.append(given)) if name == "ours" else Unknown(module, name)

    Machine(BytesIO(b"cm\nours\n(K\x01tRcm\ntheirs\n(K\x02tR."), find).load()
    assert called == [(1,)]


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02}((K\x01tK\x02t\x85K\x01s.",  # a tuple of a tuple as a key
        b"\x80\x02}\x8a\x08" + (2**61 - 1).to_bytes(8, "little") + b"Ns.",  # as large as a hash
        b"\x80\x02}]Ns.",
    ],
)
def test_keys_that_could_cost_time_are_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match="as keys"):
        read(data)
