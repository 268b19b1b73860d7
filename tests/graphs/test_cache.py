"""The cache of proven graphs: what is found again, what is not, and what is left after accidents."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from i2icli.errors import UserError
from i2icli.graphs import cache
from i2icli.graphs.cache import Found, Wanted, drop, find, store, tidy
from i2icli.graphs.weight_hashes import KNOWN, weights_hash


def exporting(text: str = "graph", name: str = "B.onnx") -> Callable[[Path], tuple[Path, str]]:
    def export(folder: Path) -> tuple[Path, str]:
        (folder / name).write_text(text)
        (folder / "B.first.onnx").write_text("part")
        return folder / name, "bf16, 46 dB"

    return export


def failing(folder: Path) -> tuple[Path, str]:
    (folder / "half.onnx").write_text("half")
    raise UserError("its output differs by 0.3")


def never(folder: Path) -> tuple[Path, str]:  # noqa: ARG001 - as `export`
    raise AssertionError("exported again")


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    model = tmp_path / "model.safetensors"
    model.write_bytes(b"weights")
    os.utime(model, (1000, 1000))
    return Wanted(model, "onnxruntime", "fp32", ("B", None), tmp_path / "home")


def test_what_was_stored_is_found_until_anything_changes(wanted: Wanted):
    assert find(wanted) is None
    found = store(wanted, exporting())
    assert found.path is not None
    assert found.path.read_text() == "graph"
    assert found.path.with_name("B.first.onnx").read_text() == "part"
    assert find(wanted) == found == store(wanted, never)
    assert found.why == "bf16, 46 dB"
    assert wanted.home is not None
    for other in (
        Wanted(wanted.model, "openvino", "fp32", ("B", None), wanted.home),
        Wanted(wanted.model, "onnxruntime", "bf16", ("B", None), wanted.home),
        Wanted(wanted.model, "onnxruntime", "fp32", ("A", None), wanted.home),
        Wanted(wanted.model, "onnxruntime", "fp32", ("B", "A"), wanted.home),
    ):
        assert find(other) is None
    wanted.model.write_bytes(b"trained")
    assert find(wanted) is None


def test_another_version_of_either_is_another_entry(wanted: Wanted, monkeypatch: pytest.MonkeyPatch):
    store(wanted, exporting())
    with monkeypatch.context() as patched:
        patched.setattr(cache, "__version__", "9")
        assert find(wanted) is None
    with monkeypatch.context() as patched:
        patched.setattr(cache, "_version", lambda _: "9")
        assert find(wanted) is None
    assert find(wanted) is not None


def test_what_cannot_be_exported_is_tried_once(wanted: Wanted):
    assert store(wanted, failing) == Found(None, "its output differs by 0.3")
    assert find(wanted) == Found(None, "its output differs by 0.3") == store(wanted, never)
    assert not list(wanted.folder.glob("*.onnx"))


def test_an_interrupted_export_leaves_nothing(wanted: Wanted):
    def interrupted(folder: Path) -> Path:
        (folder / "half.onnx").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store(wanted, interrupted)
    assert find(wanted) is None
    assert [each for each in wanted.folder.parent.iterdir() if each.is_dir()] == []


def test_a_damaged_entry_is_dropped(wanted: Wanted):
    def truncate(path: Path) -> None:
        path.write_text("gr")

    accidents: list[Callable[[Path], None]] = [
        truncate,
        lambda path: path.unlink(),
        lambda path: path.with_name("B.first.onnx").unlink(),
        lambda path: path.with_name("entry.json").unlink(),
        lambda path: path.with_name("entry.json").write_bytes(b"\xff{"),
        lambda path: path.with_name("entry.json").write_text('{"model": "m", "main": "../B.onnx"}'),
    ]
    for accident in accidents:
        found = store(wanted, exporting())
        assert found.path is not None
        accident(found.path)
        assert find(wanted) is None
        assert not wanted.folder.exists()
    store(wanted, exporting())
    drop(wanted)
    assert find(wanted) is None


def test_those_used_last_are_kept(wanted: Wanted):
    assert wanted.home is not None
    some = [Wanted(wanted.model, "onnxruntime", "fp32", (name, None), wanted.home) for name in "abc"]
    for age, each in enumerate(some):
        store(each, exporting("x" * 1000))
        os.utime(each.folder / "entry.json", (1000 + age, 1000 + age))
    find(some[0])  # used again
    left = wanted.home / ".1234.writing"
    left.mkdir()
    os.utime(left, (1000, 1000))
    tidy(wanted.home, most_bytes=2500)
    assert [find(each) is not None for each in some] == [True, False, True]
    assert not left.exists()
    tidy(wanted.home, most_bytes=0, keep=some[2].folder)
    assert [find(each) is not None for each in some] == [False, False, True]


def test_a_reason_names_no_folder_that_is_gone(wanted: Wanted):
    def export(folder: Path) -> tuple[Path, str]:
        raise UserError(f"{folder / 'B.onnx'}: cannot be loaded")

    assert store(wanted, export) == find(wanted) == Found(None, "B.onnx: cannot be loaded")


def test_another_process_may_remove_what_is_being_tidied(wanted: Wanted, monkeypatch: pytest.MonkeyPatch):
    found = store(wanted, exporting())
    assert wanted.home is not None
    (wanted.home / "gone").mkdir()
    plain = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        if folder.name == "gone":
            raise FileNotFoundError(folder)
        return plain(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    tidy(wanted.home, most_bytes=0, keep=wanted.folder)
    assert find(wanted) == found


def test_a_graph_proven_by_a_processor_without_bfloat16_is_not_that_of_one_with_it(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch
):
    for able in (False, True):  # a home that several machines share
        monkeypatch.setattr(cache, "has_bfloat16", lambda able=able: able)
        assert find(wanted) is None
        store(wanted, exporting())


def test_two_that_want_the_same_export_it_once(wanted: Wanted):
    exported = []

    def export(folder: Path) -> tuple[Path, str]:
        exported.append(folder)
        time.sleep(0.2)
        return exporting()(folder)

    threads = [threading.Thread(target=store, args=(wanted, export)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(exported) == 1


def test_hashes_are_remembered_while_a_file_is_unchanged(wanted: Wanted, monkeypatch: pytest.MonkeyPatch):
    assert wanted.home is not None
    first = weights_hash(wanted.model, wanted.home)
    with monkeypatch.context() as patched:
        patched.setattr("hashlib.file_digest", None)  # not read again
        assert weights_hash(wanted.model, wanted.home) == first
    wanted.model.write_bytes(b"changed")
    second = weights_hash(wanted.model, wanted.home)
    assert second != first
    known = json.loads((wanted.home / KNOWN).read_text())
    assert known[str(wanted.model)]["sha256"] == first, "too new to be remembered"
    (wanted.home / KNOWN).write_text("{")
    assert weights_hash(wanted.model, wanted.home) == second
    wanted.model.unlink()
    with pytest.raises(UserError, match=r"model\.safetensors: cannot be read \(No such file"):
        weights_hash(wanted.model, wanted.home)


def test_looking_into_the_cache_imports_no_torch(wanted: Wanted):
    program = (
        "import sys, pathlib\n"
        "from i2icli.graphs.cache import Wanted, find\n"
        f"model, home = pathlib.Path({str(wanted.model)!r}), pathlib.Path({str(wanted.home)!r})\n"
        "find(Wanted(model, 'onnxruntime', 'fp32', ('B', None), home))\n"
        "sys.exit(', '.join({'torch', 'onnxruntime', 'openvino'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.stderr.strip() == ""


EXPORT = "lambda folder: ((folder / 'model.onnx').write_bytes(b'graph') and folder / 'model.onnx', 'exact')"


@pytest.mark.parametrize("how", ["find(wanted)", f"store(wanted, {EXPORT})"], ids=["found", "made"])
def test_what_another_process_uses_stays(how: str, wanted: Wanted):
    if how == "find(wanted)":
        store(wanted, exporting())
    assert wanted.home is not None
    program = (
        "import sys; from pathlib import Path; from i2icli.graphs.cache import Wanted, find, store;"
        "wanted = Wanted(Path(sys.argv[1]), 'onnxruntime', 'fp32', ('B', None), Path(sys.argv[2]));"
        f"{how}; print('found', flush=True); input()"
    )
    arguments = [sys.executable, "-c", program, str(wanted.model), str(wanted.home)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "found\n"
        tidy(wanted.home, most_bytes=0)
        assert wanted.folder.exists()
        other.communicate("\n")
    tidy(wanted.home, most_bytes=0)
    assert not wanted.folder.exists()


def test_nothing_is_kept_of_a_model_that_changed_while_it_was_exported(wanted: Wanted):
    def replaced(folder: Path) -> tuple[Path, str]:
        wanted.model.write_bytes(b"weights of a later step")
        return exporting()(folder)

    assert store(wanted, replaced) == Found(None, cache.CHANGED)
    assert find(wanted) is None
    wanted.model.write_bytes(b"weights")
    assert find(wanted) is None
