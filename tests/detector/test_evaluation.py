"""Evaluation on images that a detector was fitted to, and the tables of scores."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from i2icli.__main__ import main
from i2icli.cli.detector_tables import print_fitted, print_scores
from i2icli.detector import fitted_images
from i2icli.detector.detector import Detector
from i2icli.detector.evaluation import Score
from i2icli.detector.fitted_images import count_fitted, kept_hashes, pixel_hash
from i2icli.errors import UserError
from tests.detector.images import faked, photograph, write_folders


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A folder with the images of a detector, and the detector."""
    pytest.importorskip("sklearn")
    folder = tmp_path_factory.mktemp("fitted")
    real, fake = write_folders(folder, 10)
    assert main(["detector", "fit", str(real), str(fake), "--out", str(folder / "d.safetensors")]) == 0
    return folder


def evaluated(capsys, folder, *words):
    """Rows and messages of an evaluation on real/ and fake/ in a folder."""
    capsys.readouterr()
    command = ["detector", "evaluate", *(str(folder / name) for name in ("real", "fake"))]
    assert main([*command, "--conditions", "JPEG 90", "--json", *map(str, words)]) == 0
    done = capsys.readouterr()
    return json.loads(done.out), done.err


def test_images_that_a_detector_was_fitted_to_are_noticed(fitted, tmp_path, capsys):
    """Also renamed, in another format, in one of the folders only; others are not."""
    detector = ("--model", fitted / "d.safetensors")
    rows, messages = evaluated(capsys, fitted, *detector)
    assert rows[0]["fitted_to"] == 20
    assert messages.count("warning: the detector was fitted to 20 of these 20 images: scores") == 1
    for name in ("real", "fake"):
        (tmp_path / name).mkdir()
    for index in range(3):
        Image.fromarray(photograph(500 + index, 96)).save(tmp_path / "real" / f"new-{index}.png")
        Image.fromarray(faked(photograph(600 + index, 96), index)).save(tmp_path / "fake" / f"{index}.png")
    rows, messages = evaluated(capsys, tmp_path, *detector)
    assert rows[0]["fitted_to"] == 0
    assert "fitted to" not in messages
    with Image.open(fitted / "real" / "4.png") as image:
        image.save(tmp_path / "real" / "moved.tif", description="another file")
    shutil.copy(fitted / "fake" / "2.png", tmp_path / "fake" / "copy of 2.png")
    rows, messages = evaluated(capsys, tmp_path, *detector)
    assert rows[0]["fitted_to"] == 2
    assert "fitted to 2 of these 8 images" in messages


def test_other_detectors_say_what_is_known(fitted, tmp_path, capsys):
    detector = Detector.load(fitted / "d.safetensors")
    replace(detector, hashes=None).save(tmp_path / "old.safetensors")
    rows, messages = evaluated(capsys, fitted, "--model", tmp_path / "old.safetensors")
    assert rows[0]["fitted_to"] is None
    assert "does not tell which images" in messages
    _, messages = evaluated(capsys, fitted)
    assert "fitted to: 18 photographs of the Debian packages" in messages


def test_a_detector_file_holds_no_names_and_is_bounded(fitted, monkeypatch):
    content = (fitted / "d.safetensors").read_bytes()
    for text in (str(fitted), fitted.name, "0.png", ".png"):
        assert text.encode() not in content
    assert Detector.load(fitted / "d.safetensors").hashes.nbytes == 20 * 8
    monkeypatch.setattr(fitted_images, "MAX_HASHES", 100)
    hashes = np.random.default_rng(0).integers(0, 1 << 64, 2000, dtype=np.uint64)
    kept = kept_hashes(hashes.tolist())
    assert len(kept) == 100
    others = np.random.default_rng(1).integers(0, 1 << 64, 2000, dtype=np.uint64)
    assert count_fitted(kept, others) == 0
    assert count_fitted(kept, hashes) == pytest.approx(2000, rel=0.1)
    assert count_fitted(kept, np.concatenate([hashes, others])) == pytest.approx(2000, rel=0.2)


def test_damaged_hashes_are_refused(fitted, tmp_path):
    detector = Detector.load(fitted / "d.safetensors")
    for hashes in (np.zeros(3), np.zeros((2, 2), np.uint64), np.arange(100_001, dtype=np.uint64)):
        replace(detector, hashes=hashes).save(tmp_path / "bad.safetensors")
        with pytest.raises(UserError, match="damaged detector file"):
            Detector.load(tmp_path / "bad.safetensors")


def test_hashes_depend_on_every_pixel_the_shape_and_the_type():
    pixels = photograph(0, 64)
    other = pixels.copy()
    other[-1, -1, -1] ^= 1
    shapes = (pixels, other, pixels.reshape(32, 128, 3), pixels.view(np.int8))
    assert len({pixel_hash(each) for each in shapes}) == 4
    assert pixel_hash(pixels[:, ::-1]) == pixel_hash(pixels[:, ::-1].copy())


def test_tables_fit_80_columns_without_nan(fitted, capsys):
    detector, nan = Detector.load(fitted / "d.safetensors"), float("nan")
    names = ("all fakes", "cyclegan", "a-very-long-name-of-a-folder-without-any-spaces")
    scores = [
        Score("as they are", name, 12345, 12345, nan, nan, nan, 1.0, 1.0, 1.0, 1.0, None) for name in names
    ]
    print_scores(scores)
    print_fitted(replace(detector, info=detector.info.model_copy(update={"scores": {"auc": nan, "x": 1.0}})))
    table = capsys.readouterr().out
    assert "nan" not in table
    assert max(map(len, table.splitlines())) <= 80
    for header in ("condition", "fakes", "AUC", "balanced", "missed", "held-out score", "mean of ten splits"):
        assert header in table
    assert "cyclegan" in table
    assert table.count("100.0%") == 9
