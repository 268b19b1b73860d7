"""Classes have distinct colours, their own where they have one."""

import numpy as np
import torch

from i2icli.classes import LabelClass, LabelSet, numbered
from i2icli.image.kinds import displayed
from i2icli.image.label_colours import colours_of
from i2icli.nn.label_maps import paint
from i2icli.task import Port

ROAD, LAND = (128, 64, 128), (0, 0, 0)


def some() -> LabelSet:
    return LabelSet((LabelClass(7, "road", ROAD), LabelClass(9, "sea"), LabelClass(11, "land", LAND)))


def test_every_index_has_a_colour_of_its_own():
    for count in (1, 30, 400):
        colours = colours_of(LabelSet(numbered(count)))
        assert len(set(colours)) == len(colours) == count + 1
        assert colours[-1] == (0, 0, 0)
    assert colours_of(LabelSet(numbered(3)))[:3] == colours[:3]  # however many there are
    neighbours = np.diff(np.array(colours[:30], int), axis=0)
    assert np.abs(neighbours).max(1).min() > 50  # told apart at a glance


def test_colours_of_classes_stay_and_are_given_to_no_other():
    first = colours_of(LabelSet(numbered(1)))[0]
    road, _, land, none = colours_of(some())
    assert (road, land) == (ROAD, LAND)
    assert none == (255, 255, 255)  # black is taken
    taken = LabelSet((LabelClass(0, "a"), LabelClass(1, "b", first)))
    assert len(set(colours_of(taken))) == 3


def test_sheets_and_previews_show_the_same_colours():
    labels = some()
    indices = np.random.default_rng(0).integers(0, 4, (6, 8, 1)).astype(np.int32)
    shown = displayed(indices, Port(3, "labels", labels=labels), (6, 8))
    assert (shown.shape, shown.dtype) == ((6, 8, 3), np.uint8)
    assert np.array_equal(shown, np.array(colours_of(labels), np.uint8)[indices[..., 0]])
    painted = paint(torch.from_numpy(indices.transpose(2, 0, 1)[None]).long(), colours_of(labels))
    assert painted.shape == (1, 3, 6, 8)
    torch.testing.assert_close((painted[0].permute(1, 2, 0) + 1) * 127.5, torch.from_numpy(shown).float())
    small = displayed(indices, Port(3, "labels", labels=labels), (3, 4))
    assert {tuple(colour) for colour in small.reshape(-1, 3).tolist()} <= set(colours_of(labels))  # unmixed
