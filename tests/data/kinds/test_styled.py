"""Reference-style data: what is recognised, what names tell, synthetic transfers, faces and regions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from i2icli.data.kinds import faces
from i2icli.data.kinds.colour_statistics import with_colours_of
from i2icli.data.kinds.style_names import Comparison, compare_by_name
from i2icli.demo.toy.makeup import face, style, write_makeup
from i2icli.errors import UserError
from i2icli.systems.paired_cyclegan.config import PairedCycleGANConfig
from tests.data.files import scanned
from tests.face.synthetic import landmarks


def settings(**changes: Any) -> PairedCycleGANConfig:
    options = {"crop_size": 32, "load_size": 32, "preprocess": "resize", "num_layers": 2} | changes
    return PairedCycleGANConfig.model_validate(options)


@pytest.fixture
def makeup(tmp_path: Path) -> Path:
    write_makeup(tmp_path / "makeup", train=5, test=4, size=32)
    return tmp_path / "makeup"


# -- names -----------------------------------------------------------------------------------


def test_names_tell_who_wears_what() -> None:
    bare, styled = ["anna", "bella"], ["anna+dusk", "bella+dusk", "bella+noon", "cleo+noon"]
    assert compare_by_name(bare, styled) == [
        Comparison(1, 0, truth_bare=0, truth_styled=1),  # bella in dusk, as anna wears it
        Comparison(0, 1, truth_bare=1, truth_styled=0),
        Comparison(0, 2, truth_bare=1, truth_styled=None),  # nobody else with a bare picture wears noon
        Comparison(1, 3, truth_bare=None, truth_styled=2),
    ]


def test_same_names_are_scored_for_removal_only_and_never_styled_after_themselves() -> None:
    found = compare_by_name(["a", "b", "c"], ["a", "b", "x"])
    assert found == [Comparison(1, 0, 0, None), Comparison(2, 1, 1, None), Comparison(2, 2, None, None)]


def test_a_single_bare_picture_serves_all() -> None:
    assert compare_by_name(["a"], ["a", "b"]) == [Comparison(0, 0, 0, None), Comparison(0, 1, None, None)]


# -- folders ---------------------------------------------------------------------------------


def test_the_toy_folder_is_recognised_with_its_truths(makeup: Path) -> None:
    data = scanned("paired_cyclegan", [makeup], settings())
    assert data.settings == {"learned_size": (32, 32), "channels": (3,), "types": ("uint8",)}
    assert "bare in" in data.report[0]
    assert "5 images" in data.report[0]
    assert any("file names give the truth of 4 removals and 4 transfers" in line for line in data.report)
    assert len(data.train()) == 5
    validation = data.validation()
    assert validation is not None
    assert len(validation) == 4


def test_validation_shows_another_face_in_the_style_of_the_reference(makeup: Path) -> None:
    validation = scanned("paired_cyclegan", [makeup], settings(synthetic="none")).validation()
    assert validation is not None
    example = validation.get(0, None)
    assert set(example) == {"bare", "styled", "truth_bare", "truth_styled"}

    def seen(name: str) -> np.ndarray:
        return ((example[name].numpy() + 1) * 127.5).round().astype(np.uint8).transpose(1, 2, 0)

    first = 1_000_000
    np.testing.assert_array_equal(seen("styled"), face(first, style(first), 32))
    np.testing.assert_array_equal(seen("truth_bare"), face(first, None, 32))
    np.testing.assert_array_equal(seen("bare"), face(first + 1, None, 32))
    np.testing.assert_array_equal(seen("truth_styled"), face(first + 1, style(first), 32))


def test_training_draws_partners_and_the_same_ones_from_the_same_seed(makeup: Path) -> None:
    train = scanned("paired_cyclegan", [makeup], settings()).train()
    drawn = [train.get(0, np.random.default_rng(seed)) for seed in (1, 1, 2, 3, 4, 5)]
    assert set(drawn[0]) == {"bare", "styled", "synthetic"}
    assert all(bool((drawn[0][name] == drawn[1][name]).all()) for name in drawn[0])
    assert len({float(each["styled"].sum()) for each in drawn}) > 1
    assert all(value.shape == (3, 32, 32) for value in drawn[0].values())


def test_folders_with_names_name_the_domains(tmp_path: Path) -> None:
    for domain in ("plain", "painted"):
        (tmp_path / domain).mkdir()
        for index in range(2):
            Image.new("RGB", (32, 32), (index, 9, 9)).save(tmp_path / domain / f"{index}.png")
    data = scanned("paired_cyclegan", [tmp_path / "plain", tmp_path / "painted"], settings())
    assert data.settings["domains"] == ("plain", "painted")
    kept = scanned("paired_cyclegan", [tmp_path / "plain", tmp_path / "painted"], settings(domains="x,y"))
    assert "domains" not in kept.settings


def test_sizes_that_cannot_be_laid_side_by_side_are_refused(tmp_path: Path) -> None:
    for domain, side in (("A", 32), ("B", 48)):
        (tmp_path / domain).mkdir()
        Image.new("RGB", (side, side)).save(tmp_path / domain / "0.png")
    with pytest.raises(UserError, match="48x48"):
        scanned("paired_cyclegan", [tmp_path], settings(preprocess="none"))


def test_test_pictures_of_other_sizes_are_refused_too(makeup: Path) -> None:
    Image.new("RGB", (40, 36)).save(makeup / "testB" / "wide.png")
    with pytest.raises(
        UserError, match=r"wide.png becomes 40x36 pixels.*must have the same size; use --preprocess resize"
    ):
        scanned("paired_cyclegan", [makeup], settings(preprocess="none"))
    assert scanned("paired_cyclegan", [makeup], settings()).validation() is not None


def test_grey_and_colour_mixed_are_refused_unless_channels_are_given(tmp_path: Path) -> None:
    for domain, mode in (("A", "L"), ("B", "RGB")):
        (tmp_path / domain).mkdir()
        Image.new(mode, (32, 32)).save(tmp_path / domain / "0.png")
    with pytest.raises(UserError, match="--channels 3"):
        scanned("paired_cyclegan", [tmp_path], settings())
    assert scanned("paired_cyclegan", [tmp_path], settings(channels=3)).settings["channels"] == (3,)


def test_a_truth_of_another_size_is_none(makeup: Path) -> None:
    Image.new("RGB", (48, 48)).save(makeup / "testA" / "0001.png")
    data = scanned("paired_cyclegan", [makeup], settings())
    assert any("file names give the truth of 3 removals and 3 transfers" in line for line in data.report)


# -- synthetic transfers ---------------------------------------------------------------------


def test_colours_are_carried_over_as_statistics() -> None:
    rng = np.random.default_rng(0)
    image = (rng.random((3, 20, 30)) * 0.4 - 0.2).astype(np.float32)
    reference = (rng.random((3, 9, 9)) * 0.2 + 0.3).astype(np.float32)
    made = with_colours_of(image, reference)
    np.testing.assert_allclose(made.mean((1, 2)), reference.mean((1, 2)), atol=1e-5)
    np.testing.assert_allclose(made.std((1, 2)), reference.std((1, 2)), rtol=1e-4)
    flat = with_colours_of(np.zeros((3, 4, 4), np.float32), reference)
    np.testing.assert_allclose(
        flat, np.broadcast_to(reference.mean((1, 2))[:, None, None], (3, 4, 4)), atol=1e-6
    )


# -- faces -----------------------------------------------------------------------------------


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every picture has a face that fills it, but for black ones. The list is as long as the searches."""
    searched: list[int] = []

    def find(pixels: Any) -> Any:
        searched.append(1)
        return landmarks(pixels.shape[1], pixels.shape[0]) if pixels.any() else None

    monkeypatch.setattr(faces, "find_face", find)
    return searched


def test_images_without_a_face_are_skipped_and_named(makeup: Path, found: list[int]) -> None:
    Image.new("RGB", (32, 32)).save(makeup / "trainA" / "wall.png")
    Image.new("RGB", (32, 32)).save(makeup / "trainA" / "zebra.png")
    data = scanned("paired_cyclegan", [makeup], settings(synthetic="landmarks"))
    line = next(line for line in data.report if "without a face" in line)
    assert "skipped 2 images" in line
    assert "wall.png and 1 more" in line
    assert len(data.train()) == 5
    before = len(found)
    example = data.train().get(0, np.random.default_rng(0))
    assert len(found) == before == 20  # looked for once, when the folder is looked over
    assert example["synthetic"].shape == (3, 32, 32)


def test_a_synthetic_transfer_has_the_reference_inside_the_face(makeup: Path, found: list[int]) -> None:
    assert not found
    train = scanned("paired_cyclegan", [makeup], settings(synthetic="landmarks", flip=False)).train()
    example = train.get(0, np.random.default_rng(0))
    bare, styled, synthetic = (example[name] for name in ("bare", "styled", "synthetic"))
    assert (synthetic - styled)[:, 18, 16].abs().max() < 0.05  # all faces have the same landmarks here
    assert (synthetic - bare)[:, 0, 0].abs().max() == 0


@pytest.mark.usefixtures("found")
def test_both_faces_are_mirrored_or_none(makeup: Path) -> None:
    train = scanned("paired_cyclegan", [makeup], settings(synthetic="landmarks")).train()
    plain = scanned("paired_cyclegan", [makeup], settings(synthetic="landmarks", flip=False)).train()
    seen = set()
    for seed in range(8):
        one, other = (each.get(0, np.random.default_rng(seed)) for each in (train, plain))
        same = [bool((one[name] == other[name]).all()) for name in ("bare", "styled")]
        flipped = [bool((one[name] == other[name].flip(-1)).all()) for name in ("bare", "styled")]
        assert all(same) or all(flipped)
        seen.add(all(same))
    assert seen == {True, False}


@pytest.mark.usefixtures("found")
def test_regions_are_cut_out_and_others_hidden(makeup: Path) -> None:
    data = scanned("paired_cyclegan", [makeup], settings(regions="lips,skin", region_size=24))
    example = data.train().get(0, np.random.default_rng(0))
    assert set(example) == {f"{n}_{r}" for n in ("bare", "styled", "synthetic") for r in ("lips", "skin")}
    assert {value.shape for value in example.values()} == {(3, 24, 24)}
    skin = example["styled_skin"]
    assert (skin[:, 17, 12] == 0).all()  # where the lips are
    assert not (skin[:, 12, 12] == 0).all()
    assert data.validation() is not None
    assert set(data.validation().get(0, None)) == set(example)  # type: ignore[union-attr]


@pytest.mark.usefixtures("found")
def test_a_folder_without_any_face_is_refused(tmp_path: Path) -> None:
    for domain in "AB":
        (tmp_path / domain).mkdir()
        Image.new("RGB", (32, 32)).save(tmp_path / domain / "wall.png")
    with pytest.raises(
        UserError, match=r"no face found in its 1 image, e.g. wall.png; expected frontal faces.*colour"
    ):
        scanned("paired_cyclegan", [tmp_path], settings(synthetic="landmarks"))
