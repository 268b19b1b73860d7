"""Labelled images: attribute files and domain folders, alone and together, in training and validation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.data.kinds.labelled import LabelledImages
from i2icli.errors import UserError
from i2icli.fields import completed
from i2icli.systems.stargan.config import StarGANConfig
from tests.data.files import scanned


def picture(path: Path, level: int = 128, size: tuple[int, int] = (32, 32)) -> Path:
    """A picture of one grey level, by which it is known again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level,) * 3).save(path)
    return path


def attributes(
    folder: Path, rows: dict[str, str], columns: str = "Male,Smiling", *, images: bool = True
) -> Path:
    """A data folder with attributes.csv and the images it names; brightness is 10 x the row's number."""
    for place, name in enumerate(rows if images else ()):
        picture(folder / name, 10 * place)
    folder.mkdir(exist_ok=True)
    lines = [f"image,{columns}", *(f"{name},{values}" for name, values in rows.items())]
    (folder / "attributes.csv").write_text("\n".join(lines) + "\n")
    return folder


def domains(folder: Path, names: str = "abc", count: int = 3) -> Path:
    """<folder>/<name>/0.png ...; brightness is 80 x domain + 10 x number."""
    for place, name in enumerate(names):
        for number in range(count):
            picture(folder / name / f"{number}.png", 80 * place + 10 * number)
    return folder


FOUR = {"1.png": "1,0", "2.png": "0,1", "3.png": "1,1", "4.png": "0,0"}


def data(*folders: Path, strict: bool = False, **changes: Any) -> LabelledImages:
    defaults: dict[str, Any] = {"crop_size": 32, "num_layers": 2, "holdout": 0.0, "flip": False}
    config = StarGANConfig.model_validate(defaults | changes)
    found: LabelledImages = scanned("stargan", folders, config, strict=strict, cache_bytes=10**6)
    completed(config, found.settings)
    return found


def levels(image: torch.Tensor) -> int:
    """The grey level of a picture (C, H, W) in [-1, 1]."""
    return round((float(image.mean()) + 1) * 127.5)


def test_attributes_of_a_csv_become_labels(tmp_path: Path) -> None:
    found = data(attributes(tmp_path / "faces", FOUR))
    assert found.settings == {"learned_size": (32, 32),
        "channels": (3,), "types": ("uint8",), "attributes": ("Male", "Smiling"), "domains": (), "sets": ()
    }  # fmt: skip
    examples = [found.train().get(index, None) for index in range(len(found.train()))]
    assert [(levels(each["image_0"]), each["label_0"].tolist()) for each in examples] == [
        (0, [1, 0]), (10, [0, 1]), (20, [1, 1]), (30, [0, 0])
    ]  # fmt: skip
    assert examples[0]["label_0"].dtype == torch.float32
    assert found.validation() is None
    assert "4 images" in found.report[0]
    assert "Male 2, Smiling 2" in found.report[0]


def test_columns_can_be_chosen_and_put_in_order(tmp_path: Path) -> None:
    found = data(attributes(tmp_path, FOUR), attributes="Smiling,Male")
    assert found.settings["attributes"] == ("Smiling", "Male")
    assert found.train().get(0, None)["label_0"].tolist() == [0, 1]


def test_celeba_lies_beside_its_folder_of_images(tmp_path: Path) -> None:
    names = ["Bald", "Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"]
    rows = [f"00000{n}.jpg " + " ".join("1" if (n + k) % 2 else "-1" for k in range(6)) for n in range(1, 5)]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(["4", " ".join(names), *rows]))
    for n in range(1, 5):
        picture(tmp_path / "img_align_celeba" / f"00000{n}.jpg", size=(178, 218))
    found = data(tmp_path)
    assert found.settings["attributes"] == ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
    assert found.train().get(0, None)["label_0"].tolist() == [0, 1, 0, 1, 0]
    assert found.train().get(0, None)["image_0"].shape == (3, 32, 32)


def test_training_crops_are_the_middle_of_the_largest_square(tmp_path: Path) -> None:
    folder = attributes(tmp_path, FOUR)
    pixels = np.zeros((48, 32, 3), np.uint8)
    pixels[8:40] = 200
    for name in FOUR:
        Image.fromarray(pixels).save(folder / name)
    whole = data(folder).train().get(0, np.random.default_rng(0))["image_0"]
    assert levels(whole) == 200
    anywhere = data(folder, centred=False).train()
    assert len({levels(anywhere.get(0, np.random.default_rng(n))["image_0"]) for n in range(9)}) > 1


def test_splits_may_share_one_file_or_have_their_own(tmp_path: Path) -> None:
    rows = {f"train/{name}": value for name, value in FOUR.items()} | {"test/1.png": "1,1"}
    one = data(attributes(tmp_path / "one", rows))
    assert len(one.train()) == 4
    assert one.validation().get(0, None)["label_0"].tolist() == [1, 1]

    (tmp_path / "each").mkdir()
    attributes(tmp_path / "each" / "train", FOUR)
    attributes(tmp_path / "each" / "test", {"9.png": "1,0"})
    each = data(tmp_path / "each")
    assert len(each.train()) == 4
    assert each.validation().get(0, None)["label_0"].tolist() == [1, 0]


def test_test_images_without_rows_leave_nothing_to_validate_on(tmp_path: Path) -> None:
    attributes(tmp_path, {f"train/{name}": value for name, value in FOUR.items()})
    picture(tmp_path / "test" / "9.png")
    found = data(tmp_path)
    assert found.validation() is None
    assert any("no row for 1 of 1 image" in line for line in found.report)
    assert any("no validation: " in line for line in found.report)


def test_a_folder_without_training_images_is_refused(tmp_path: Path) -> None:
    attributes(tmp_path, {f"test/{name}": value for name, value in FOUR.items()})
    (tmp_path / "train").mkdir()
    with pytest.raises(UserError, match="no training images"):
        data(tmp_path)


def test_images_are_held_out_where_nothing_is_set_aside(tmp_path: Path) -> None:
    rows = {f"{n}.png": f"{n % 2},{n // 2 % 2}" for n in range(20)}
    found = data(attributes(tmp_path, rows), holdout=0.1)
    assert (len(found.train()), len(found.validation())) == (18, 2)


def test_images_without_row_and_rows_without_image_are_told(tmp_path: Path) -> None:
    folder = attributes(tmp_path, FOUR | {"gone.png": "1,1"})
    (folder / "gone.png").unlink()
    picture(folder / "new1.png")
    picture(folder / "new2.png")
    found = data(folder)
    assert len(found.train()) == 4
    (without,) = (line for line in found.report if "has no row for" in line)
    assert all(word in without for word in ("2 of 6 images", "new1.png", "skipped"))
    (unused,) = (line for line in found.report if "not in" in line)
    assert all(word in unused for word in ("1 of 5 rows", "gone.png", "ignored"))
    with pytest.raises(UserError, match=r"2 of 6 images.*--strict"):
        data(folder, strict=True)


def test_a_file_about_other_images_is_refused(tmp_path: Path) -> None:
    attributes(tmp_path, FOUR, images=False)
    picture(tmp_path / "x.png")
    with pytest.raises(UserError, match=r"no row for the 1 image .*x\.png; its rows are for 1\.png"):
        data(tmp_path)


@pytest.mark.parametrize(("male", "words"), [(0, "none of the 4"), (1, "all of the 4")])
def test_an_attribute_that_never_changes_is_refused(male: int, words: str, tmp_path: Path) -> None:
    rows = {f"{n}.png": f"{male},{n % 2}" for n in range(4)}
    with pytest.raises(UserError, match=rf"{words} training images .* Male.*--attributes"):
        data(attributes(tmp_path, rows))


def test_domains_become_one_hot_labels(tmp_path: Path) -> None:
    found = data(domains(tmp_path))
    assert found.settings["domains"] == ("a", "b", "c")
    examples = [found.train().get(index, None) for index in range(9)]
    assert [levels(each["image_0"]) // 80 for each in examples] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [each["label_0"].argmax().item() for each in examples] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert "a 3, b 3, c 3" in found.report[0]


def test_some_domains_can_be_chosen(tmp_path: Path) -> None:
    found = data(domains(tmp_path), domains="c,a")
    assert found.settings["domains"] == ("c", "a")
    assert len(found.train()) == 6
    assert levels(found.train().get(0, None)["image_0"]) == 160
    with pytest.raises(UserError, match=r"--domains d: there is no such domain .*found a, b, c"):
        data(tmp_path, domains="a,d")


def test_folders_given_one_by_one_are_domains(tmp_path: Path) -> None:
    domains(tmp_path)
    found = data(tmp_path / "b", tmp_path / "c")
    assert found.settings["domains"] == ("b", "c")
    assert found.settings["sets"] == ()


def test_the_same_names_in_all_test_domains_are_the_truth_for_each_other(tmp_path: Path) -> None:
    domains(tmp_path / "train")
    domains(tmp_path / "test", count=2)
    validation = data(tmp_path).validation()
    assert len(validation) == 6
    fourth = validation.get(4, None)
    assert levels(fourth["image_0"]) == 90  # the second thing, second domain
    assert fourth["label_0"].tolist() == [0, 1, 0]
    assert [levels(each) for each in fourth["truth_0"]] == [10, 90, 170]


def test_other_names_in_test_domains_are_shown_only(tmp_path: Path) -> None:
    domains(tmp_path / "train")
    domains(tmp_path / "test", count=2)
    (tmp_path / "test/b/1.png").rename(tmp_path / "test/b/other.png")
    validation = data(tmp_path).validation()
    assert set(validation.get(0, None)) == {"image_0", "label_0"}


def test_an_empty_folder_that_is_no_wanted_domain_is_left_alone(tmp_path: Path) -> None:
    folder = domains(tmp_path / "d")
    (folder / "empty").mkdir()
    for folders in ([folder], [folder, attributes(tmp_path / "faces", FOUR)]):
        assert data(*folders, domains="a,c").settings["domains"] == ("a", "c")


def test_an_empty_domain_is_refused(tmp_path: Path) -> None:
    domains(tmp_path)
    (tmp_path / "d").mkdir()
    with pytest.raises(UserError, match=r"/d: no images in this folder"):
        data(tmp_path)


def test_two_data_folders_are_two_label_sets(tmp_path: Path) -> None:
    found = data(attributes(tmp_path / "one", FOUR), domains(tmp_path / "two"))
    assert found.settings["sets"] == ("attributes:2", "domains:3")
    examples = found.train()
    assert len(examples) == 9
    example = examples.get(5, np.random.default_rng(0))
    assert example.keys() == {"image_0", "label_0", "image_1", "label_1"}
    assert example["label_1"].tolist() == [0, 1, 0]
    drawn = {levels(examples.get(5, np.random.default_rng(n))["image_0"]) for n in range(20)}
    assert drawn == {0, 10, 20, 30}
    assert levels(examples.get(5, None)["image_0"]) == 10


def test_attributes_of_two_files_are_chosen_together(tmp_path: Path) -> None:
    two = {f"{n}.png": f"{n % 2},{n // 2}" for n in range(4)}
    found = data(
        attributes(tmp_path / "one", FOUR),
        attributes(tmp_path / "two", two, "Hat,Tie"),
        attributes="Tie,Male",
    )
    assert found.settings["attributes"] == ("Male", "Tie")
    assert found.settings["sets"] == ("attributes:1", "attributes:1")
    with pytest.raises(UserError, match=r"no attribute file has a column Beard"):
        data(tmp_path / "one", tmp_path / "two", attributes="Male,Beard")
    with pytest.raises(UserError, match=r"two/attributes.csv: has none of the columns"):
        data(tmp_path / "one", tmp_path / "two", attributes="Male")


@pytest.mark.parametrize("whole_path", [False, True])
def test_a_named_file_is_about_the_images_of_its_own_folder(whole_path: bool, tmp_path: Path) -> None:
    faces = attributes(tmp_path / "one", FOUR)
    (faces / "other.csv").write_text("image,Beard\n")
    named = str(faces / "attributes.csv") if whole_path else "attributes.csv"
    found = data(faces, domains(tmp_path / "two"), attribute_file=named)
    assert found.settings["attributes"] == ("Male", "Smiling")
    assert found.settings["sets"] == ("attributes:2", "domains:3")
    third = attributes(tmp_path / "three", FOUR, "Hat,Tie")
    both = data(faces, third, attribute_file=named)
    assert both.settings["attributes"] == ("Male", "Smiling", "Hat", "Tie")
    with pytest.raises(UserError, match=r"--attribute-file no\.csv: no such file in .*one, .*two"):
        data(faces, tmp_path / "two", attribute_file="no.csv")


def test_a_label_in_two_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'Male' occurs twice"):
        data(attributes(tmp_path / "one", FOUR), domains(tmp_path / "two", ["Male", "b"]))


def test_wishes_that_do_not_fit_the_data_are_refused(tmp_path: Path) -> None:
    faces, looks = attributes(tmp_path / "one", FOUR), domains(tmp_path / "two")
    with pytest.raises(UserError, match=r"--attributes Male: found no attribute file in .*two"):
        data(looks, attributes="Male")
    for folders in ([looks], [looks / "a", looks / "b"]):
        with pytest.raises(UserError, match=r"--exclusive Nope/Nada: found no attributes in .*two"):
            data(*folders, exclusive="Nope/Nada")
    with pytest.raises(UserError, match=r"--domains a,b: .*one has an attribute file"):
        data(faces, domains="a,b")
    with pytest.raises(UserError, match=r"--exclusive names 'Beard'.*attributes: Male, Smiling"):
        data(faces, exclusive="Male/Beard")


def test_images_about_which_nothing_is_known_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "1.png")
    with pytest.raises(UserError, match=r"no attribute file .*a folder per domain"):
        data(tmp_path)


def test_a_broken_image_gives_way_to_another_with_its_label(tmp_path: Path) -> None:
    folder = attributes(tmp_path, FOUR)
    whole = (folder / "2.png").read_bytes()
    (folder / "2.png").write_bytes(whole[: len(whole) // 2])
    found = data(folder)
    with pytest.warns(UserWarning, match=r"2\.png"):
        example = found.train().get(1, None)
    assert (levels(example["image_0"]), example["label_0"].tolist()) == (20, [1, 1])
