"""Folders as people have them: what is recognised, what is said, what is refused."""

from pathlib import Path

import numpy as np
import pytest

from i2icli.config import Config
from i2icli.data.describe import sizes_of
from i2icli.data.kinds.paired import PairedImages
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.image import DecodedImage, write_image
from i2icli.image.finding import find_images
from i2icli.systems.cyclegan.config import CycleGANConfig
from tests.data.files import fill, put, scanned

CONFIG = Config(crop_size=32)
FIVE = [f"{n}.png" for n in range(5)]


def pairs(*folders: Path, config: Config = CONFIG) -> PairedImages:
    return PairedImages(folders, DataOptions.of(config))


def collections(*folders: Path, config: Config = CONFIG) -> UnpairedImages:
    return UnpairedImages(folders, DataOptions.of(config), name_domains=True)


def sizes(data: PairedImages | UnpairedImages) -> tuple[int, int]:
    validation = data.validation()
    return len(data.train()), len(validation) if validation else 0


def refusal(kind: type[PairedImages] | type[UnpairedImages], *folders: Path) -> str:
    with pytest.raises(UserError) as caught:
        kind(folders, DataOptions.of(CONFIG))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


# -- finding images --------------------------------------------------------------------------


def test_images_come_in_natural_order_from_everywhere_below(tmp_path: Path) -> None:
    names = ["2.png", "10.png", "1.JPG", "sub/3.PnG", "sub/deeper/a b (1).webp", "Ünï.tif", "x.npy"]
    fill(tmp_path, *names)
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert sorted(found) == sorted(names)
    assert [name for name in found if name[0].isdigit()] == ["1.JPG", "2.png", "10.png"]


def test_junk_is_left_out_silently(tmp_path: Path) -> None:
    fill(tmp_path / "A", "1.png", "2.png")
    fill(tmp_path / "B", "1.png", "2.png")
    for junk in ("A/Thumbs.db", "A/.DS_Store", "A/._1.png", "__MACOSX/A/1.png", ".git/1.png"):
        (tmp_path / junk).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / junk).write_bytes(b"junk")
    (tmp_path / "A" / "notes.txt").write_text("counted")
    data = collections(tmp_path)
    assert sizes(data) == (2, 0)
    assert any(line == f"left out in {tmp_path / 'A'}: 1 text file" for line in data.report)


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere", "1.png", "2.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "one.png").symlink_to(tmp_path / "elsewhere" / "1.png")
    assert len(find_images(tmp_path / "data")) == 3


# -- layouts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "validation"),
    [
        ("trainA", "trainB", ("testA", "testB")),
        ("trainA", "trainB", ("valA", "valB")),
        ("TrainA", "trainb", ("TESTA", "TestB")),
        ("train_A", "train_B", ("val_A", "val_B")),
        ("train/A", "train/B", ("test/A", "test/B")),
        ("train/horse", "train/zebra", ("test/horse", "test/zebra")),
        ("A/train", "B/train", ("A/val", "B/val")),
        ("a/train", "b/train", ("a/test", "b/test")),
        ("nested/trainA", "nested/trainB", ("nested/testA", "nested/testB")),
        ("trainX", "trainY", ("testX", "testY")),
        ("train_x", "train_y", None),
        ("A", "B", None),
        ("horse", "zebra", None),
    ],
)
def test_two_folders_in_one(tmp_path: Path, a: str, b: str, validation: tuple[str, str] | None) -> None:
    for folder in (a, b):
        fill(tmp_path / folder, *FIVE)
    for folder in validation or ():
        fill(tmp_path / folder, "t0.png", "t1.png")
    for kind in (pairs, collections):
        data = kind(tmp_path)
        assert sizes(data) == (5, 2 if validation else 0)
        assert any("5 pairs" in line or "5 images" in line for line in data.report)
        assert str(tmp_path / a) in data.report[0]
        assert str(tmp_path / b) in data.report[0]


@pytest.mark.parametrize(
    ("a", "b", "unused"),
    [
        ("train/A", "train/B", "test"),
        ("train/horse", "train/zebra", "test"),
        ("A", "B", "test"),
        ("trainA", "trainB", "testA"),
        ("A/train", "B/train", "A/val"),
        ("train_horse", "train_zebra", "test_horse"),
    ],
)
def test_splits_that_are_not_used_are_reported(tmp_path: Path, a: str, b: str, unused: str) -> None:
    for folder in (a, b):
        fill(tmp_path / folder, *FIVE)
    fill(tmp_path / unused, "t0.png")
    for kind in (pairs, collections):
        data = kind(tmp_path)
        assert sizes(data) == (5, 0)
        line = f"{tmp_path / unused} is not used for validation: it does not hold images of both sides"
        assert data.report.count(line) == 1


def test_validation_comes_before_test(tmp_path: Path) -> None:
    for split, number in (("train", 3), ("val", 2), ("test", 1)):
        for side in "AB":
            fill(tmp_path / split / side, *FIVE[:number])
    assert sizes(pairs(tmp_path)) == (3, 2)


@pytest.mark.parametrize("where", ["train", "", "train/city"])
def test_pairs_side_by_side(tmp_path: Path, where: str) -> None:
    fill(tmp_path / where, *FIVE, size=(40, 80))
    if where:
        fill(tmp_path / "val", "v.png", size=(40, 80))
    data = pairs(tmp_path)
    assert sizes(data) == (5, 1 if where else 0)
    assert "side by side" in data.report[0]


def test_two_folders_given_separately_and_their_splits(tmp_path: Path) -> None:
    for split, number in (("train", 4), ("test", 2)):
        for name in ("noto", "twemoji", "blob"):
            fill(tmp_path / split / name, *FIVE[:number])
    a, b = tmp_path / "train" / "noto", tmp_path / "train" / "twemoji"
    data = collections(a, b)
    assert sizes(data) == (4, 2)
    assert data.settings["domains"] == ("noto", "twemoji")
    assert any(str(tmp_path / "test" / "noto") in line for line in data.report)
    assert sizes(pairs(a, b)) == (4, 2)


def test_names_of_domains(tmp_path: Path) -> None:
    for name in ("horse", "zebra"):
        for split in ("train", "test"):
            fill(tmp_path / name / split, *FIVE)
    given = collections(tmp_path / "horse" / "train", tmp_path / "zebra" / "train")
    assert given.settings["domains"] == ("horse", "zebra")
    assert sizes(given) == (5, 5)
    assert collections(tmp_path).settings["domains"] == ("horse", "zebra")
    chosen = CycleGANConfig(crop_size=32, domains=("x", "y"))
    assert "domains" not in scanned("cyclegan", [tmp_path], chosen).settings


def test_a_path_without_names_keeps_a_and_b(tmp_path: Path) -> None:
    fill(tmp_path / "trainA", *FIVE)
    fill(tmp_path / "trainB", *FIVE)
    assert "domains" not in collections(tmp_path).settings


def test_partners_have_the_same_stem_whatever_the_suffix_and_case(tmp_path: Path) -> None:
    fill(tmp_path / "A", "one.png", "TWO.PNG", "sub/three.jpg", "alone.png")
    fill(tmp_path / "B", "one.jpg", "two.png", "Sub/Three.webp", "one.webp")
    data = pairs(tmp_path)
    assert sizes(data) == (3, 0)
    assert any("1 image" in line and "alone.png" in line for line in data.report)
    assert any("name occurs twice" in line for line in data.report)


# -- refusals --------------------------------------------------------------------------------


def test_missing_empty_and_wrong_places(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "data.zip").write_bytes(b"PK")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    for kind in (PairedImages, UnpairedImages):
        line = refusal(kind, tmp_path / "nowhere")
        assert "no such folder" in line
        assert "empty/" in line
        assert "unpack it" in refusal(kind, tmp_path / "data.zip")
        line = refusal(kind, tmp_path / "empty")
        assert str(tmp_path / "empty") in line
        assert "expected" in line
        assert "a.txt" in refusal(kind, tmp_path / "texts")
        assert "3 folders were given" in refusal(kind, tmp_path, tmp_path, tmp_path)


@pytest.mark.parametrize("present", ["trainA", "trainB", "A", "b"])
def test_only_one_domain(tmp_path: Path, present: str) -> None:
    fill(tmp_path / present, *FIVE)
    missing = present[:-1] + {"A": "B", "B": "A", "b": "a"}[present[-1]]
    for kind in (PairedImages, UnpairedImages):
        line = refusal(kind, tmp_path)
        assert f"found {present}/ but no {missing}/" in line
        assert str(tmp_path) in line


def test_no_names_in_common(tmp_path: Path) -> None:
    fill(tmp_path / "trainA", "dog.png", "cat.png")
    fill(tmp_path / "trainB", "oak.png", "elm.png")
    line = refusal(PairedImages, tmp_path)
    assert "no names in common (e.g. cat.png and elm.png)" in line
    assert "--pair" in line
    assert "cyclegan" in line


def test_one_collection_is_not_two(tmp_path: Path) -> None:
    fill(tmp_path / "train", *FIVE, size=(40, 60))
    line = refusal(UnpairedImages, tmp_path)
    assert "one collection of images (in train/)" in line


def test_odd_width_has_no_middle(tmp_path: Path) -> None:
    fill(tmp_path / "train", "1.png", size=(40, 80))
    odd = put(tmp_path / "train" / "2.png", size=(40, 81))
    data = pairs(tmp_path)
    assert len(data.train()) == 1
    assert any("1 of 2 images of odd width" in line and str(odd) in line for line in data.report)


def test_nothing_but_odd_widths_is_refused(tmp_path: Path) -> None:
    odd = put(tmp_path / "train" / "2.png", size=(40, 81))
    assert f"{odd}: 81x40" in refusal(PairedImages, tmp_path)


def test_more_than_two_looks(tmp_path: Path) -> None:
    for name in ("x", "y", "z"):
        fill(tmp_path / "train" / name, *FIVE)
    for kind in (PairedImages, UnpairedImages):
        line = refusal(kind, tmp_path)
        assert "3 folders of images" in line
        assert str(tmp_path / "train" / "x") in line


def test_folders_that_contain_each_other(tmp_path: Path) -> None:
    fill(tmp_path / "B", *FIVE)
    assert "given twice" in refusal(UnpairedImages, tmp_path / "B", tmp_path / "B")
    assert "inside the other" in refusal(UnpairedImages, tmp_path, tmp_path / "B")


def test_an_empty_half(tmp_path: Path) -> None:
    fill(tmp_path / "A", *FIVE)
    (tmp_path / "B").mkdir()
    for kind in (PairedImages, UnpairedImages):
        assert str(tmp_path / "B") in refusal(kind, tmp_path)


# -- channels --------------------------------------------------------------------------------


def test_channels_are_found(tmp_path: Path) -> None:
    fill(tmp_path / "A", *FIVE, channels=1)
    fill(tmp_path / "B", *FIVE)
    assert collections(tmp_path).settings["channels"] == (1, 3)
    assert pairs(tmp_path).settings["channels"] == (1, 3)
    both = pairs(tmp_path, config=Config(crop_size=32, channels=1))
    assert both.settings["channels"] == (1, 1)
    example = both.train().get(0, None)
    assert example["source"].shape == example["target"].shape == (1, 32, 32)


def test_number_types_are_found_for_each_side(tmp_path: Path) -> None:
    fill(tmp_path / "A", *FIVE)
    fill(tmp_path / "B", *FIVE[1:], channels=1)
    deep = np.random.default_rng(0).integers(0, 65536, (40, 40, 1)).astype(np.uint16)
    write_image(tmp_path / "B" / FIVE[0], DecodedImage(deep, None, "png"))
    assert collections(tmp_path).settings["types"] == ("uint8", "uint16")
    assert pairs(tmp_path).settings["types"] == ("uint8", "uint16")
    backwards = PairedImages([tmp_path], DataOptions.of(CONFIG), backwards=True)
    assert backwards.settings["types"] == ("uint16", "uint8")


def test_mixed_channels_name_files_of_each_kind(tmp_path: Path) -> None:
    fill(tmp_path / "A", *FIVE)
    fill(tmp_path / "B", *FIVE[1:])
    put(tmp_path / "B" / FIVE[0], channels=1)
    line = refusal(UnpairedImages, tmp_path)
    assert str(tmp_path / "B" / FIVE[0]) in line
    assert str(tmp_path / "B" / FIVE[1]) in line
    assert "--channels 3" in line
    mended = collections(tmp_path, config=Config(crop_size=32, channels=3))
    assert mended.settings["channels"] == (3, 3)
    assert mended.train().get(0, None)["B"].shape == (3, 32, 32)


def test_channels_that_cannot_be_made(tmp_path: Path) -> None:
    fill(tmp_path / "A", "1.tif", channels=5)
    fill(tmp_path / "B", "1.tif", channels=5)
    assert pairs(tmp_path).settings["channels"] == (5, 5)
    with pytest.raises(UserError, match=r"1\.tif has 5 channels; --channels 3"):
        pairs(tmp_path, config=Config(crop_size=32, channels=3))


def test_transparency_is_said_to_be_ignored(tmp_path: Path) -> None:
    fill(tmp_path / "A", *FIVE, alpha=np.zeros((40, 40), np.uint8))
    fill(tmp_path / "B", *FIVE)
    for data in (pairs(tmp_path), collections(tmp_path)):
        assert data.settings["channels"] == (3, 3)
        assert any("transparency" in line for line in data.report)


def test_of_many_collections_the_first_are_listed() -> None:
    names = [f"d{number}" for number in range(10_000)]
    line = sizes_of(names, [[0] * 1_500] * 10_000)
    assert line.startswith("d0 1,500, d1 1,500, ")
    assert line.endswith("d19 1,500, and 9,980 more")
    assert sizes_of(["a", "b"], ["x", ""]) == "a 1, b 0"
