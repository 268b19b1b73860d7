"""What the benchmarks promise: nothing half done counts as done, memory does not grow with their length."""

import weakref
from pathlib import Path

import numpy as np
import pytest

from benchmarks.experiments import spectral_regularisation
from benchmarks.speed import spectra as spectrum
from i2icli.demo.toy.sprites import write_sprites
from i2icli.image import read_image
from i2icli.image.finding import find_images


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: read_image(path).pixels.tobytes() for path in find_images(folder)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Twelve pictures of 6x5 pixels."""
    images = np.random.default_rng(0).integers(0, 256, (12, 6, 5), np.uint8)
    np.savez(tmp_path / "images.npz", images=images)
    return tmp_path / "images.npz"


def test_a_folder_that_was_left_half_filled_is_filled_anew(file, tmp_path):
    folders = tmp_path / "tiles", tmp_path / "other"
    spectral_regularisation.place_pictures(file, folders, 4, 8)
    whole = [pictures(folder) for folder in folders]
    assert [len(each) for each in whole] == [8, 4]
    (folders[1] / "00002.png").unlink()
    spectral_regularisation.place_pictures(file, folders, 4, 8)
    assert [pictures(folder) for folder in folders] == whole
    for count in (3, 5):  # else some of what was trained on would be compared with
        with pytest.raises(SystemExit, match="as of another call; choose another --out"):
            spectral_regularisation.place_pictures(file, folders, count, 8)
    assert [pictures(folder) for folder in folders] == whole


def test_half_of_the_tiles_are_cut_anew_and_those_of_another_call_refused(tmp_path):
    write_sprites(tmp_path / "photos", train=2, test=0, size=64)
    spectral_regularisation.cut_tiles(tmp_path / "photos", tmp_path / "tiles", 4, 4, seed=0)
    whole = pictures(tmp_path / "tiles")
    (tmp_path / "tiles" / "00001.png").unlink()
    spectral_regularisation.cut_tiles(tmp_path / "photos", tmp_path / "tiles", 4, 4, seed=0)
    assert pictures(tmp_path / "tiles") == whole
    with pytest.raises(SystemExit, match="holds 4 pictures, not 3"):
        spectral_regularisation.cut_tiles(tmp_path / "photos", tmp_path / "tiles", 3, 4, seed=0)


def test_pictures_too_large_for_the_side_are_refused_in_a_line(file, tmp_path):
    with pytest.raises(SystemExit, match=r"images.npz: images of 5x6 pixels, but --side 4; give 6 or more"):
        spectral_regularisation.place_pictures(file, [tmp_path / "tiles"], 4, 4)
    assert not (tmp_path / "tiles").exists()


def test_pictures_are_let_go_of_once_they_are_measured(monkeypatch, capsys):
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
    assert most <= 2 + 2  # those that are decoded once, the last one and the next
    assert "decoding and profile" in capsys.readouterr().out
