from fractions import Fraction

import pytest

from i2icli.export.axes import Axis, shape_of, text_of

SIZES = {"batch": 2, "height": 24, "width": 40}, {"batch": 5, "height": 32, "width": 56}


def test_sides_are_recognised_by_how_they_grow():
    shape = shape_of((2, 3, 24, 80), (5, 3, 32, 112), SIZES)
    assert shape == (Axis("batch"), 3, Axis("height"), Axis("width", Fraction(2)))
    assert text_of(shape) == ("batch", 3, "height", "2*width")
    assert shape_of((3, 5), (4, 7), SIZES) == (Axis("height", Fraction(1, 8)), Axis("width", Fraction(1, 8)))
    assert text_of(shape_of((60,), (84,), SIZES)) == ("3*width/2",)
    assert shape_of((), (), SIZES) == ()


def test_an_axis_tells_its_length():
    assert Axis("width", Fraction(3, 2)).length(SIZES[1]) == 84


@pytest.mark.parametrize("other", [(5, 9), (5, 3, 1)])
def test_what_follows_no_size_is_an_error(other):
    with pytest.raises(ValueError, match=r"follows none|different rank"):
        shape_of((2, 3), other, SIZES)
