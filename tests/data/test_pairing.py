"""Which images are pairs: by their names, by a list, by their shape; and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from i2icli.config import Config
from i2icli.data.kinds.paired import PairedImages
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.options import DataOptions
from i2icli.data.pairing.pair import PairChoice
from i2icli.errors import UserError
from i2icli.image import FileItem
from i2icli.pair_pattern import parse_pattern
from i2icli.systems.augmented_cyclegan.config import AugmentedCycleGANConfig
from i2icli.systems.cyclegan.config import CycleGANConfig
from i2icli.systems.pix2pix.config import Pix2PixConfig
from tests.data.files import fill, put, scanned

NUMBERS = [f"{number:03}" for number in range(4)]


def pairs(*paths: Path, pair: str | None = None, **choice: Any) -> PairedImages:
    pattern = parse_pattern(pair) if pair else None
    return PairedImages(paths, DataOptions.of(Config(crop_size=32)), choice=PairChoice(pattern, **choice))


def refusal(*paths: Path, **choice: Any) -> str:
    with pytest.raises(UserError) as caught:
        pairs(*paths, **choice)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def names(data: PairedImages) -> list[tuple[str, str]]:
    return [(pair.files[0].path.name, pair.files[1].path.name) for pair in data.pairs]


def write(folder: Path, form: str, **more: Any) -> None:
    fill(folder, *(form.format(number) for number in NUMBERS), **more)


# -- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("{}_A.png", "{}_B.png", "{}_A.png:{}_B.png"),
        ("ISIC_{}.jpg", "ISIC_{}_segmentation.png", "{}.jpg:{}_segmentation.png"),
        ("{}.png", "{}-mask.png", "{}.png:{}-mask.png"),
        ("fake_{}.png", "real_{}.png", "fake_{}.png:real_{}.png"),
        ("{}day.png", "{}night.png", "{}day.png:{}night.png"),
        ("Bonn_{}_gtFine_color.png", "Bonn_{}_leftImg8bit.png", "{}_gtFine_color.png:{}_leftImg8bit.png"),
        ("in_{}_2019.png", "out_{}_v2.png", "in_{}_2019.png:out_{}_v2.png"),
    ],
)
@pytest.mark.parametrize("folders", [("", ""), ("x", "y"), ("train/x", "train/y"), ("train", "train")])
def test_names_that_differ_by_a_part(
    tmp_path: Path, a: str, b: str, said: str, folders: tuple[str, str]
) -> None:
    write(tmp_path / folders[0], a)
    write(tmp_path / folders[1], b)
    data = pairs(tmp_path)
    assert names(data) == [(a.format(number), b.format(number)) for number in NUMBERS]
    if folders[0] != folders[1]:
        said = said.replace("{}", "|").split(":")[0].replace("|", "{}")
        assert f"--pair '{Path(folders[0]).name}/{said}" in data.report[0]
        return
    assert f"--pair '{said}': 4 pairs" in data.report[0]
    pattern = data.report[0].split("'")[1]
    assert names(pairs(tmp_path, pair=pattern)) == names(data)  # what is said can be typed


def test_a_folder_for_every_pair_names_the_pattern(tmp_path: Path) -> None:
    for number in NUMBERS:
        fill(tmp_path / number, "rgb.png", "depth.png")
    line = refusal(tmp_path)
    assert "found 4 folders with depth.png and rgb.png each" in line
    data = pairs(tmp_path, pair=line.split("'")[1])
    assert names(data) == [("depth.png", "rgb.png")] * 4


def test_the_suffix_alone_may_differ(tmp_path: Path) -> None:
    write(tmp_path / "train", "cmp_{}.jpg")
    write(tmp_path / "train", "cmp_{}.png")
    write(tmp_path / "val", "v_{}.JPG")
    write(tmp_path / "val", "v_{}.png")
    put(tmp_path / "train" / "other.png")
    data = pairs(tmp_path)
    assert names(data) == [(f"cmp_{number}.jpg", f"cmp_{number}.png") for number in NUMBERS]
    assert len(data.held_out) == 4
    assert "--pair '{}.jpg:{}.png': 4 pairs" in data.report[0]
    write(tmp_path / "mixed", "a{}.jpg", size=(20, 40))  # halves of one image, whatever their suffixes
    write(tmp_path / "mixed", "b{}.png", size=(20, 40))
    assert pairs(tmp_path / "mixed", side_by_side=True).pairs[0].b is None


def test_the_pattern_that_was_found_holds_for_validation(tmp_path: Path) -> None:
    for split in ("train", "val"):
        for form in ("{}_in.png", "{}_out.png"):
            write(tmp_path / split, form)
    fill(tmp_path / "val", "odd_one.png")
    data = pairs(tmp_path)
    assert (len(data.pairs), len(data.held_out)) == (4, 4)
    assert any("1 image" in line and "odd_one.png" in line for line in data.report)
    assert str(tmp_path / "val") in data.report[1]


def test_a_given_pattern_looks_below_the_folder_and_knows_splits(tmp_path: Path) -> None:
    for split in ("train/bonn", "testing/ulm"):
        write(tmp_path / "gt" / split, "{}_c.png")
        write(tmp_path / "img" / split, "{}_l.jpg")
    data = pairs(tmp_path, pair="img/{}_L.jpg:gt/{}_c.png")
    assert (len(data.pairs), len(data.held_out)) == (4, 4)
    assert names(data)[0] == ("000_l.jpg", "000_c.png")
    assert names(pairs(tmp_path, pair="img/{}_l:gt/{}_c")) == names(data)
    below = pairs(tmp_path / "img" / "train", tmp_path / "gt" / "train", pair="{}_l.jpg:{}_c.png")
    assert names(below) == names(data)


def test_numbers_alone_make_no_pairs_of_one_folder(tmp_path: Path) -> None:
    for form in ("{}_1.png", "{}_2.png"):
        write(tmp_path, form, size=(40, 80))
    assert "side by side" in pairs(tmp_path).report[0]
    assert len(pairs(tmp_path, pair="{}_1.png:{}_2.png").pairs) == 4


def test_several_ways_to_pair_are_named(tmp_path: Path) -> None:
    for form in ("{}.png", "{}_mask.png", "{}_depth.png"):
        write(tmp_path, form)
    line = refusal(tmp_path)
    assert "in several ways; choose one: --pair '{}.png:{}_" in line
    assert len(pairs(tmp_path, pair="{}.png:{}_depth.png").pairs) == 4


def test_a_pattern_that_fits_nothing_says_how_many_fit_each_side(tmp_path: Path) -> None:
    write(tmp_path, "{}_A.png")
    assert "images that fit A: 4, B: 0" in refusal(tmp_path, pair="{}_A.png:{}_B.png")


@pytest.mark.parametrize(
    "text", ["{}_A.png", "a:b", "{}:{}", "{}{}:{}_b", "../{}:b{}", "/x/{}:b{}", "a{}:b{}:c{}"]
)
def test_patterns_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected A:B with one \{\}"):
        Pix2PixConfig(pair=text)


def test_the_setting_reaches_the_data(tmp_path: Path) -> None:
    for form in ("{}_1.png", "{}_2.png"):
        write(tmp_path, form)
    data = scanned("pix2pix", [tmp_path], Pix2PixConfig(crop_size=32, pair="{}_2.png:{}_1.png"))
    assert names(data)[0] == ("000_2.png", "000_1.png")


# -- lists -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "train", "held_out"),
    [
        ("p/000.png,m/x.png\np/001.png,m/y.png\n", 2, 0),
        (
            "source,target,split\np/000.png,m/x.png,train\np/001.png,m/y.png,val\np/002.png,m/x.png,test\n",
            1,
            1,
        ),
        ("split;target;source\nTraining;m/x.png;p/000.png\ntesting;m/y.png;p/001.png\n", 1, 1),
        ("p/000.png\tm/x.png\n\n p/001.png \t m/y.png \n", 2, 0),
        ('photo,drawing\r\n"p/000.png","m/x.png"\r\n"a, b.png",m/y.png\r\n', 2, 0),
        ("p\\000.png,m\\x.png\n", 1, 0),
        ("mask_path,image_path\nm/x.png,p/000.png\n", 1, 0),
        ("input file,input mask\np/000.png,m/x.png\n", 1, 0),
        ("p/000.png,m/x.png\np/000.png,m/x.png\n", 1, 0),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lists_of_pairs(tmp_path: Path, text: str, train: int, held_out: int, encoding: str) -> None:
    write(tmp_path / "p", "{}.png")
    fill(tmp_path, "m/x.png", "m/y.png", "a, b.png")
    (tmp_path / "pairs.csv").write_bytes(text.encode(encoding))
    data = pairs(tmp_path / "pairs.csv")
    assert (len(data.pairs), len(data.held_out)) == (train, held_out)
    assert names(data)[0] == ("000.png", "x.png")
    assert "pairs listed in" in data.report[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.png,2.png\n1.png,gone.png\n", "line 2: "),
        ("1.png,2.png\n1.png\n", "line 2: 1 cell"),
        ("1.png,2.png,3.png,4.png\n", "line 1: 4 cells"),
        ("1.png,2.png,perhaps\n", "line 1: unknown split 'perhaps'"),
        ("1.png,../secret.png\n", "line 1: ../secret.png lies outside"),
        ("1.png,/etc/passwd\n", "line 1: /etc/passwd lies outside"),
        ('1.png,"2.png\n', "line 1: "),
        ("1.png,2.png,val\n", "no pairs to train on"),
        ("", "no pairs to train on"),
        ("1.png,2\x00.png\n", "line 1: "),
        ("=cmd|'/c calc'!A1,2.png\n1.png,2.png\n", None),
    ],
)
def test_lists_that_are_wrong_name_the_line(tmp_path: Path, text: str, said: str | None) -> None:
    folder = tmp_path / "data"
    fill(folder, "1.png", "2.png")
    fill(tmp_path, "secret.png")
    (folder / "pairs.txt").write_text(text)
    line = refusal(folder / "pairs.txt")
    assert line.startswith(str(folder / "pairs.txt"))
    assert said is None or said in line


def test_a_list_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_bytes(b"\x00\xff\x00\xff\n")
    assert "not a text" in refusal(tmp_path / "pairs.csv")


# -- shapes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(30, 40), (27, 48), (40, 40), (64, 40), (20, 60)])
def test_photos_are_no_pairs_side_by_side(tmp_path: Path, size: tuple[int, int]) -> None:
    write(tmp_path, "{}.png", size=size)
    line = refusal(tmp_path)
    assert f"has {size[1]}x{size[0]} pixels, like 3 others" in line
    assert "--side-by-side" in line
    told = pairs(tmp_path, side_by_side=True)
    assert told.pairs[0].size == (size[0], size[1] // 2)
    setting = Pix2PixConfig(crop_size=32, side_by_side=True)
    assert len(scanned("pix2pix", [tmp_path], setting).pairs) == 4


# -- pairs as two collections ----------------------------------------------------------------


@pytest.mark.parametrize("split", ["", "train"])
def test_pairs_side_by_side_become_two_collections(tmp_path: Path, split: str) -> None:
    fill(tmp_path / split, *(f"{number}.png" for number in range(20)), size=(40, 80))
    if split:
        fill(tmp_path / "val", "v.png", size=(40, 80))
    data = UnpairedImages([tmp_path], DataOptions.of(CycleGANConfig(crop_size=40, preprocess="resize")))
    assert "taken apart into two collections" in data.report[0]
    validation = data.validation()
    assert validation is not None
    assert len(data.train()) + len(validation) == (21 if split else 20)
    example = validation.get(0, None)
    whole = FileItem(tmp_path / "val" / "v.png" if split else Path(data.held_out[0][0].item.path))
    assert example["truth"]
    both = np.concatenate([example["A"], example["B"]], axis=2).transpose(1, 2, 0)
    np.testing.assert_allclose(both * 127.5 + 127.5, whole.read().pixels, atol=0.01)


def test_collections_of_the_same_scenes_are_scored_where_some_are_split_off(tmp_path: Path) -> None:
    for side in ("A", "B"):
        fill(tmp_path / side, *(f"{number}.png" for number in range(20)))
    options = DataOptions.of(CycleGANConfig(crop_size=32))
    data = UnpairedImages([tmp_path], options)
    assert data.validation().get(0, None)["truth"]
    assert data.held_out[0][0].path.name == data.held_out[1][0].path.name
    assert any("scored against each other" in line for line in data.report)
    put(tmp_path / "B" / "7.png", size=(40, 44))
    assert "truth" not in UnpairedImages([tmp_path], options).validation().get(0, None)


def test_listed_pairs_are_two_collections_and_known_pairs(tmp_path: Path) -> None:
    for form in ("a{}.png", "b{}.png"):
        write(tmp_path, form)
    rows = [f"a{number}.png,b{number}.png" for number in NUMBERS]
    (tmp_path / "pairs.csv").write_text("\n".join([*rows[:3], f"{rows[3]},val"]))
    data = scanned("cyclegan", [tmp_path / "pairs.csv"], CycleGANConfig(crop_size=32))
    assert [len(files) for files in data.files] == [3, 3]
    assert data.validation().get(0, None)["truth"]
    config = AugmentedCycleGANConfig(crop_size=32, supervised_fraction=1)
    assert len(scanned("augmented_cyclegan", [tmp_path / "pairs.csv"], config).pairs) == 3
    given = CycleGANConfig(crop_size=32, pair="b{}.png:a{}.png")
    assert scanned("cyclegan", [tmp_path], given).files[0][0].path.name == "b000.png"


def test_known_pairs_on_their_sides_are_refused(tmp_path: Path) -> None:
    fill(tmp_path / "A", "1.png", "2.png", size=(40, 50))
    fill(tmp_path / "B", "1.png", "2.png", size=(50, 40))
    scanned("cyclegan", [tmp_path], CycleGANConfig(crop_size=32))
    config = AugmentedCycleGANConfig(crop_size=32, supervised_fraction=1)
    with pytest.raises(UserError, match="lies on its side"):
        scanned("augmented_cyclegan", [tmp_path], config)


def test_broken_images_of_both_sides_count_together(tmp_path: Path) -> None:
    write(tmp_path / "A", "{}.png")
    write(tmp_path / "B", "{}.png")
    (tmp_path / "A" / "000.png").write_bytes(b"none")
    assert len(pairs(tmp_path).pairs) == 3
    (tmp_path / "B" / "001.png").write_bytes(b"none")
    assert "2 of 4 pairs cannot be used" in refusal(tmp_path)


# -- shapes that are none --------------------------------------------------------------------


def test_a_few_of_other_shapes_are_no_doubt(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{number}.png" for number in range(11)), size=(20, 40))
    put(tmp_path / "other.png", size=(20, 44))
    assert len(pairs(tmp_path).pairs) == 12
    fill(tmp_path, "other2.png", "other3.png", size=(20, 44))
    assert "like 2 others" in refusal(tmp_path)


@pytest.mark.parametrize(("orientation", "said"), [(6, "EXIF rotates"), (1, "lies on its side")])
@pytest.mark.parametrize("tagged", ["A", "B"])
def test_partners_that_lie_on_their_sides(tmp_path: Path, orientation: int, said: str, tagged: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for side in ("A", "B"):
        (tmp_path / side).mkdir()
        shape = (20, 40, 3) if side == tagged or orientation > 4 else (40, 20, 3)
        image = Image.fromarray(np.zeros(shape, np.uint8))
        for number in range(2):
            image.save(tmp_path / side / f"{number}.png", **({"exif": exif} if side == tagged else {}))
    line = refusal(tmp_path)
    assert said in line
    assert "(and 1 other pair)" in line
    assert ("exiftool" in line) == (orientation > 4)


@pytest.mark.parametrize(
    ("orientation", "size", "doubtful"),
    [
        (3, (20, 40), True),
        (2, (20, 20), True),
        (6, (20, 20), True),
        (6, (20, 40), False),
        (1, (20, 20), False),
    ],
)
def test_what_exif_turns_and_sizes_do_not_tell(
    tmp_path: Path, orientation: int, size: tuple[int, int], doubtful: bool
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "A").mkdir()
    stored = size[::-1] if orientation > 4 else size
    for number in range(3):
        photo = Image.fromarray(np.zeros((*stored, 3), np.uint8))
        photo.save(tmp_path / "A" / f"{number}.png", exif=exif)
        put(tmp_path / "B" / f"{number}.png", size=size)
    lines = [line for line in pairs(tmp_path).report if "EXIF" in line]
    assert [line.split(" of which")[0] for line in lines] == (["3 pairs"] if doubtful else [])


def test_two_ways_to_pair_contradict_each_other(tmp_path: Path) -> None:
    write(tmp_path, "{}_a.png")
    assert "leave one of them out" in refusal(tmp_path, pair="{}_a.png:{}_b.png", side_by_side=True)


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    assert "pairs.csv: there is no such file or folder" in refusal(tmp_path / "pairs.csv")


@pytest.mark.parametrize(
    ("size", "other", "across"),
    [
        ((40, 30), (15, 20), True),  # a mask of half the size
        ((301, 400), (200, 151), True),
        ((30, 40), (15, 20), False),
        ((40, 40), (20, 20), False),
        ((40, 41), (21, 20), False),
        ((40, 30), (20, 40), False),  # another shape
    ],
)
def test_a_partner_of_another_size_may_lie_on_its_side(
    tmp_path: Path, size: tuple[int, int], other: tuple[int, int], across: bool
) -> None:
    fill(tmp_path / "A", "1.png", "2.png", size=size)
    fill(tmp_path / "B", "1.png", "2.png", size=other)
    if across:
        assert "lies on its side" in refusal(tmp_path)
    else:
        assert "2 pairs with different sizes" in "".join(pairs(tmp_path).report)
