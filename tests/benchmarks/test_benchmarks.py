"""Benchmarks: every command line works, incomplete data is completed, memory does not grow with the count."""

import weakref
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

import benchmarks
from benchmarks.experiments import spectral_regularisation
from benchmarks.speed import lapgan_step, progan_step, spade_step
from benchmarks.speed import spectra as spectrum
from i2icli.demo.toy.sprites import write_sprites
from i2icli.image import read_image
from i2icli.image.finding import find_images


def images_in(folder: Path) -> dict[str, bytes]:
    return {path.name: read_image(path).pixels.tobytes() for path in find_images(folder)}


ROOMS = ("speed", "gpu", "experiments", "detector")
FOLDER = Path(benchmarks.__file__).parent
COMMANDS = sorted(
    f"benchmarks.{room}.{path.stem}".removesuffix(".__main__")
    for room in ROOMS
    for path in (FOLDER / room).glob("*.py")
    if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_benchmark_explains_its_command_line(command, capsys):
    module = import_module(command)
    main = module.main if hasattr(module, "main") else import_module(f"{command}.__main__").main
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert f"usage: python -m {command}\n" in capsys.readouterr().out.replace(" [-h]", "\n")


def test_every_benchmark_is_listed():
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [command for command in COMMANDS if f"`python -m {command}" not in listed] == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Twelve images of 6x5 pixels."""
    images = np.random.default_rng(0).integers(0, 256, (12, 6, 5), np.uint8)
    np.savez(tmp_path / "images.npz", images=images)
    return tmp_path / "images.npz"


def test_an_incomplete_folder_is_completed(file, tmp_path):
    folders = tmp_path / "tiles", tmp_path / "other"
    spectral_regularisation.write_array(file, folders, 4, 8)
    whole = [images_in(folder) for folder in folders]
    assert [len(each) for each in whole] == [8, 4]
    (folders[1] / "00002.png").unlink()
    spectral_regularisation.write_array(file, folders, 4, 8)
    assert [images_in(folder) for folder in folders] == whole
    for count in (3, 5):  # otherwise training images would be among the test images
        with pytest.raises(SystemExit, match="choose another --out"):
            spectral_regularisation.write_array(file, folders, count, 8)
    assert [images_in(folder) for folder in folders] == whole


def test_missing_tiles_are_restored_and_those_of_another_call_refused(tmp_path):
    write_sprites(tmp_path / "photos", train=2, test=0, size=64)
    spectral_regularisation.cut_tiles(tmp_path / "photos", tmp_path / "tiles", 4, 4, seed=0)
    whole = images_in(tmp_path / "tiles")
    (tmp_path / "tiles" / "00001.png").unlink()
    spectral_regularisation.cut_tiles(tmp_path / "photos", tmp_path / "tiles", 4, 4, seed=0)
    assert images_in(tmp_path / "tiles") == whole
    with pytest.raises(SystemExit, match="has 4 images instead of 3"):
        spectral_regularisation.cut_tiles(tmp_path / "photos", tmp_path / "tiles", 3, 4, seed=0)


def test_images_larger_than_the_side_are_refused(file, tmp_path):
    with pytest.raises(SystemExit, match=r"images.npz: images of 5x6 pixels, but --side 4; use at least 6"):
        spectral_regularisation.write_array(file, [tmp_path / "tiles"], 4, 4)
    assert not (tmp_path / "tiles").exists()


def test_images_are_released_once_they_are_measured(monkeypatch, capsys):
    monkeypatch.setattr(spectrum, "SIDE", 24)
    monkeypatch.setattr(spectrum, "FILES", 2)
    alive: weakref.WeakValueDictionary[int, np.ndarray] = weakref.WeakValueDictionary()
    most, grey_levels = 0, spectrum.grey_levels

    def counted(pixels):
        nonlocal most
        levels = grey_levels(pixels)
        alive[id(levels)] = levels
        most = max(most, len(alive))
        return levels

    monkeypatch.setattr(spectrum, "grey_levels", counted)
    spectrum.main(["--count", "20"])
    assert most <= 2 + 2  # those decoded in advance, the last one and the next
    assert "decoding and profile" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("benchmark", "arguments", "compared"),
    [
        (lapgan_step, ["--batch", "2", "--width", "4"], ("D", "G")),
        (spade_step, ["--batch", "1", "--width", "2", "--size", "64"], ("D", "G")),
        (progan_step, ["--batch", "4", "--width", "4", "--size", "8"], ("G",)),  # D's penalty is random
    ],
)
def test_the_plain_loop_computes_the_losses_of_the_engine(benchmark, arguments, compared, capsys):
    torch.manual_seed(0)
    benchmark.main([*arguments, "--rounds", "1"])
    plain, ours = (
        [float(value) for value in line.split()[-2:]][-len(compared) :]
        for line in capsys.readouterr().out.splitlines()[:2]
    )
    assert plain == pytest.approx(ours, abs=2e-3)
