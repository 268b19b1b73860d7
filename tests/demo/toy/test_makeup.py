"""Toy faces: styles do not change the face, and file names match the ground truth."""

from pathlib import Path

import numpy as np

from i2icli.demo.toy.makeup import face, style, write_makeup
from i2icli.image import read_image


def test_a_face_follows_from_its_seed_and_a_style_changes_only_what_it_paints() -> None:
    bare, worn, other = face(3, None, 48), face(3, style(1), 48), face(3, style(2), 48)
    assert bare.shape == (48, 48, 3)
    np.testing.assert_array_equal(bare, face(3, None, 48))
    changed = (bare != worn).any(-1)
    assert 0.03 < changed.mean() < 0.4
    assert not changed[:8].any()  # hair and background
    assert not changed[:, :4].any()
    assert ((worn != other).any(-1) <= changed | (bare != other).any(-1)).all()
    assert (face(4, None, 48) != bare).any()


def test_styles_differ() -> None:
    assert len({style(seed) for seed in range(20)}) == 20


def test_test_faces_are_there_bare_and_two_by_two_in_a_style_and_never_trained_on(tmp_path: Path) -> None:
    write_makeup(tmp_path, train=3, test=4, size=32)
    names = {each.name: sorted(path.name for path in each.iterdir()) for each in tmp_path.iterdir()}
    assert names["testA"] == ["0000.png", "0001.png", "0002.png", "0003.png"]
    assert names["testB"] == [
        "0000+style000.png", "0001+style000.png", "0002+style001.png", "0003+style001.png"
    ]  # fmt: skip
    images = {path: read_image(path).pixels.tobytes() for path in tmp_path.rglob("*.png")}
    assert len(set(images.values())) == len(images) == 14
