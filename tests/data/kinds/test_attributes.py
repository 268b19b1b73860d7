"""Attribute files as people have them: CSV in several dialects, CelebA's own form, and what is refused."""

from pathlib import Path

import pytest

from i2icli.data.kinds.attributes import (
    RowFinder,
    choose_columns,
    find_attribute_file,
    read_attributes,
    read_columns,
)
from i2icli.errors import UserError

CELEBA = """3
Bald Male Young
000001.jpg -1  1  1
000002.jpg -1 -1  1
000003.jpg  1  1 -1
"""


def written(folder: Path, text: str, name: str = "attributes.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        CELEBA,
        CELEBA.removeprefix("3\n").replace("Bald", "image Bald"),
        "image,Bald,Male,Young\n000001.jpg,-1,1,1\n000002.jpg,-1,-1,1\n000003.jpg,1,1,-1\n",
        "image;Bald;Male;Young\n000001.jpg;0;1;1\n000002.jpg;0;0;1\n\n000003.jpg;1;1;0\n",
        "\ufeffimage\tBald\tMale\tYoung\n000001.jpg\tfalse\tTRUE\ttrue\n000002.jpg\tFalse\tfalse\ttrue\n"
        "000003.jpg\ttrue\ttrue\tfalse\n",
        'image, "Bald", Male ,Young\r\n000001.jpg,0,1,1\r\n"000002.jpg",0,0,1\r\n000003.jpg,1,1,0\r\n',
    ],
)
def test_every_dialect_says_the_same(text: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    assert read_columns(path) == ("Bald", "Male", "Young")
    table = read_attributes(path, ("Young", "Bald"))
    assert table.columns == ("Young", "Bald")
    assert table.rows == {
        "000001.jpg": (True, False),
        "000002.jpg": (True, False),
        "000003.jpg": (False, True),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["no header"]),
        ("image,Male\n", ["no rows"]),
        ("a.png,1\nb.png,0\n", ["no attribute names"]),
        ("image,Male,Male\na.png,1,0\n", ["'Male'", "rename"]),
        ("image,Male\na.png,1\nb.png,maybe\n", ["line 3", "Male is 'maybe'", "0 or 1", "--attributes"]),
        ("image,Male\na.png,1\nb.png,2\n", ["line 3", "'2'"]),
        ("image,Male\na.png,1\nb.png\n", ["line 3", "1 cell,", "2"]),
        ("image,Male\na.png,1,1\nb.png,0\n", ["line 2", "3 cells", "has 2"]),
        ("image Male\na.png 1 1\nb.png 0\nc.png 1\n", ["line 2", "3 cells", "has 2"]),
        ("2\nBald Male\na.png 1\nb.png 0 1\nc.png 1 1\n", ["line 3", "2 cells", "has 3"]),
        ('image,Male\na.png,"1\nb.png,0\n', ["line 2", "continues", "quotation mark"]),
        ('image,Male\na.png,1\n"b.png,0\nc.png,0\n', ["line 3", "continues", "quotation mark"]),
        ('image,"Male\na.png,1\nb.png,0\n', ["line 1", "continues", "quotation mark"]),
        ("image,Male\na.png,1\n,0\n", ["line 3", "names no image"]),
        ("image,Male\na.png,1\n  ,0\n", ["line 3", "names no image"]),
        ("image,Male\na.png,1\na.png,0\n", ["line 3", "a.png", "second time"]),
        ("image,Male\na.png,1\nA.PNG,0\n", ["line 3", "A.PNG and a.png", "same image"]),
        ("image,Male\na.png,1\nb.png," + "1" * 200_000, ["line 3", "131072"]),
        ("image,Male\n" + "a" * 200_000, ["line 2", "131072"]),
        ("image,,b\na.png,1,0\n", ["column 2", "no name"]),
        (",a,\na.png,1,0\n", ["column 3", "no name"]),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text: str, words: list[str], tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UserError) as refused:
        read_attributes(path, read_columns(path))
    assert all(word in str(refused.value) for word in ["attributes.csv", *words])
    assert "\n" not in str(refused.value)


def test_a_header_without_a_word_above_the_images_may_be_of_any_dialect(tmp_path: Path) -> None:
    path = written(tmp_path, "Bald,Male\na.png,1,0\nb.png,0,1\n")
    assert read_columns(path) == ("Bald", "Male")
    assert read_attributes(path, ("Male",)).rows == {"a.png": (False,), "b.png": (True,)}


def test_very_many_columns_take_no_long_search(tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(60_000)]
    path = written(tmp_path, ",".join(["image", *names, "n7"]) + "\nx.png" + ",1" * 60_001 + "\n")
    with pytest.raises(UserError, match="two columns are called 'n7'"):
        read_columns(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "attributes.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read as text"):
        read_columns(tmp_path / "attributes.csv")


def test_values_of_columns_that_are_not_learned_may_be_anything(tmp_path: Path) -> None:
    path = written(tmp_path, "image,age,Male\na.png,37,1\nb.png,5.5,0\n")
    assert read_attributes(path, ("Male",)).rows == {"a.png": (True,), "b.png": (False,)}


def test_columns_are_chosen_or_refused_with_a_list(tmp_path: Path) -> None:
    few = written(tmp_path, "image,a,b,c\nx.png,0,1,1\n")
    assert choose_columns(few, read_columns(few), (), ("a", "z")) == ("a", "b", "c")
    assert choose_columns(few, read_columns(few), (), ("c", "a")) == ("c", "a")
    assert choose_columns(few, read_columns(few), ("b",), ("c", "a")) == ("b",)
    with pytest.raises(UserError, match=r"no column d, A; its columns: a, b, c"):
        choose_columns(few, read_columns(few), ("a", "d", "A"), ())
    names = [f"n{number}" for number in range(20)]
    many = written(tmp_path, ",".join(["image", *names]) + "\nx.png" + ",1" * 20 + "\n", "many.csv")
    with pytest.raises(UserError, match=r"20 columns .*--attributes n0,n1,n2; .*n19"):
        choose_columns(many, read_columns(many), (), ())
    assert choose_columns(many, read_columns(many), names[3:], ()) == tuple(names[3:])


def test_the_attribute_file_is_found_or_asked_for(tmp_path: Path) -> None:
    assert find_attribute_file(tmp_path) is None
    written(tmp_path, CELEBA, "notes.txt")
    assert find_attribute_file(tmp_path) is None
    other = written(tmp_path, CELEBA, "boxes.csv")
    assert find_attribute_file(tmp_path) == other
    celeba = written(tmp_path, CELEBA, "list_attr_celeba.txt")
    assert find_attribute_file(tmp_path) == celeba
    written(tmp_path, CELEBA, "more_attributes.csv")
    with pytest.raises(UserError, match=r"list_attr_celeba.txt, more_attributes.csv.*--attribute-file"):
        find_attribute_file(tmp_path)
    assert find_attribute_file(tmp_path, "boxes.csv") == other
    assert find_attribute_file(tmp_path / "sub", str(other)) == other
    with pytest.raises(UserError, match=r"nothing.csv: there is no such file"):
        find_attribute_file(tmp_path, "nothing.csv")


def test_rows_are_found_by_path_name_or_name_without_suffix(tmp_path: Path) -> None:
    path = written(tmp_path, "image,Male\na/1.png,1\n2,0\nSÜD.JPG,1\n.\\b\\4.png,1\n5.jpg,0\n")
    finder = RowFinder(read_attributes(path, ("Male",)))
    root = tmp_path

    def row(name: str) -> str | None:
        return finder.row(root / name, (root, root / "train"))

    assert row("a/1.png") == "a/1.png"
    assert row("deep/2.webp") == "2"
    assert row("su\u0308d.jpg") == "SÜD.JPG"
    assert row("b/4.png") == ".\\b\\4.png"
    assert row("train/5.png") == "5.jpg"
    assert row("6.png") is None
    assert finder.unclaimed() == []
    with pytest.raises(UserError, match=r"5\.jpg may mean .*train/5\.png or .*test/5\.png"):
        row("test/5.png")
