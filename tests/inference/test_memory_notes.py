"""How much memory large images take is said before they are translated."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from benchmarks.speed.memory_plan import allocated
from i2icli.__main__ import main
from i2icli.inference import header_sizes, memory_notes
from i2icli.inference.translator import Translator
from tests.inference.videos import write_tiny


@pytest.fixture
def model(tmp_path):
    return write_tiny(tmp_path / "model.safetensors", "cyclegan", width=32, num_blocks=2)


def test_the_estimate_grows_as_what_the_networks_hold_at_a_time(model):
    backend = Translator.load(model, runtime="torch").backend
    task, estimated, held = backend.tasks[0], [], []
    for side in (64, 64, 128):  # libraries are loaded by the first
        inputs = {next(iter(task.inputs)): np.zeros((1, 3, side, side), np.float32)}
        estimated.append(backend.memory(task, inputs) - inputs[next(iter(inputs))].nbytes)
        held.append(allocated(partial(backend.forward, task, inputs, None)))  # and all that was there before
    assert estimated[2] == pytest.approx(4 * estimated[1], rel=0.01)
    assert estimated[2] - estimated[1] == pytest.approx(held[2] - held[1], rel=0.6)


def test_large_images_are_named_with_their_memory_and_what_would_fit(model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(memory_notes, "LARGE", 4000)
    monkeypatch.setattr(memory_notes, "free_memory", lambda: 10**9)
    (tmp_path / "in").mkdir()
    for name, side in (("a", 80), ("b", 100), ("c", 20)):
        Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(tmp_path / f"in/{name}.png")
    command = ["translate", str(tmp_path / "in"), "--model", str(model), "--runtime", "torch", "--out"]
    assert main([*command, str(tmp_path / "one")]) == 0
    (line,) = (line for line in capsys.readouterr().err.splitlines() if "memory" in line)
    first = f"note: memory: {tmp_path / 'in/b.png'} (0.01 MP) takes about 3 MB"
    assert line.startswith(f"{first}, {tmp_path / 'in/a.png'}")
    assert line.endswith("; 1.0 GB are free")
    monkeypatch.setattr(memory_notes, "free_memory", lambda: 10)
    assert main([*command, str(tmp_path / "two")]) == 0
    assert "but only 1 MB are free: it may fail\n" in capsys.readouterr().err  # at no size
    assert main([*command, str(tmp_path / "three"), "--size", "trained"]) == 0
    assert "memory" not in capsys.readouterr().err


def test_a_large_image_is_found_wherever_it_lies_in_a_folder(model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(memory_notes, "LARGE", 4000)
    monkeypatch.setattr(header_sizes, "LOOKED_AT", 2)
    (tmp_path / "in").mkdir()
    for name, side in (("a", 70), ("b", 70), ("c", 16), ("d", 90), ("e", 80), ("f", 80)):
        Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(tmp_path / f"in/{name}.bmp")
    command = ["translate", str(tmp_path / "in"), "--model", str(model), "--runtime", "torch", "--out"]
    assert main([*command, str(tmp_path / "one")]) == 0
    shown = capsys.readouterr().err
    assert f"note: memory: {tmp_path / 'in/d.bmp'} (0.0081 MP) takes about " in shown
    assert ", others less; " in shown
    assert f"note: {tmp_path / 'in/d.bmp'} is translated at 90x90 px (others likewise), " in shown
