"""Facial regions as boxes and masks, and synthetic makeup transfer."""

import numpy as np
import pytest

from i2icli.face import REGIONS, blank, face_mask, points_in, region_box, region_mask, synthetic_transfer
from i2icli.systems.paired_cyclegan import config
from tests.face.synthetic import landmarks

SIZE = (100, 80)


def test_the_settings_know_the_same_regions() -> None:
    assert set(config.REGIONS) == set(REGIONS)


@pytest.mark.parametrize(("region", "inside", "outside"), [
    ("lips", (76, 40), (40, 26)),
    ("eyes", (37, 27), (76, 40)),
    ("skin", (60, 15), (5, 5)),
])  # fmt: skip
def test_masks_are_where_the_region_is(
    region: str, inside: tuple[int, int], outside: tuple[int, int]
) -> None:
    mask = region_mask(landmarks(80, 100), region, SIZE)
    assert mask.shape == SIZE
    assert mask.dtype == np.float32
    assert mask[inside] > 0.5
    assert mask[outside] < 0.02


def test_skin_leaves_out_lips_and_eyes_which_its_networks_do_not_see() -> None:
    face = landmarks(80, 100)
    assert region_mask(face, "skin", SIZE)[72, 40] < 0.3
    hidden = blank(face, "skin", SIZE)
    assert hidden[72, 40]
    assert hidden[42, 27]
    assert not hidden[60, 15]
    assert not blank(face, "lips", SIZE).any()


def test_boxes_contain_the_region_and_stay_in_the_image() -> None:
    face = landmarks(80, 100, left=-20, top=10)  # a part lies outside
    for region in REGIONS:
        box = region_box(face, region, SIZE)
        assert box.top >= 0
        assert box.left >= 0
        assert box.height >= 1
        assert box.width >= 1
        assert box.top + box.height <= SIZE[0]
        assert box.left + box.width <= SIZE[1]
    lips = region_box(landmarks(80, 100), "lips", SIZE)
    assert lips.top < 66
    assert lips.top + lips.height > 78
    assert lips.height < 40


def test_a_face_outside_the_image_still_has_a_box() -> None:
    box = region_box(landmarks(80, 100, left=500, top=-700), "lips", SIZE)
    assert (box.height, box.width) >= (1, 1)


def test_points_move_with_their_box() -> None:
    face = landmarks(80, 100)
    box = region_box(face, "lips", SIZE)
    moved = points_in(face, box, (50, 50))
    assert region_mask(moved, "lips", (50, 50))[35, 25] > 0.5
    np.testing.assert_allclose(moved[0, 0], (face[0, 0] - box.left) * 50 / box.width)


def test_the_reference_covers_the_face_but_not_eyes_mouth_and_background() -> None:
    bare, reference = np.zeros((100, 80, 3), np.float32), np.ones((64, 64, 3), np.float32)
    result = synthetic_transfer(bare, landmarks(80, 100), reference, landmarks(64, 64))
    assert result.shape == bare.shape
    assert result[60, 40, 0] > 0.9
    assert result[5, 5, 0] == 0
    assert result[42, 27, 0] < 0.5
    assert face_mask(landmarks(80, 100), SIZE)[60, 40] > 0.9
    assert not bare.any()


def test_lips_take_the_colour_of_the_lips_of_the_reference() -> None:
    face, other = landmarks(80, 100), landmarks(50, 60, left=20, top=10)
    reference = np.zeros((90, 90, 3), np.float32)
    reference[region_mask(other, "lips", (90, 90)) > 0.4] = (1, 0, 0)
    result = synthetic_transfer(np.zeros((100, 80, 3), np.float32), face, reference, other)
    rows, columns = np.nonzero(result[..., 0] > 0.5)
    assert rows.mean() == pytest.approx(72, abs=3)
    assert columns.mean() == pytest.approx(40, abs=3)
