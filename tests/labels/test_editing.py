"""Editing label maps: what each operation changes, and what it leaves alone."""

import numpy as np
import pytest

from i2icli.classes import LabelClass, LabelSet
from i2icli.errors import UserError
from i2icli.labels.editing import LARGEST_INSTANCE, Fill, Move, Paste, Remove, Replace
from i2icli.labels.regions import Box, ClassOf, InstanceOf, LabelMap

LABELS = LabelSet((LabelClass(7, "road"), LabelClass(21, "tree"), LabelClass(26, "car")), (255,))
ROAD, TREE, CAR, UNLABELLED = range(4)


def street() -> LabelMap:
    """Trees in the upper half, road in the lower one, on it two cars of 2x2 pixels: 26001, 26002."""
    ids = np.full((8, 10), 7, np.int32)
    ids[:4] = 21
    instances = ids.copy()
    for number, left in ((26001, 1), (26002, 6)):
        ids[5:7, left : left + 2], instances[5:7, left : left + 2] = 26, number
    return LabelMap(ids, LABELS, instances)


def box_of(mask):
    rows, columns = np.nonzero(mask)
    assert mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_a_class_is_replaced_and_its_objects_stay():
    given = street()
    edited = Replace(ClassOf(TREE), ROAD).apply(given)
    assert set(np.unique(edited.ids)) == {7, 26}
    assert np.array_equal(edited.instances, given.instances)
    assert (given.ids[0] == 21).all()  # the given map is as it was


def test_one_object_gets_another_class():
    edited = Replace(InstanceOf(26002), TREE).apply(street())
    assert box_of(edited.ids[4:] == 21) == (6, 1, 8, 3)
    assert (edited.ids[5:7, 1:3] == 26).all()


def test_the_place_of_what_is_removed_becomes_what_surrounds_it():
    edited = Remove(InstanceOf(26001)).apply(street())
    assert (edited.ids[4:, :5] == 7).all()
    assert (edited.instances[4:, :5] == 7).all()
    assert (edited.instances == 26002).sum() == 4


def test_a_removed_class_is_filled_from_the_nearest_side():
    edited = Remove(ClassOf(ROAD)).apply(street())
    assert (edited.ids[4, [0, 4, 9]] == [21, 21, 21]).all()  # trees are one pixel away, cars farther or equal
    assert (edited.ids[7, 1:3] == 26).all()
    assert (edited.instances[7, [1, 6]] == [26001, 26002]).all()


def test_unlabelled_borders_do_not_spread():
    ids = np.full((9, 9), 7, np.int32)
    ids[2:7, 2:7], ids[3:6, 3:6] = 255, 26  # a car with a border of no class
    assert (Remove(ClassOf(CAR)).apply(LabelMap(ids, LABELS)).ids[3:6, 3:6] == 7).all()
    alone = np.where(ids == 7, 255, ids)
    assert (Remove(ClassOf(CAR)).apply(LabelMap(alone, LABELS)).ids == 255).all()


def test_what_covers_the_whole_map_cannot_be_removed():
    with pytest.raises(UserError, match="covers the whole map"):
        Remove(ClassOf(ROAD)).apply(LabelMap(np.full((3, 3), 7, np.int32), LABELS))


def test_every_removed_pixel_becomes_what_the_nearest_one_is():
    rng = np.random.default_rng(0)
    for density in (0.01, 0.1, 0.6):
        ids = np.where(rng.random((24, 31)) < density, rng.integers(20, 23, (24, 31)), 26).astype(np.int32)
        ids[7, 3] = 20
        labels = LabelSet(tuple(LabelClass(number, str(number)) for number in (20, 21, 22, 26)))
        filled = Remove(ClassOf(3)).apply(LabelMap(ids, labels)).ids
        sources = np.argwhere(ids != 26)
        for y, x in np.argwhere(ids == 26):
            distances = ((sources - (y, x)) ** 2).sum(1)
            nearest = sources[distances == distances.min()]
            assert filled[y, x] in ids[nearest[:, 0], nearest[:, 1]]


def test_a_pasted_object_has_its_corner_there_and_a_number_of_its_own():
    edited = Paste(InstanceOf(26002), street(), (3, 0)).apply(street())
    (new,) = set(np.unique(edited.instances)) - {7, 21, 26001, 26002}
    assert box_of(edited.instances == new) == (3, 0, 5, 2)
    assert (edited.ids[0:2, 3:5] == 26).all()
    assert (edited.ids == 26).sum() == 12


def test_a_pasted_class_keeps_its_objects_apart_and_is_cut_at_the_border():
    edited = Paste(ClassOf(CAR), street(), (5, 7)).apply(street())  # 7 pixels wide, 2 high
    new = sorted(set(np.unique(edited.instances)) - {7, 21, 26001, 26002})
    assert box_of(edited.instances == new[0]) == (5, 7, 7, 8)
    assert len(new) == 1  # the second would begin at column 10
    with pytest.raises(UserError, match="nothing of it would lie inside the map of 10x8 px"):
        Paste(ClassOf(CAR), street(), (10, 0)).apply(street())


def test_pasting_between_maps_of_which_one_has_no_objects():
    plain = LabelMap(street().ids, LABELS)
    assert Paste(ClassOf(CAR), street(), (0, 0)).apply(plain).instances is None
    edited = Paste(ClassOf(CAR), plain, (0, 0)).apply(street())
    assert (edited.instances == 26003).sum() == 8  # one new object
    with pytest.raises(UserError, match="copy from: there is no instance map"):
        Paste(InstanceOf(1), plain, (0, 0)).apply(street())


def test_numbers_stay_within_16_bit():
    given = street()
    given.instances[0, 0] = LARGEST_INSTANCE
    edited = Paste(InstanceOf(26001), street(), (3, 0)).apply(given)
    assert (edited.instances[0:2, 3:5] == 1).all()


def test_a_rectangle_is_filled():
    edited = Fill(CAR, Box(2, 0, 5, 3)).apply(street())
    assert box_of(edited.ids[:4] == 26) == (2, 0, 5, 3)
    assert (edited.instances[0:3, 2:5] == 26003).all()  # two cars are there: it is a third


def test_what_is_filled_joins_the_only_object_of_its_class():
    mask = np.zeros((8, 10), bool)
    mask[0, ::2] = True
    edited = Fill(ROAD, mask).apply(street())
    assert (edited.ids[0] == [7, 21] * 5).all()
    assert (edited.instances[0] == [7, 21] * 5).all()


@pytest.mark.parametrize("box", [(0, 0, 11, 2), (0, 0, 3, 9), (-1, 0, 3, 3), (4, 4, 4, 6), (5, 0, 2, 3)])
def test_a_rectangle_outside_is_refused(box):
    with pytest.raises(UserError, match=r"no part of a map of 10x8 px; expected .* from 0,0 to 10,8"):
        Fill(ROAD, Box(*box)).apply(street())
    with pytest.raises(UserError, match="no part of the map"):
        Fill(ROAD, np.ones((2, 2), bool)).apply(street())


def test_a_moved_object_leaves_what_surrounds_it_and_keeps_its_number():
    edited = Move(InstanceOf(26001), (2, -4)).apply(street())
    assert box_of(edited.instances == 26001) == (3, 1, 5, 3)
    assert (edited.ids[4:, :5] == 7).all()
    half = Move(InstanceOf(26001), (-2, 0)).apply(street())
    assert box_of(half.instances == 26001) == (0, 5, 1, 7)


def test_what_is_not_there_is_named_beside_what_is():
    with pytest.raises(UserError, match="no instance 5 in this map; it has 7, 21, 26001, 26002"):
        Remove(InstanceOf(5)).apply(street())
    no_trees = Replace(ClassOf(TREE), ROAD).apply(street())
    with pytest.raises(UserError, match="no tree in this map; it has road, car"):
        Move(ClassOf(TREE), (1, 1)).apply(no_trees)
    many = LabelMap(np.full((5, 20), 7, np.int32), LABELS, np.arange(100, dtype=np.int32).reshape(5, 20))
    with pytest.raises(UserError, match=r"it has 0, 1, .*, 11 and 88 more"):
        Remove(InstanceOf(1000)).apply(many)


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(UserError, match="an instance map of 2x3 px, a label map of 4x3 px"):
        LabelMap(np.zeros((3, 4), np.int32), LABELS, np.zeros((3, 2), np.int32))


def test_unlabelled_pixels_are_a_class_where_the_networks_know_it():
    labels = LabelSet(LABELS.classes, (0, 255), dont_care=True)
    edited = Replace(ClassOf(TREE), UNLABELLED).apply(LabelMap(street().ids, labels))
    assert (edited.ids[0] == 255).all()
    assert (Replace(ClassOf(UNLABELLED), CAR).apply(edited).ids[0] == 26).all()
