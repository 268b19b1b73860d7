"""A folder per domain, as people have them: what is recognised, what is refused."""

from pathlib import Path

import pytest

from i2icli.data.kinds.domain_folders import domain_names, recognise_domains
from i2icli.errors import UserError
from tests.data.files import fill

SEASONS = ("autumn", "spring", "summer", "winter")


def fill_all(root: Path, *folders: str, names: tuple[str, ...] = ("1.png", "2.png")) -> Path:
    for folder in folders:
        fill(root / folder, *names, size=(8, 8))
    return root


def refusal(*folders: Path) -> str:
    with pytest.raises(UserError) as caught:
        recognise_domains(folders)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("train", "held_back"),
    [
        ("{}", None),
        ("train/{}", "test/{}"),
        ("train/{}", "val/{}"),
        ("Train/{}", "Test/{}"),
        ("{}/train", "{}/test"),
        ("archive/{}", None),
        ("archive/train/{}", "archive/test/{}"),
    ],
)
def test_layouts_of_named_domains(tmp_path: Path, train: str, held_back: str | None) -> None:
    for season in SEASONS:
        fill_all(tmp_path, train.format(season), names=("1.png", "2.png", "3.png"))
        if held_back:
            fill_all(tmp_path, held_back.format(season))
    found = recognise_domains([tmp_path])
    assert found.names == SEASONS
    assert [len(collection.images) for collection in found.train] == [3] * 4
    assert found.train[1].folder == tmp_path / train.format("spring")
    if held_back is None:
        assert found.validation is None
    else:
        assert found.validation is not None
        assert found.validation[3].folder == tmp_path / held_back.format("winter")


@pytest.mark.parametrize(("kind", "count"), [("letters", 4), ("numbers", 12)])
def test_folders_numbered_as_combogans_are(tmp_path: Path, kind: str, count: int) -> None:
    names = [chr(ord("A") + n) if kind == "letters" else str(n) for n in range(count)]
    for name in names:
        fill_all(tmp_path, f"train{name}", f"test{name}")
    found = recognise_domains([tmp_path])
    assert found.names == tuple(names)  # train2 before train10
    assert found.validation is not None
    assert found.validation[-1].folder == tmp_path / f"test{names[-1]}"


def test_validation_comes_before_test(tmp_path: Path) -> None:
    fill_all(tmp_path, *(f"{split}/{name}" for split in ("train", "val", "test") for name in "xyz"))
    found = recognise_domains([tmp_path])
    assert found.validation is not None
    assert found.validation[0].folder == tmp_path / "val" / "x"


def test_folders_given_one_by_one(tmp_path: Path) -> None:
    fill_all(tmp_path, *(f"{split}/{name}" for split in ("train", "test") for name in SEASONS))
    found = recognise_domains([tmp_path / "train" / name for name in ("winter", "spring", "summer")])
    assert found.names == ("winter", "spring", "summer")  # as given
    assert found.validation is not None
    assert found.validation[0].folder == tmp_path / "test" / "winter"

    fill_all(tmp_path / "b", *(f"{name}/{split}" for split in ("train", "test") for name in SEASONS))
    inside = recognise_domains([tmp_path / "b" / name for name in SEASONS])
    assert inside.names == SEASONS
    assert inside.validation is not None
    assert inside.train[0].folder == tmp_path / "b" / "autumn" / "train"
    named_above = recognise_domains([tmp_path / "b" / name / "train" for name in SEASONS])
    assert named_above.names == SEASONS


def test_names_in_other_case_are_the_same_domain(tmp_path: Path) -> None:
    fill_all(tmp_path, "train/Horse", "train/zebra", "test/zebra", "test/horse")
    found = recognise_domains([tmp_path])
    assert found.names == ("Horse", "zebra")
    assert found.validation is not None
    assert found.validation[0].folder == tmp_path / "test" / "horse"


def test_domains_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    fill_all(tmp_path, "Night", "night", "day")
    assert f"{tmp_path}: Night/ and night/ differ only in case" in refusal(tmp_path)


def test_only_the_domains_that_are_wanted_are_looked_into(tmp_path: Path) -> None:
    fill_all(tmp_path, *(f"{split}/{name}" for split in ("train", "test") for name in "xy"))
    for split in ("train", "test"):
        (tmp_path / split / "z").mkdir()
    assert domain_names([tmp_path]) == ("x", "y", "z")
    found = recognise_domains([tmp_path], lambda names: names[1::-1])
    assert found.names == ("y", "x")
    assert [collection.folder.name for collection in (*found.train, *(found.validation or ()))] == list(
        "yxyx"
    )


def test_an_empty_domain_is_named(tmp_path: Path) -> None:
    fill_all(tmp_path, "train/x", "train/y")
    (tmp_path / "train" / "z").mkdir()
    assert f"{tmp_path / 'train' / 'z'}: no images" in refusal(tmp_path)


def test_one_domain_is_not_enough(tmp_path: Path) -> None:
    fill_all(tmp_path / "a", "train/x", "test/x")
    assert "found only x; expected at least two domains" in refusal(tmp_path / "a")
    fill_all(tmp_path / "b", "")
    assert "images directly in it; expected a folder per domain" in refusal(tmp_path / "b")
    (tmp_path / "c").mkdir()
    assert "found nothing" in refusal(tmp_path / "c")


def test_a_test_folder_beside_domains_is_no_domain(tmp_path: Path) -> None:
    fill_all(tmp_path, "x", "y", "Test/x", "Test/y")
    assert "found Test/ but no train/" in refusal(tmp_path)


def test_other_domains_in_test_are_refused(tmp_path: Path) -> None:
    fill_all(tmp_path, "train/x", "train/y", "train/z", "test/x", "test/y")
    assert "z is among the domains of training but not of validation (found x, y)" in refusal(tmp_path)
    fill_all(tmp_path, "test/z", "test/w")
    assert "w is among the domains of validation but not of training" in refusal(tmp_path)


def test_a_domain_without_its_split_is_refused(tmp_path: Path) -> None:
    fill_all(tmp_path, "x/train", "y/train", "z")
    assert f"{tmp_path / 'z'}: no train/ in it, but {tmp_path / 'x'} has one" in refusal(tmp_path)


def test_folders_that_cannot_be_domains(tmp_path: Path) -> None:
    fill_all(tmp_path, "x", "y", "x/inner", "p/x", "a,b")
    x, y = tmp_path / "x", tmp_path / "y"
    assert "given twice" in refusal(x, y, x)
    assert "one lies inside the other" in refusal(x, y, x / "inner")
    assert "the domains cannot be named" in refusal(x, y, tmp_path / "p" / "x")
    assert "cannot contain a comma" in refusal(x, tmp_path / "a,b")
    assert "there is no such folder" in refusal(x, tmp_path / "nowhere")
