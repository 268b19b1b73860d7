"""Words of the command line that cannot be translated say so."""

from pathlib import Path

import pytest

from i2icli.demo.toy.scenes import write_unpaired
from i2icli.errors import UserError
from i2icli.inference.inputs import folders_above, plan_jobs
from i2icli.inference.places import Place
from i2icli.runs import find_model


def test_an_empty_list_is_wrong_use(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stdin", [])
    with pytest.raises(UserError, match="list of inputs is empty"):
        plan_jobs(["-"], tmp_path, None)


def test_a_file_is_no_output_folder(tmp_path):
    with pytest.raises(UserError, match="looks like a file"):
        plan_jobs([str(tmp_path)], Path("result.png"), None)


@pytest.mark.parametrize("word", ["x" * 5000, "a\0b"])
def test_a_word_that_no_system_can_look_up(word, tmp_path):
    (tmp_path / "good.png").touch()
    bad, good = plan_jobs([word, str(tmp_path / "good.png")], tmp_path / "out", None)
    assert "not a usable path" in (bad.error or "")
    assert good.error is None


@pytest.mark.parametrize("word", ["none.png", "empty", "*.xyz", "[e]mpty", "x" * 5000, "a\0b"])
def test_a_name_of_nothing_is_wrong_use_where_there_is_no_other(word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(UserError) as refused:
        plan_jobs([word], tmp_path / "out", None)
    assert refused.value.exit_code == 2
    with pytest.raises(UserError, match=", and 1 more like it"):
        plan_jobs([word, "other.png"], tmp_path / "out", None)
    Path("good.png").touch()
    bad, good = plan_jobs([word, "good.png"], tmp_path / "out", None)
    assert str(refused.value) == bad.error
    assert good.error is None


def test_a_folder_without_images_does_not_hide_the_others_of_a_glob(tmp_path):
    write_unpaired(tmp_path / "data", train=1, test=0, size=16)
    (tmp_path / "data" / "trainA2").mkdir()
    bad, *jobs = plan_jobs([str(tmp_path / "data" / "train*")], tmp_path / "out", None)
    assert (bad.error or "").startswith(f"{tmp_path / 'data' / 'trainA2'}: no images in this folder")
    assert [job.targets[0].name for job in jobs] == ["day0000.png", "dusk0000.png"]


def test_a_glob_of_folders_gives_their_images(tmp_path):
    write_unpaired(tmp_path / "data", train=2, test=0, size=16)
    jobs = plan_jobs([str(tmp_path / "data" / "train*")], tmp_path / "out", None)
    assert sorted(job.targets[0].name for job in jobs) == [
        "day0000.png",
        "day0001.png",
        "dusk0000.png",
        "dusk0001.png",
    ]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("{here}/seasons", ["deep", "autumn", "seasons"]),
        ("{here}/seasons/autumn", ["deep", "autumn"]),
        ("{here}/seasons/autumn/deep/x.png", ["deep"]),
        ("seasons/autumn", ["deep", "autumn", "seasons"]),
        ("./seasons/autumn/deep/x.png", ["deep", "autumn", "seasons"]),
    ],
)
def test_folders_far_above_what_was_given_tell_no_domain(word, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seasons" / "autumn" / "deep").mkdir(parents=True)
    (tmp_path / "seasons" / "autumn" / "deep" / "x.png").touch()
    (job,) = plan_jobs([word.format(here=tmp_path)], tmp_path / "out", None)
    assert list(job.folders) == expected


def test_a_split_that_was_given_lies_in_its_domain(tmp_path, monkeypatch):
    (tmp_path / "autumn" / "test").mkdir(parents=True)
    picture = tmp_path / "autumn" / "test" / "x.png"
    picture.touch()
    for word in (picture, picture.parent):
        (job,) = plan_jobs([str(word)], tmp_path / "out", None)
        assert job.folders == ("test", "autumn")
    monkeypatch.chdir(picture.parent)
    assert folders_above(Path("x.png"), Path()) == ("test", "autumn")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("autumn/labels", ("labels", "autumn")), ("autumn/test/masks", ("masks", "test", "autumn"))],
)
def test_labels_that_were_given_lie_in_their_domain(folder, expected, tmp_path):
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "x.png").touch()
    (job,) = plan_jobs([str(tmp_path / folder)], tmp_path / "out", None)
    assert job.folders == expected


def test_a_data_folder_does_not_hide_the_run_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h2z" / "trainA").mkdir(parents=True)
    run = tmp_path / "runs" / "h2z"
    run.mkdir(parents=True)
    (run / "model.safetensors").write_bytes(b"x")
    assert find_model("h2z") == Path("runs/h2z/model.safetensors")


@pytest.mark.parametrize(
    ("place", "suffix", "given", "expected"),
    [
        (Place(dtype="uint16"), None, ("a.bmp", "a.jpg", "a.png"), ("a.bmp.png", "a.jpg.png", "a.png")),
        (Place(dtype="uint16"), None, ("a.bmp", "b.jpg"), ("a.png", "b.png")),
        (Place(dtype="float32"), None, ("a.jpg", "a.tif"), ("a.jpg.tif", "a.tif")),
        (Place(), None, ("a.bmp", "a.jpg", "a.png"), ("a.bmp", "a.jpg", "a.png")),
        (Place(), ".webp", ("x/a.jpg", "x/a.png", "y/a.png"), ("x/a.jpg.webp", "x/a.png.webp", "y/a.webp")),
        (Place(kind="labels"), None, ("a.npy", "a.png", "b.tif"), ("a.npy.png", "a.png", "b.png")),
        (Place(kind="labels", dtype="float32"), None, ("a.png",), ("a.tif",)),
    ],
)
def test_results_of_inputs_that_differ_in_their_suffix_alone_have_names_of_their_own(
    place, suffix, given, expected
):
    assert tuple(map(str, place.names(map(Path, given), suffix).values())) == expected


def test_videos_are_sent_to_the_command_for_videos(tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "holiday.MOV").touch()
    with pytest.raises(UserError, match=r"holiday.MOV: a video; translate it with i2i video"):
        plan_jobs([str(folder / "holiday.MOV")], tmp_path / "out", None)
    with pytest.raises(UserError, match="no images in this folder; its videos are translated with i2i video"):
        plan_jobs([str(folder)], tmp_path / "out", None)
