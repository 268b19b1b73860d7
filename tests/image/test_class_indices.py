"""Ids and colours become indices of classes in one place; what no class has is named."""

import numpy as np
import pytest
from PIL import Image

from i2icli.classes import LabelClass, LabelSet, numbered
from i2icli.errors import UserError
from i2icli.image import ArrayItem
from i2icli.image.class_indices import class_indices, class_pixels, occurrences, runs, spans
from i2icli.image.id_maps import IdMap
from i2icli.image.items import PillowItem
from i2icli.image.kinds import decode
from i2icli.task import Port
from tests.data.kinds.label_files import grey_png, labels_of

RED, BLUE = LabelClass(7, "red", (255, 0, 0)), LabelClass(2, "blue", (0, 0, 255))


def test_occurrences_are_counted_and_placed() -> None:
    ids = np.array([[4, 4, 9], [9, 4, 4]], np.int32)
    found = occurrences(ids)
    assert {number: (each.pixels, each.first) for number, each in found.items()} == {
        4: (4, (0, 0)),
        9: (2, (2, 0)),
    }
    values, starts, lengths = runs(ids)
    np.testing.assert_array_equal(np.repeat(values, lengths).reshape(ids.shape), ids)
    assert starts.tolist() == [0, 2, 4]


@pytest.mark.parametrize("seed", range(3))
def test_indices_are_those_of_a_lookup_pixel_by_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = rng.choice(70000, 300 if seed == 2 else 30, replace=False)
    labels = LabelSet(tuple(LabelClass(int(number), str(number)) for number in known[:-2]), tuple(known[-2:]))
    ids = rng.choice(known, (20, 30)).astype(np.int32)
    found = class_indices(IdMap(ids), labels, "a map")
    np.testing.assert_array_equal(found, np.vectorize(labels.index_of_id.__getitem__)(ids))
    assert found.dtype == (np.int32 if seed == 2 else np.uint8)
    pixels = class_pixels(occurrences(ids), labels, "a map")
    np.testing.assert_array_equal([pixels.get(index, 0) for index in range(len(known) - 1)], np.bincount(
        found.reshape(-1), minlength=len(known) - 1
    ))  # fmt: skip


def test_255_classes_and_dont_care_fit_into_a_byte() -> None:
    ids = np.array([[0, 254, 255]], np.int32)
    assert class_indices(IdMap(ids), LabelSet(numbered(255)), "").tolist() == [[0, 254, 255]]
    more = class_indices(IdMap(ids), LabelSet(numbered(256), ()), "")
    assert (more.tolist(), more.dtype) == ([[0, 254, 255]], np.int32)


def test_colours_stand_for_their_classes_and_for_what_is_ignored() -> None:
    labels = LabelSet((RED, BLUE), (0,), ignored_colours=((9, 9, 9),))
    pixels = np.array([[[255, 0, 0], [0, 0, 255], [9, 9, 9]]], np.uint8)
    assert decode(ArrayItem(pixels), Port(2, "labels", labels=labels))[..., 0].tolist() == [[0, 1, 2]]
    assert decode(ArrayItem(pixels), Port(1, "instances"))[..., 0].tolist() == [[255, 255 << 16, 0x090909]]


def test_a_port_without_classes_takes_ids_below_its_channels() -> None:
    port = Port(3, "labels")
    assert decode(ArrayItem(np.array([[2, 0]])), port)[..., 0].tolist() == [[2, 0]]
    for wrong in (3, 255, -1):
        with pytest.raises(UserError, match=rf"^the array: id {wrong} at pixel \(1, 0\) .* \(0 to 2\)"):
            decode(ArrayItem(np.array([[2, wrong]])), port)


def test_the_most_frequent_of_what_is_unknown_is_named() -> None:
    ids = np.array([[2, 3, 4, 4], [7, 7, 7, 7]], np.int32)
    with pytest.raises(UserError) as refused:
        class_indices(IdMap(ids), LabelSet((RED, BLUE)), "town/1.png")
    assert str(refused.value) == (
        "town/1.png: id 4 at pixel (2, 0) is none of the 2 classes' (2, 7); 37.50% of the pixels have none; "
        "correct the map, or train with it in --classes or --ignore"
    )
    assert refused.value.exit_code == 1


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([3], "3"),
        (range(8), "0 to 7"),
        ([5, 0, 1, 2, 7, 8], "0 to 2, 5, 7 to 8"),
        (range(0, 20, 2), "0, 2, 4, ..., 18"),
    ],
)
def test_ids_in_few_words(ids: list[int], words: str) -> None:
    assert spans(ids) == words


def test_pillow_images_are_read_by_id(tmp_path) -> None:
    grey_png(tmp_path / "four-bit.png", labels_of())
    with Image.open(tmp_path / "four-bit.png") as image:
        np.testing.assert_array_equal(PillowItem(image).read_map().ids, labels_of())
    palette = Image.fromarray(np.array([[1, 0]], np.uint8), "L")
    palette.putpalette([1, 2, 3, 4, 5, 6])
    found = PillowItem(palette).read_map()
    assert (found.ids.tolist(), found.palette[:2]) == ([[1, 0]], ((1, 2, 3), (4, 5, 6)))
    coloured = PillowItem(Image.new("RGBA", (1, 1), (1, 2, 3, 0))).read_map()
    assert (coloured.coloured, coloured.ids.tolist()) == (True, [[1 + 256 * 2 + 65536 * 3]])
    with pytest.raises(
        UserError, match="cannot read the image: colours of kind CMYK; expected one id per pixel"
    ):
        PillowItem(Image.new("CMYK", (1, 1))).read_map()
