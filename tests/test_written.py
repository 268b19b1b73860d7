"""How durations are written."""

import pytest

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.written import parse_duration, print_duration, print_megapixels


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("30m", 1800),
        ("1.5h", 5400),
        ("3h50m", 13_800),
        ("1h30", 5400),
        ("1d2h", 93_600),
        ("2m5", 125),
        (" 1H 30 m ", 5400),
        (7.5, 7.5),
    ],
)
def test_durations_may_have_several_units(text, seconds):
    assert parse_duration(text) == seconds
    assert RunOptions(time_limit=text).time_limit == seconds


@pytest.mark.parametrize("seconds", [9, 75, 4500, 399_600])
def test_a_duration_that_is_printed_is_read(seconds):
    assert parse_duration(print_duration(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "soon", "h", "3s5", "1m2h", "1h2h", "1 2h", "-5", "0", "9" * 400])
def test_what_is_no_duration_is_refused(text):
    from i2icli.python import _validated

    with pytest.raises(UserError, match="expected a duration like 90s, 30m or 3h50m"):
        _validated(RunOptions, {"time_limit": text})


def test_megapixels_are_written_in_one_way():
    shown = [print_megapixels(pixels) for pixels in (10_000, 4_200_000, 12_345_678, 1_600_000_000)]
    assert shown == ["0.01 MP", "4.2 MP", "12 MP", "1,600 MP"]
