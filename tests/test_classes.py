"""Classes of label maps: their texts, files of every form, known data sets, what is ignored."""

from pathlib import Path
from typing import ClassVar

import pytest

from i2icli import class_files
from i2icli.class_files import class_file_near, known_lists, read_classes
from i2icli.classes import LabelClass, LabelSet, label_set
from i2icli.errors import UserError
from i2icli.label_config import LabelConfig
from i2icli.recipe import recipe_text

ROAD, CAR = LabelClass(7, "road", (128, 64, 128)), LabelClass(26, "old car", (0, 0, 142))
TOML = """ignore = ["void", 255]
[[class]]
id = 7
name = "road"
colour = "#804080"
[[class]]
id = 26
name = "old car"
color = [0, 0, 142]
[[class]]
id = 0
name = "void"
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", TOML),
        ("a.csv", "id,name,colour\n7,road,#804080\n26,old car,00008e\n0,void,\n"),
        ("a.csv", "name,b,id,r,g\nroad,128,7,128,64\n'old car',142,26,0,0\n".replace("'", '"')),
        ("a.csv", '\ufeffName, ID, Color\nroad, 7, "128,64,128"\nold car, 26, "0, 0, 142"\n'),
        ("a.csv", "# of my town\nid,name,colour\n\n7,road,128 64 128\n26,old car,#00008E\n"),
        ("a.txt", "7 road #804080\n26 old car #00008e\n"),
    ],
)
def test_files_of_all_forms_say_the_same(name: str, text: str, tmp_path: Path) -> None:
    assert read_classes(written(tmp_path, name, text)).classes[:2] == (ROAD, CAR)


@pytest.mark.parametrize(
    ("name", "text", "ids", "colour"),
    [
        (
            "labelmap.txt",
            "# label:rgb:parts:actions\nroad:128,64,128::\nold car:0,0,142::\n",
            (0, 1),
            1,
        ),
        ("label_colors.txt", "128 64 128\troad\n0 0 142 old car\n", (0, 1), 1),
        ("class_dict.csv", "name,r,g,b\nroad,128,64,128\nold car,0,0,142\n", (0, 1), 1),
        ("_classes.csv", "Pixel Value, Class\n7, road\n26, old car\n", (7, 26), 0),
        ("labels.txt", "7: road\n26: old car\n", (7, 26), 0),
        ("names.txt", "road\nold car\n", (0, 1), 0),
    ],
)
def test_ids_count_from_0_where_a_file_has_none(
    name: str, text: str, ids: tuple[int, ...], colour: int, tmp_path: Path
) -> None:
    found = read_classes(written(tmp_path, name, text)).classes
    assert [each.name for each in found] == ["road", "old car"]
    assert tuple(each.id for each in found) == ids
    assert [each.colour for each in found] == ([ROAD.colour, CAR.colour] if colour else [None, None])


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.toml", "[[class]\n", "not valid TOML"),
        ("a.toml", "classes = 3\n", "holds no classes; expected"),
        ("a.toml", "class = 3\n", r"no tables \[\[class\]\]"),
        ("a.toml", "ignore = 3\n", "ignore is no list"),
        ("a.toml", "[[class]]\nid = 1\n", "class number 1: no name"),
        ("a.toml", "[[class]]\nid = 1\nnam = 'x'\n", "class number 1: there is no 'nam'"),
        ("a.toml", "[[class]]\nid = 1.5\nname = 'x'\n", "the id '1.5' is no whole number"),
        ("a.toml", "[[class]]\nname = 'x'\ncolour = 'red'\n", "the colour 'red'; expected one like #804080"),
        ("a.toml", "[[class]]\nname = 'x'\ncolour = [1, 2, 256]\n", r"the colour \[1, 2, 256\]"),
        ("a.csv", "", "holds no classes"),
        ("a.csv", "1,2,3\n", "line 1 names no column of names"),
        ("a.csv", "id,name\n1,a\n2\n", "line 3: 1 values, fewer than the header names"),
        ("a.csv", "id,name\n1,a\nx,b\n", "line 3: the id 'x' is no whole number"),
        ("a.csv", "id,name\n1,a\n1,b\n", "two classes have the id 1; each needs its own"),
        ("a.csv", "id,name\n1,a\n2,A\n", "two classes have the name a"),
        ("a.csv", "id,name,colour\n1,a,#000000\n2,b,#000000\n", "two classes have the colour"),
        ("a.txt", "1 a\nb\n", "line 2: 'b' is not like the lines before it"),
        ("a.txt", "road\nnot\a text\n", "line 2: the name"),
    ],
)
def test_mistakes_in_files_are_named_in_a_line(name: str, text: str, complaint: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, text)
    with pytest.raises(UserError, match=rf"^--classes {path}: .*{complaint}") as refused:
        read_classes(path)
    assert "\n" not in str(refused.value)


def test_what_is_no_file_of_classes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no such file; expected a file of classes, or one of ade20k, camvid"):
        read_classes(tmp_path / "missing.csv")
    (tmp_path / "image.txt").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(UserError, match=r"image\.txt: not a text"):
        read_classes(tmp_path / "image.txt")
    monkeypatch.setattr(class_files, "LARGEST_BYTES", 3)
    with pytest.raises(UserError, match="too large for a list of classes"):
        read_classes(written(tmp_path, "a.txt", "road\n"))


class TestKnownLists:
    """The public definitions of data sets."""

    COUNTS: ClassVar = {
        "ade20k": 151,
        "camvid": 32,
        "cityscapes": 35,
        "cityscapes-train": 19,
        "coco-stuff": 182,
        "facades": 12,
    }

    def test_how_many_there_are(self) -> None:
        assert {name: len(read_classes(name).classes) for name in known_lists()} == self.COUNTS

    @pytest.mark.parametrize(
        ("known", "number", "name"),
        [
            ("ade20k", 0, "unlabelled"),
            ("ade20k", 1, "wall"),
            ("ade20k", 13, "person"),
            ("ade20k", 150, "flag"),
            ("camvid", 17, "Road"),
            ("cityscapes", 7, "road"),
            ("cityscapes", 33, "bicycle"),
            ("cityscapes-train", 0, "road"),
            ("cityscapes-train", 18, "bicycle"),
            ("coco-stuff", 0, "person"),
            ("coco-stuff", 89, "toothbrush"),
            ("coco-stuff", 91, "banner"),
            ("coco-stuff", 181, "wood"),
            ("facades", 12, "shop"),
        ],
    )
    def test_ids_and_names(self, known: str, number: int, name: str) -> None:
        assert {each.id: each.name for each in read_classes(known).classes}[number] == name

    def test_what_counts_as_unlabelled(self) -> None:
        found = read_classes("ade20k")
        labels = label_set(found.classes, found.ignore)
        assert (len(labels.classes), labels.index_of_id[0], labels.index_of_id[255]) == (150, 150, 150)
        camvid = read_classes("camvid")
        void = label_set(camvid.classes, camvid.ignore)
        assert void.index_of_colour[0] == len(void.classes) == 31  # black


def test_the_nearest_file_above_a_folder_is_found(tmp_path: Path) -> None:
    labels = tmp_path / "data" / "labels" / "train"
    labels.mkdir(parents=True)
    assert class_file_near([labels], tmp_path / "data") is None
    written(tmp_path, "classes.toml", TOML)
    assert class_file_near([labels], tmp_path / "data") is None  # above what was given
    above = written(tmp_path / "data", "classes.csv", "name\nroad\n")
    assert class_file_near([labels], tmp_path / "data") == above
    beside = written(labels.parent, "_classes.csv", "name\nroad\n")
    assert class_file_near([labels], tmp_path / "data") == beside


# -- settings --------------------------------------------------------------------------------


def test_settings_hold_the_list_and_never_its_path(tmp_path: Path) -> None:
    path = written(tmp_path, "classes.toml", TOML)
    config = LabelConfig.model_validate({"classes": str(path), "ignore": "26"})
    path.unlink()
    assert config.classes == (ROAD, CAR, LabelClass(0, "void"))
    assert config.ignore == ("26", "void", "255")
    assert LabelConfig.model_validate(config.model_dump(mode="json")) == config
    assert str(tmp_path) not in recipe_text("spade", config)
    assert config.label_set == LabelSet((ROAD,), (26, 0, 255, 65535), ignored_colours=((0, 0, 142),))


def test_a_name_that_no_class_has_cannot_be_ignored() -> None:
    config = LabelConfig.model_validate({"classes": "facades", "ignore": "tree"})
    with pytest.raises(UserError, match="unknown class 'tree'"):
        _ = config.label_set
    assert LabelConfig.model_validate({"ignore": "tree"}).label_set.count == 8  # not known before the data
