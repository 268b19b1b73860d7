"""Models computed by the fastest runtime: exported once into a cache, and found there from then on."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.lib.classic import generator
from i2icli.errors import UserError
from i2icli.export import for_runtime, runtimes
from i2icli.export.exporting import Exported, Exporter
from i2icli.export.proof import Proof
from i2icli.graphs import cache
from i2icli.image import DecodedImage, write_image
from i2icli.inference import loading
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.runtime.checkpoint import write_model
from tests.export.models import lively
from tests.graphs.files import IMAGE, described, graph, node, write

Load = Callable[..., Translator]
MANY = 5  # outputs from which an export pays
PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)


def model_of(name: str, path: Path, **changes: Any) -> Path:
    """A tiny model as a run publishes it."""
    system = lively(name, **changes)
    networks = {each: system.get_submodule(each) for each in system.inference_modules}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_model(path, system, name, networks)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CycleGAN, of one graph for each direction; B comes first."""
    return model_of("cyclegan", tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generator as its authors publish it, which says nothing about itself."""
    torch.manual_seed(0)
    state = generator(width=4, blocks=6).state_dict()
    path = tmp_path_factory.mktemp("original") / "latest_net_G.pth"
    torch.save({f"model.{key.replace('layers', 'conv_block')}": each for key, each in state.items()}, path)
    os.utime(path, (1e9, 1e9))
    return path


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory, model: Path, original: Path) -> Path:
    """A cache in which both are exported for onnxruntime."""
    home = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("I2I_HOME", str(home))
        for each in (model, original):
            Translator.load(each, runtime="onnxruntime").translate(PIXELS)
    return home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of a test's own."""
    monkeypatch.setenv("I2I_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "graphs"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def load(told: list[str]) -> Load:
    """Loads models, and notes what is told of them."""
    return lambda model, runtime="onnxruntime": Translator.load(model, runtime=runtime, tell=told.append)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` takes onnxruntime for the fastest, and few outputs for many."""
    monkeypatch.setattr(loading, "fastest", lambda _: "onnxruntime")
    monkeypatch.setattr(runtimes, "WORTHWHILE", MANY)


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Exports that were made, by the task's name; they write nothing but fail."""
    made: list[str] = []

    def export(_system: Any, tasks: Any, *_: Any) -> None:
        made.append(tasks[0].name)
        raise UserError("the proof failed: it differs")

    monkeypatch.setattr(for_runtime, "export_for_runtime", export)
    return made


def photo(path: Path, side: int = 16) -> Path:
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, DecodedImage(pixels, None, "png"))
    return path


def entries(home: Path) -> list[dict[str, Any]]:
    """What the cache holds."""
    return [json.loads(each.read_text()) for each in home.glob(f"*/{cache.ENTRY}")]


def translated(translator: Translator, **options: Any) -> np.ndarray:
    return np.asarray(translator.translate(PIXELS, **options)).astype(int)


def test_a_runtime_that_is_asked_for_is_exported_for_once(
    model: Path, warm: Path, monkeypatch: pytest.MonkeyPatch, load: Load, told: list[str], exports: list[str]
):
    monkeypatch.setenv("I2I_HOME", str(warm))
    found = translated(load(model))
    assert exports == []
    assert len(told) == 1
    assert re.fullmatch(r"runtime: onnxruntime; fp32, \d+ dB to float32", told[0])
    np.testing.assert_allclose(found, translated(load(model, "torch")), atol=1)
    mains = {entry["model"]: entry["main"] for entry in entries(warm / "graphs")}
    assert mains == {"model.safetensors": "model.onnx", "latest_net_G.pth": "model.onnx"}


@pytest.mark.parametrize("name", ["model", "original"])
def test_from_the_cache_nothing_loads_torch(name: str, warm: Path, request: pytest.FixtureRequest):
    model, out = request.getfixturevalue(name), warm / name
    photo(warm / "photo.png")
    arguments = ["translate", str(warm / "photo.png"), "--model", str(model), "--out", str(out)]
    program = (
        "import sys\n"
        "from i2icli.__main__ import main\n"
        f"assert main({[*arguments, '--runtime', 'onnxruntime']!r}) == 0\n"
        "print(sorted({'torch', 'onnx', 'onnxscript', 'openvino', 'cv2'} & sys.modules.keys()))"
    )
    command, environment = [sys.executable, "-c", program], os.environ | {"I2I_HOME": str(warm)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
    assert "note: runtime: onnxruntime; fp32, " in done.stderr
    assert ("note: the file holds one direction" in done.stderr) is (name == "original")
    assert (out / "photo.png").is_file()


@pytest.mark.usefixtures("installed")
def test_auto_exports_when_many_outputs_are_asked_for(
    model: Path, home: Path, load: Load, told: list[str], exports: list[str], tmp_path: Path
):
    folder, out = tmp_path / "photos", tmp_path / "out"
    for side in (16, 17):
        photo(folder / f"{side}.png", side)
    translator = load(model, "auto")
    assert [each.status for each in translator.run([str(folder)], out)] == ["done", "done"]
    assert (told, exports, entries(home)) == ([], [], [])
    translator.backend.expect(translator.tasks[1], MANY)  # of another graph
    translator.backend.expect(translator.tasks[0], MANY - 3)
    assert [each.status for each in translator.run([str(folder)], out)] == ["there", "there"]
    translated(translator)
    assert exports == []
    photo(folder / "18.png", 18)
    assert [each.status for each in translator.run([str(folder)], out)] == ["there", "there", "done"]
    assert exports == ["B"]
    assert told == [
        "exporting the model for onnxruntime; this is done once ...",
        "runtime: torch, as the proof failed: it differs",
    ]


@pytest.mark.usefixtures("installed")
def test_auto_uses_what_is_there_for_a_single_image(
    model: Path, warm: Path, monkeypatch: pytest.MonkeyPatch, load: Load, told: list[str]
):
    monkeypatch.setenv("I2I_HOME", str(warm))
    translator = load(model, "auto")
    translated(translator)
    assert len(told) == 1
    assert told[0].startswith("runtime: onnxruntime, the fastest that is installed; fp32, ")
    blank = {next(iter(translator.tasks[0].inputs)): np.zeros((1, 3, 16, 16), np.float32)}
    assert translator.backend.memory(translator.tasks[0], blank) is None, "torch computes none of it"
    translated(translator, to="A")  # its graph was not exported, nor is it now
    assert translator.backend.memory(translator.tasks[1], blank) > 0
    assert len(told) == 1


@pytest.mark.usefixtures("home")
def test_a_precision_that_the_runtime_has_not_is_refused_before_the_export(
    model: Path, exports: list[str], told: list[str]
):
    expected = r"model\.safetensors: onnxruntime computes fp32 on a processor, not bf16; try --precision fp32"
    with pytest.raises(UserError, match=expected):
        Translator.load(model, runtime="onnxruntime", precision="bf16", tell=told.append).translate(PIXELS)
    assert (exports, told) == ([], [])


@pytest.mark.usefixtures("installed", "home")
@pytest.mark.parametrize("driver", loading.DRIVERS)
def test_where_torch_may_have_a_gpu_auto_leaves_it_to_torch(
    driver: str, model: Path, monkeypatch: pytest.MonkeyPatch
):
    exists = Path.exists
    monkeypatch.setattr(
        Path,
        "exists",
        lambda path: str(path) == driver or (str(path) not in loading.DRIVERS and exists(path)),
    )
    for device, kind in ((None, "TorchBackend"), ("cpu", "RuntimeBackend")):
        backend = loading.load_backend(model, device, "fp32", "auto", print)
        assert type(backend).__name__ == kind


@pytest.mark.usefixtures("installed", "home")
def test_frames_and_samples_count_as_well(load: Load, exports: list[str], tmp_path: Path):
    model = model_of("spectral_dcgan", tmp_path / "noise.safetensors")
    options = TranslateOptions(samples=MANY)
    samples = iter(load(model, "auto").sample(tmp_path / "out", options))
    assert next(samples).status == "done"
    assert exports == [None]


@pytest.mark.usefixtures("installed", "home")
def test_frames_of_a_video_count(model: Path, load: Load, exports: list[str], tmp_path: Path):
    for number in range(MANY):
        photo(tmp_path / "frames" / f"{number}.png")
    [result] = load(model, "auto").video(tmp_path / "frames", tmp_path / "out", format="png")
    assert (result.status, exports) == ("done", ["B"])


def test_a_failed_proof_is_remembered_and_refused_where_it_was_asked_for(
    model: Path, home: Path, load: Load, told: list[str], exports: list[str], tmp_path: Path
):
    image = str(photo(tmp_path / "photo.png"))
    for _ in range(2):
        with pytest.raises(UserError, match=r"^--runtime onnxruntime: the proof failed: it differs$"):
            load(model).run([image], tmp_path / "out")
    assert exports == ["B"]
    assert told == ["exporting the model for onnxruntime; this is done once ..."]
    assert [entry["main"] for entry in entries(home)] == [None]


@pytest.mark.usefixtures("home")
def test_a_graph_that_is_not_accurate_enough_is_not_used(
    model: Path, warm: Path, load: Load, monkeypatch: pytest.MonkeyPatch
):
    [there] = [each.parent for each in warm.glob("graphs/*/entry.json") if "safetensors" in each.read_text()]
    exported = Exported(there / "model.onnx", (), 0, Proof(errors=[(1e-6, 100)]), "")
    monkeypatch.setattr(Exporter, "export", lambda *_: exported)
    monkeypatch.setattr(for_runtime, "LEAST_PSNR", 1000.0)
    with pytest.raises(UserError, match=r"in fp32 it is accurate to \d+ dB; at least 1000 dB are expected"):
        translated(load(model))


@pytest.mark.usefixtures("installed")
def test_what_cannot_be_a_graph_is_computed_by_torch(home: Path, load: Load, told: list[str], tmp_path: Path):
    model = model_of("dtn", tmp_path / "model.safetensors")
    translator = load(model, "auto")
    [task] = translator.tasks
    translator.tasks = (replace(task, untraceable="its networks see regions of faces"),)
    translated(translator)
    assert told == ["runtime: torch, as its networks see regions of faces"]
    asked = load(model)
    with pytest.raises(UserError, match="--runtime onnxruntime: its networks see regions of faces"):
        asked.backend.expect(translator.tasks[0], 1)
    assert not home.exists()


@pytest.mark.usefixtures("installed")
def test_a_cache_that_cannot_be_written(model: Path, home: Path, load: Load, told: list[str]):
    home.parent.write_text("a file where the folder should be")
    translator = load(model, "auto")
    translator.backend.expect(translator.tasks[0], MANY)
    translated(translator)
    why = f"its cache cannot be written ({home}: Not a directory); I2I_HOME names another folder"
    assert told[-1] == f"runtime: torch, as {why}"
    with pytest.raises(UserError, match=re.escape(why)):
        translated(load(model))


def test_a_runtime_that_is_not_installed_is_named_as_it_was_asked_for(
    model: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("i2icli.graphs.sessions.find_spec", lambda _: None)
    expected = (
        r"^--runtime openvino: running it needs the package openvino: pip install 'i2icli\[openvino\]'$"
    )
    with pytest.raises(UserError, match=expected):
        Translator.load(model, runtime="openvino")


def test_a_missing_package_is_not_remembered(
    model: Path, home: Path, load: Load, exports: list[str], monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patched:
        patched.setattr("i2icli.export.options.find_spec", lambda name: None if name == "onnxscript" else 1)
        with pytest.raises(UserError, match=r"needs the package onnxscript: pip install 'i2icli\[onnx\]'"):
            translated(load(model))
    assert entries(home) == []
    with pytest.raises(UserError, match="the proof failed"):
        translated(load(model))
    assert exports == ["B"]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_memory_that_does_not_suffice_is_not_remembered(
    error: Exception, model: Path, home: Path, load: Load, monkeypatch: pytest.MonkeyPatch
):
    def export(*_: Any) -> None:
        raise error

    monkeypatch.setattr(for_runtime, "export_for_runtime", export)
    with pytest.raises(UserError, match="there is not enough memory for the export"):
        translated(load(model))
    assert entries(home) == []


def test_a_damaged_entry_is_made_anew(model: Path, warm: Path, home: Path, load: Load, exports: list[str]):
    shutil.copytree(warm / "graphs", home)
    [path] = [each.parent for each in home.glob("*/entry.json") if "safetensors" in each.read_text()]
    graph = path / "model.onnx"
    graph.write_bytes(bytes(graph.stat().st_size))  # as long as before
    with pytest.raises(UserError, match="the proof failed"):
        translated(load(model))
    assert exports == ["B"]
    assert not graph.exists()


def test_other_weights_and_precisions_are_other_entries(
    model: Path, warm: Path, home: Path, load: Load, exports: list[str], tmp_path: Path
):
    shutil.copytree(warm / "graphs", home)
    same = shutil.copy(model, tmp_path / "renamed.safetensors")
    translated(load(same))
    assert exports == []
    other = model_of("cyclegan", tmp_path / "other.safetensors", width=5)
    for changed in (load(other), Translator.load(model, precision="fp32", runtime="onnxruntime")):
        exports.clear()
        with pytest.raises(UserError, match="the proof failed"):
            translated(changed)
        assert exports == ["B"]


def test_a_file_beside_an_original_could_belong_to_it(
    original: Path, warm: Path, home: Path, load: Load, exports: list[str], tmp_path: Path
):
    shutil.copytree(warm / "graphs", home)
    folder = shutil.copytree(original.parent, tmp_path / "moved")
    translated(load(folder / original.name))
    assert exports == []
    (folder / "other.txt").write_text("notes")
    translated(load(folder / original.name))
    assert exports == []
    (folder / "latest_net_E.pth").write_bytes(b"an encoder")
    with pytest.raises(UserError, match="the proof failed"):
        translated(load(folder / original.name))
    assert exports == [None]


@pytest.mark.usefixtures("home")
def test_only_what_is_asked_for_is_exported(model: Path, load: Load, exports: list[str]):
    with pytest.raises(UserError, match="the proof failed"):
        translated(load(model), to="A")
    assert exports == ["A"]


@pytest.mark.usefixtures("installed", "home")
def test_codes_are_found_by_torch(load: Load, tmp_path: Path):
    model = model_of("spectral_dcgan", tmp_path / "noise.safetensors")
    image = str(photo(tmp_path / "photo.png", 32))
    assert load(model, "auto").run([image], tmp_path / "out")
    with pytest.raises(UserError, match=r"codes are found with the model itself, .*; leave out --runtime$"):
        load(model).run([image], tmp_path / "out")
    metadata = described("spectral_dcgan", inputs={"latent": IMAGE})
    exported = write(tmp_path / "noise.onnx", graph(metadata, [node("Identity", "latent", "output")]))
    with pytest.raises(UserError, match=r"codes are found with the model itself, not .*; name that$"):
        load(exported, "auto").run([image], tmp_path / "out")
