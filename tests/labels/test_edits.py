"""Edits as users write them."""

from pathlib import Path

import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.labels.edits import Written, apply, parse, script
from tests.labels.test_editing import LABELS, box_of, street


def edited(*words: str):
    edits = parse((Written(*each.split(" ", 1)) for each in words), LABELS, read=lambda _: street())
    return apply(edits, street())


def test_edits_are_made_in_the_order_given():
    first = edited("replace tree=road", "replace road=car")
    second = edited("replace road=car", "replace tree=road")
    assert set(np.unique(first.ids)) == {26}
    assert set(np.unique(second.ids)) == {7, 26}


def test_every_kind_of_edit():
    made = edited(
        "remove instance:26001",
        "paste instance:26002 from a map at home.png at 3, 0",
        "move instance:26002 by -5,0",
        "fill TREE in 0,7,10,8",
        "replace 21=road",
    )
    assert box_of(made.instances == 26002) == (1, 5, 3, 7)
    assert box_of(made.ids[:4] == 26) == (3, 0, 5, 2)
    assert set(np.unique(made.ids)) == {7, 26}


def test_the_file_to_paste_from_may_have_any_name():
    seen = []
    parse(
        [Written("paste", "car from a map at home from me.png at -3,0")],
        LABELS,
        lambda path: seen.append(path) or street(),
    )
    parse(
        [Written("paste", "car other.png at 1,2", Path("maps"))],
        LABELS,
        lambda path: seen.append(path) or street(),
    )
    assert seen == [Path("a map at home from me.png"), Path("maps/other.png")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("replace tree", "--replace tree: expected what and by which class, as in tree=building"),
        ("replace tree=lake", "unknown class 'lake'; this model knows: road, tree, car"),
        ("remove boat", "--remove boat: unknown class 'boat'"),
        ("remove instance:car", "expected the number of an object, as in instance:26003"),
        ("remove instance:99", "--remove instance:99: there is no instance 99 in this map; it has"),
        ("paste car at 3,4", '"car from other.png at 120,80"'),
        ("paste car from b.png at 3", '"car from other.png at 120,80"'),
        ("fill car in 1,2,3", '"building in 10,20,80,90"'),
        ("fill car in 0,0,99,99", "is no part of a map of 10x8 px"),
        ("move car by 3", '"instance:26003 by 20,0"'),
    ],
)
def test_a_wrong_edit_is_named(words, message):
    with pytest.raises(UserError) as caught:
        edited(words)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"--{words}")


def test_a_script_holds_edits_in_order(tmp_path):
    path = tmp_path / "edits.toml"
    text = '[[edit]]\nreplace = "tree=building"\n[[edit]]\nmove = "car by 1,0"\n[[edit]]\nreplace = "a=b"\n'
    path.write_text(text)
    assert {each.folder for each in script(path)} == {tmp_path}
    assert [str(each) for each in script(path)] == [
        "--replace tree=building",
        "--move car by 1,0",
        "--replace a=b",
    ]
    path.write_text("")
    assert script(path) == ()


@pytest.mark.parametrize(
    "text",
    [
        "replace",
        'replace = "tree=building"',
        'edit = "x"',
        "[[edit]]",
        '[[edit]]\npaint = "x"',
        "[[edit]]\nreplace = 3",
        '[[edit]]\nreplace = "a=b"\nremove = "c"',
        "edit = [1]",
    ],
)
def test_a_script_of_anything_else_is_refused(text, tmp_path):
    (tmp_path / "edits.toml").write_text(text)
    with pytest.raises(UserError, match=r"edits\.toml(, edit 1)?( is not valid TOML)?: "):
        script(tmp_path / "edits.toml")
