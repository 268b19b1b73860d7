"""Splits are known by their usual names, however they are spelled, in every layout."""

from pathlib import Path

import pytest

from i2icli.config import Config
from i2icli.data.clips.finding import find_clips
from i2icli.data.kinds.class_folders import recognise_classes
from i2icli.data.kinds.domain_folders import recognise_domains
from i2icli.data.kinds.image_folder import ImageFolder
from i2icli.data.kinds.label_sets import splits
from i2icli.data.kinds.paired import PairedImages
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.labels.layouts import recognise_labels
from i2icli.data.options import DataOptions
from i2icli.data.split_names import is_split, side_of, split_folders, split_name
from i2icli.errors import UserError
from tests.data.files import fill

OPTIONS = DataOptions.of(Config(crop_size=32))
SPELLED = [
    ("training", "testing"),
    ("training_set", "test_set"),
    ("TrainingSet", "TestSet"),
    ("TRAIN", "VAL"),
    ("trn", "tst"),
    ("train2017", "val2017"),
    ("01_train", "02_test"),
    ("Train-Data", "validation data"),
    ("train", "dev"),
    ("train", "eval"),
]
"""What to train on, and what to validate on."""


@pytest.mark.parametrize(
    ("name", "split", "side"),
    [
        ("train_set", "train", ""),
        ("testset", "test", ""),
        ("Validation", "val", ""),
        ("evaluation-data", "test", ""),
        ("dev_2", "val", ""),
        ("TRAINA", "train", "a"),
        ("B_testing", "test", "b"),
        ("trainHorse", "train", "horse"),
        ("zebra_val", "val", "zebra"),
        ("street_train_day", "train", "street day"),
        ("holdout", "val", ""),
        ("trains", "", ""),
        ("tested", "", ""),
        ("pretraining_a_b", "", ""),
        ("data", "", ""),
    ],
)
def test_names_of_folders(name: str, split: str, side: str) -> None:
    assert split_name(name)[:2] == (split, side)
    assert is_split(name) == (bool(split) and len(side) < 2)


def test_sides_keep_their_spelling() -> None:
    names = ("trainA", "A_train", "train0", "test_RedCar", "horse", "training_set", "DIV2K_train_HR")
    sides = ["A", "A", "0", "RedCar", "horse", "training_set", "DIV2K_HR"]
    assert [side_of(name) for name in names] == sides


@pytest.mark.parametrize(("train", "held_out"), SPELLED)
def test_every_layout_knows_them(tmp_path: Path, train: str, held_out: str) -> None:
    for split, names in ((train, ("1.png", "2.png", "3.png")), (held_out, ("8.png", "9.png"))):
        for side in ("A", "B"):
            fill(tmp_path / "lettered" / split / side, *names)
            fill(tmp_path / "turned" / side / split, *names)
        for side in ("horse", "zebra"):
            fill(tmp_path / "named" / split / side, *names)
        for side in ("source/0", "source/1", "target"):
            fill(tmp_path / "classes" / split / side, *names)
        fill(tmp_path / "whole" / split, *names, size=(40, 80))
        for side in ("labels", "images"):
            fill(tmp_path / "labels" / split / side, *names, value=3)
            fill(tmp_path / "labels2" / side / split, *names, value=3)
        for clip in ("x", "y"):
            fill(tmp_path / "clips" / split / clip, *names)
    for layout in ("lettered", "turned", "named"):
        for kind in (PairedImages, UnpairedImages):
            data = kind([tmp_path / layout], OPTIONS)
            validation = data.validation()
            assert validation is not None
            assert (len(data.train()), len(validation)) == (3, 2)
    whole = PairedImages([tmp_path / "whole"], OPTIONS)
    assert (len(whole.pairs), len(whole.held_out)) == (3, 2)
    domains = recognise_domains([tmp_path / "named"])
    assert domains.names == ("horse", "zebra")
    assert domains.validation is not None
    assert [path.name for path in splits(tmp_path / "whole")] == [train, held_out]
    assert len(ImageFolder([tmp_path / "whole"], DataOptions.of(Config(crop_size=(40, 80)))).files[0]) == 3
    classes = recognise_classes([tmp_path / "classes"])
    assert classes.source.classes == ("0", "1")
    assert classes.target_validation is not None
    for layout in ("labels", "labels2"):
        assert recognise_labels([tmp_path / layout]).validation is not None
    clips = find_clips([tmp_path / "clips"], OPTIONS, plain=True)
    assert (len(clips.train), len(clips.validation)) == (2, 2)


@pytest.mark.parametrize(
    ("train", "held_out"),
    [
        ("train{}", "test{}"),
        ("training_{}", "valid_{}"),
        ("{}_train", "{}_eval"),
        ("Train-{}", "Testing-{}"),
        ("street_train_{}", "street_val_{}"),
    ],
)
@pytest.mark.parametrize("sides", [("A", "B"), ("Horse", "Zebra")])
def test_sides_beside_the_split(tmp_path: Path, train: str, held_out: str, sides: tuple[str, str]) -> None:
    for side in sides:
        fill(tmp_path / train.format(side), "1.png", "2.png", "3.png")
        fill(tmp_path / held_out.format(side), "9.png")
    for kind in (PairedImages, UnpairedImages):
        validation = kind([tmp_path], OPTIONS).validation()
        assert validation is not None
        assert len(validation) == 1
    folders = [tmp_path / train.format(side) for side in sides]
    given = UnpairedImages(folders, OPTIONS, name_domains=True)
    domains = tuple(f"street_{side}" for side in sides) if train.startswith("street") else sides
    assert given.settings["domains"] == domains
    assert given.validation() is not None
    assert recognise_domains([tmp_path]).names == domains


def test_a_split_between_words_needs_another(tmp_path: Path) -> None:
    fill(tmp_path / "horse", "1.png", "2.png")
    fill(tmp_path / "model_train_red", "1.png", "2.png")
    train = UnpairedImages([tmp_path], OPTIONS).files
    assert [items[0].path.parent.name for items in train] == ["horse", "model_train_red"]
    for name in ("street_train_hr", "street_valid_hr"):
        fill(tmp_path / "other" / name, "1.png", "2.png")
    with pytest.raises(UserError, match="found one collection of images"):
        UnpairedImages([tmp_path / "other"], OPTIONS)


def test_splits_are_no_domains(tmp_path: Path) -> None:
    for name in ("testing", "dev"):
        fill(tmp_path / name, "1.png", "2.png")
    for kind in (PairedImages, UnpairedImages):
        with pytest.raises(UserError, match="found dev/, testing/; expected"):
            kind([tmp_path], OPTIONS)


@pytest.mark.parametrize("kind", [PairedImages, UnpairedImages])
def test_parts_with_the_same_folders_are_no_domains(
    tmp_path: Path, kind: type[PairedImages] | type[UnpairedImages]
) -> None:
    for part in ("monday", "tuesday"):
        for side in ("input", "target"):
            fill(tmp_path / part / side, "1.png", "2.png")
    with pytest.raises(UserError, match="monday/ and tuesday/ hold the same folders") as caught:
        kind([tmp_path], OPTIONS)
    assert f"{tmp_path / 'monday'} {tmp_path / 'tuesday'}" in str(caught.value)
    assert kind([tmp_path / "monday", tmp_path / "tuesday"], OPTIONS).train()
    with pytest.raises(UserError, match="hold the same folders"):
        recognise_domains([tmp_path])


def test_two_spellings_of_one_split(tmp_path: Path) -> None:
    for name in ("val", "validation", "train1", "train2"):
        fill(tmp_path / name, "1.png")
    found = split_folders(tmp_path)
    assert found["val"] == tmp_path / "val"
    assert found["train 2"] == tmp_path / "train2"
    fill(tmp_path / "other" / "train", "1.png")
    fill(tmp_path / "other" / "Training", "1.png")
    with pytest.raises(UserError, match="train/ and Training/, both to train on"):
        split_folders(tmp_path / "other")
