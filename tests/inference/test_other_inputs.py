"""A task's other inputs are found beside the first by their names."""

from pathlib import Path

import pytest

from i2icli.errors import UserError
from i2icli.inference.options import TranslateOptions
from i2icli.inference.other_inputs import OtherInputs, inputs_in
from i2icli.task import Port


def others(*, optional: bool = True, **options) -> OtherInputs:
    inputs = {
        "labels": Port(4, "labels"),
        "instances": Port(1, "instances", instead="labels" if optional else None),
    }
    return OtherInputs(inputs, TranslateOptions(**options))


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize(
    ("labels", "instances"),
    [
        ("labels/x.png", "instances/x.png"),
        ("labels/x.png", "instances/x.tif"),
        ("labels/deep/x.png", "instances/deep/x.png"),
        ("Labels/x.png", "Instances/x.png"),
        ("train_label/x.png", "train_inst/x.png"),
        ("test_label/x.png", "test_inst/x.png"),
        ("masks/x.png", "instances/x.png"),
        ("city/x_gtFine_labelIds.png", "city/x_gtFine_instanceIds.png"),
        ("city/x_gtFine_labelTrainIds.png", "city/x_gtFine_instanceIds.png"),
        ("x_labels.png", "x_instances.png"),
        ("labels.png", "instances.png"),
        ("label/x_label.png", "inst/x_inst.png"),
        ("labels/x_labels.png", "instances/x_labels.png"),
        ("labels/x_labelIds.png", "instances/x_instanceIds.png"),
    ],
)
def test_instances_are_found_beside_labels(labels, instances, tmp_path, monkeypatch):
    touch(tmp_path, labels, instances, "photos/x.png", "images/x.png")
    assert others().find(tmp_path / labels)["instances"].path == tmp_path / instances
    monkeypatch.chdir((tmp_path / labels).parent)  # the folder is not in the path as it is typed
    assert others().find(Path(Path(labels).name))["instances"].path.samefile(tmp_path / instances)


@pytest.mark.parametrize(
    "neighbour",
    [
        "instances/y.png",
        "instances/x.jpg",
        "unlabelled_instances.png",
        "instances_of/x.png",
        "x_instances.png",
    ],
)
def test_what_is_of_another_map_or_no_map_of_ids_is_not_taken(neighbour, tmp_path):
    touch(tmp_path, "labels/x.png", neighbour)
    finder = others()
    assert finder.find(tmp_path / "labels" / "x.png") == {}
    assert finder.notes() == ("no instances found: boundaries come from the labels",)


def test_it_is_noted_once_how_many_have_none(tmp_path):
    touch(tmp_path, *(f"labels/{number}.png" for number in range(3)), "instances/1.png")
    finder = others()
    found = [finder.find(tmp_path / "labels" / f"{number}.png") for number in range(3)]
    assert [sorted(each) for each in found] == [[], ["instances"], []]
    assert finder.notes() == ("2 of 3 have no instances: boundaries come from the labels",)


@pytest.mark.parametrize(
    ("labels", "instances"),
    [
        ("labels/val/x.png", "x.png"),
        ("labels/val/x.png", "val/x.png"),
        ("labels/val/x.png", "labels/val/x.png"),
        ("labels/val/x_label.png", "x_inst.tif"),
    ],
)
def test_a_folder_that_is_given_is_the_only_one(labels, instances, tmp_path):
    touch(tmp_path, labels, "instances/val/x.png", f"ids/{instances}")
    finder = others(instances=tmp_path / "ids")
    assert finder.find(tmp_path / labels)["instances"].path == tmp_path / "ids" / instances
    assert finder.notes() == ()
    touch(tmp_path, "labels/other.png", "instances/other.png")
    with pytest.raises(UserError, match=r"other\.png: its instances are not in --instances .*ids"):
        finder.find(tmp_path / "labels" / "other.png")


def test_the_same_folder_may_hold_both(tmp_path):
    touch(tmp_path, "x_label.png", "x_inst.png")
    found = others(instances=tmp_path).find(tmp_path / "x_label.png")
    assert found["instances"].path == tmp_path / "x_inst.png"


def test_what_is_missing_is_an_error_where_it_is_required(tmp_path):
    touch(tmp_path, "labels/x.png")
    with pytest.raises(UserError, match=r"x\.png: this model also needs instances; none found: expected"):
        others(optional=False).find(tmp_path / "labels" / "x.png")
    with pytest.raises(UserError, match=r"--instances .*nowhere: there is no such folder"):
        others(instances=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["labels/a.png", "instances/a.png", "images/a.jpg"], ["labels/a.png"]),
        (["test_label/a.png", "test_img/a.png"], ["test_label/a.png"]),
        (["c/a_gtFine_color.png", "c/a_gtFine_labelIds.png"], ["c/a_gtFine_labelIds.png"]),
        (["a.jpg", "a.png"], ["a.png"]),
        (["a.jpg"], ["a.jpg"]),  # refused when it is read, with the reason
        (["a.png", "b.png"], ["a.png", "b.png"]),
    ],
)
def test_of_a_folder_the_label_maps_are_taken(files, expected, tmp_path):
    paths = [tmp_path / file for file in files]
    assert inputs_in(tmp_path, paths, "labels") == [tmp_path / each for each in expected]
    assert inputs_in(tmp_path, paths, "image") == paths


def test_where_the_labels_lie_says_nothing_of_what_is_in_their_folder(tmp_path):
    folder = tmp_path / "labels"
    assert inputs_in(folder, [folder / "a.png"], "labels") == [folder / "a.png"]
