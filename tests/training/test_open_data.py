"""Settings completed by what the data tell: said or found makes no difference; no name hides --to all."""

from pathlib import Path
from typing import Any

import pytest

from i2icli.config import Config, RunOptions
from i2icli.errors import UserError
from i2icli.recipe import resolve_config
from i2icli.training.run_data import open_data
from tests.data.files import fill

SIDE = {"crop_size": 64, "steps": 2, "batch_size": 2}


def settled(system: str, folder: Path, **given: Any) -> Config:
    """The settings of a run on a folder, from what the command line gave."""
    return open_data(system, [folder], resolve_config(system, None, SIDE | given), RunOptions())[1]


def folders(root: Path, *names: str) -> Path:
    for name in names:
        fill(root / name, "1.png", "2.png", "3.png")
    return root


@pytest.mark.parametrize(
    ("system", "option", "names"),
    [
        ("cyclegan", "domains", ("horse", "zebra")),
        ("cyclegan", "domains", ("A", "B")),
        ("augmented_cyclegan", "domains", ("horse", "zebra")),
        ("paired_cyclegan", "domains", ("bare", "styled")),
        ("combogan", "domains", ("A", "B")),
        ("combogan", "domains", ("A", "B", "C")),
        ("stargan", "domains", ("A", "B")),
        ("stargan", "domains", ("autumn", "spring", "summer")),
    ],
)
def test_names_that_the_folders_bear_may_be_given_too(
    tmp_path: Path, system: str, option: str, names: tuple[str, ...]
) -> None:
    folders(tmp_path, *names)
    found = settled(system, tmp_path)
    assert getattr(found, option) == names
    assert settled(system, tmp_path, **{option: ",".join(names)}) == found


def test_names_that_are_given_count_also_where_they_are_the_default(tmp_path: Path) -> None:
    two, three = folders(tmp_path / "two", "horse", "zebra"), folders(tmp_path / "three", "A", "B", "C")
    assert getattr(settled("cyclegan", two, domains="A,B"), "domains") == ("A", "B")  # noqa: B009
    assert getattr(settled("combogan", three, domains="A,B"), "domains") == ("A", "B")  # noqa: B009
    with pytest.raises(UserError, match="--domains A: there is no such domain in the data; found horse"):
        settled("combogan", two, domains="A,B")


@pytest.mark.parametrize("system", ["cyclegan", "combogan", "stargan"])
def test_a_target_called_all_is_refused(tmp_path: Path, system: str) -> None:
    folders(tmp_path, "All", "some")
    with pytest.raises(UserError, match=r"called 'All'.*--to all .*rename it") as refused:
        settled(system, tmp_path)
    assert "\n" not in str(refused.value)


def test_an_attribute_called_all_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "1.png", "2.png", "3.png", "4.png")
    (tmp_path / "list.csv").write_text(
        "image,all,Male\n" + "".join(f"{n}.png,{n // 3},{n % 2}\n" for n in range(1, 5))
    )
    with pytest.raises(UserError, match=r"called 'all'"):
        settled("stargan", tmp_path)
    assert getattr(settled("stargan", tmp_path, attributes="Male"), "attributes") == ("Male",)  # noqa: B009


@pytest.mark.parametrize(("system", "examples"), [("cyclegan", 3), ("pix2pix", 3), ("progan", 3)])
def test_images_in_subfolders_may_be_left_out(tmp_path: Path, system: str, examples: int) -> None:
    sides = [tmp_path / "all"] if system == "progan" else [tmp_path / "A", tmp_path / "B"]
    for side in sides:
        fill(side, "1.png", "2.png", "3.png", "old/4.png", size=(64, 64))
    data = sides[0] if system == "progan" else tmp_path
    options = RunOptions()
    counts = []
    for recursive in (True, False):
        given = SIDE | {"recursive": recursive, "holdout": 0}
        folder, config = open_data(system, [data], resolve_config(system, None, given), options)
        counts.append(len(folder.train()))
        assert config.recursive == recursive
    assert counts == [examples + 1, examples]
    assert any("left out" in line and "1 subfolder (--recursive)" in line for line in folder.report)
