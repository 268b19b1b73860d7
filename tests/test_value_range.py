"""How ranges are written, and what ports are made of them."""

import pytest

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.fields import flag
from i2icli.recipe import resolve_config
from i2icli.task import image_ports
from i2icli.value_range import ValueRange, bounds, of_sides, parse_ranges, percentiles
from tests.tiny import tiny_config


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("type", "type"),
        (" Found ", "found"),
        ("0, 4095", "0,4095"),
        ("-1024,3071", "-1024,3071"),
        ("-2.5,1e1", "-2.5,10"),
        ("percentile:1,99", "percentile:1,99"),
        ("Percentile: 0.5 , 99.9", "percentile:0.5,99.9"),
        ("0,4095/type", "0,4095/type"),
        ("type/-1,1.5", "type/-1,1.5"),
        ("found/found", "found"),
        ((0, 4095), "0,4095"),
        ([-1.5, 2], "-1.5,2"),
    ],
)
def test_ranges_are_kept_in_one_form(given: object, kept: str) -> None:
    assert Config(range=given).range == kept
    assert parse_ranges(kept) == kept


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("wide", "expected found, type, LOW,HIGH or percentile:LOW,HIGH"),
        ("5", "expected found, type"),
        ("0,nan", "expected found, type"),
        ("0,1e999", "expected found, type"),
        ("0,1/2,3/4,5", "expected found, type"),
        ("type:1,2", "expected found, type"),
        ("", "expected found, type"),
        ("4095,0", "4095 is not below 0; the lower value comes first"),
        ("7,7", "7 is not below 7"),
        ("percentile:1,101", "percentiles lie between 0 and 100"),
    ],
)
def test_others_are_refused_with_what_is_expected(given: str, why: str) -> None:
    with pytest.raises(UserError) as caught:
        resolve_config("pix2pix", None, {"range": given}, flag)
    assert f"--range {given or chr(39) * 2}: {why}" in str(caught.value)


def test_a_range_is_of_both_sides_or_of_each() -> None:
    assert of_sides("0,1") == ("0,1", "0,1")
    assert of_sides("type/0,1") == ("type", "0,1")
    assert (bounds("-1,2.5"), bounds("type"), bounds("percentile:1,2")) == ((-1, 2.5), None, None)
    assert (percentiles("percentile:1,99"), percentiles("1,99")) == ((1, 99), None)


def test_ports_carry_ranges_and_the_types_that_were_found() -> None:
    first, second = image_ports((1, 3), ("int16", "uint8"), "-1000,1200/type")
    assert (first.channels, first.range, first.dtype) == (1, ValueRange(-1000, 1200, "int16"), "int16")
    assert (second.channels, second.range, second.dtype) == (3, None, "uint8")
    assert all(port.dtype is None for port in image_ports((3, 3), ("uint8", "uint8"), "type"))
    assert all(port.dtype == "uint16" for port in image_ports((1, 1), ("uint16", "uint16"), "type"))
    assert all(port.range is None for port in image_ports((3, 3), None, "found"))  # until data are known


@pytest.mark.parametrize(
    "name", ["pix2pix", "cyclegan", "augmented_cyclegan", "dtn", "stargan", "combogan", "paired_cyclegan"]
)
def test_tasks_read_and_give_the_range_of_their_sides(name: str) -> None:
    config = tiny_config(name, channels=(1, 1), types=("int16", "uint16"), range="-5,5/0,4095")
    task = config.tasks(config.stages()[-1])[0]
    assert next(iter(task.inputs.values())).range == ValueRange(-5, 5, "int16")
    one = name in ("stargan", "combogan", "paired_cyclegan")  # all their images are read alike
    assert task.output.range == (ValueRange(-5, 5, "int16") if one else ValueRange(0, 4095, "uint16"))


@pytest.mark.parametrize("name", ["spade", "pix2pixhd", "progan", "lapgan", "spectral_dcgan"])
def test_what_is_generated_has_the_range_of_the_images(name: str) -> None:
    config = tiny_config(name, channels=(3,), types=("uint16",), range="0,4095")
    tasks = config.tasks(config.stages()[-1])
    assert {task.output.range for task in tasks} == {ValueRange(0, 4095, "uint16")}
    labels = [port for task in tasks for port in task.inputs.values() if port.kind != "image"]
    assert all(port.range is None for port in labels)


def test_the_frames_and_the_source_of_videos_have_a_range() -> None:
    config = tiny_config("vid2vid", types=("uint16", "int16"), range="0,4095/-9,9")
    (task,) = config.tasks(config.stages()[-1])
    assert task.inputs["source"].range == ValueRange(0, 4095, "uint16")
    assert task.output.range == ValueRange(-9, 9, "int16")


def test_settings_without_a_range_mean_the_type() -> None:
    old = tiny_config("cyclegan", channels=(3, 3), types=("uint8", "uint8")).model_dump(mode="json")
    del old["range"]  # of a version that did not know it
    config = type(tiny_config("cyclegan")).model_validate(old)
    assert config.range == "type"
    for task in config.tasks(config.stages()[0]):
        assert (task.output.range, task.output.dtype) == (None, None)
