"""What becomes of the images: crops, mirrors, partners, validation, broken files, memory."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from i2icli.config import Config
from i2icli.data.examples import Examples
from i2icli.data.images import BrokenImageWarning
from i2icli.data.kinds.paired import PairedImages
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.errors import UserError
from i2icli.image import DecodedImage, read_image, to_tensor, write_image
from i2icli.stage import Shape
from tests.data.files import fill, put


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def whole(**changes: object) -> Config:
    return Config.model_validate({"crop_size": 32, "preprocess": "resize", "flip": False} | changes)


# -- pairs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["folders", "side by side"])
@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_the_direction_says_which_half_is_given(tmp_path: Path, layout: str, direction: str) -> None:
    a, b = np.full((32, 32, 3), 50, np.uint8), np.full((32, 32, 3), 200, np.uint8)
    if layout == "folders":
        write_image(tmp_path / "A" / "1.png", DecodedImage(a, None, "png"))
        write_image(tmp_path / "B" / "1.png", DecodedImage(b, None, "png"))
    else:
        write_image(tmp_path / "train" / "1.png", DecodedImage(np.hstack([a, b]), None, "png"))
    options = DataOptions.of(Config(crop_size=32))
    data = PairedImages([tmp_path], options, backwards=direction == "BtoA")
    example = data.train().get(0, rng())
    source, target = (50, 200) if direction == "AtoB" else (200, 50)
    assert torch.allclose(example["source"], torch.tensor(source / 127.5 - 1))
    assert torch.allclose(example["target"], torch.tensor(target / 127.5 - 1))


def test_both_halves_are_cut_and_mirrored_alike(tmp_path: Path) -> None:
    fill(tmp_path / "A", "1.png", size=(50, 60))
    fill(tmp_path / "B", "1.png", size=(50, 60))  # the same noise: same name
    train = PairedImages([tmp_path], DataOptions.of(Config(crop_size=32))).train()
    examples = [train.get(0, rng(seed)) for seed in range(12)]
    assert all(torch.equal(example["source"], example["target"]) for example in examples)
    assert len({example["source"].numpy().tobytes() for example in examples}) > 8


def test_half_of_the_images_are_mirrored_and_none_without_flip(tmp_path: Path) -> None:
    fill(tmp_path / "A", "1.png", size=(32, 32))
    fill(tmp_path / "B", "1.png", size=(32, 32))
    plain = to_tensor(read_image(tmp_path / "A" / "1.png").pixels)
    for flip, expected in ((True, range(60, 140)), (False, range(1))):
        train = PairedImages([tmp_path], DataOptions.of(whole(flip=flip))).train()
        sources = [train.get(0, rng(seed))["source"] for seed in range(200)]
        flipped = sum(torch.equal(source, plain.flip(-1)) for source in sources)
        assert flipped in expected
        assert flipped + sum(torch.equal(source, plain) for source in sources) == 200


def test_partners_of_other_sizes_follow_a(tmp_path: Path) -> None:
    fill(tmp_path / "A", "1.png", size=(40, 60))
    fill(tmp_path / "B", "1.png", size=(20, 30))
    data = PairedImages([tmp_path], DataOptions.of(Config(crop_size=32, preprocess="crop")))
    example = data.train().get(0, rng())
    assert example["source"].shape == example["target"].shape == (3, 32, 32)
    assert any("B is resized to A" in line for line in data.report)


def test_a_stage_may_ask_for_another_resolution(toy_pairs: Path) -> None:
    data = PairedImages([toy_pairs], DataOptions.of(Config(crop_size=32)))
    assert data.train(Shape(16)).get(0, rng())["source"].shape == (3, 16, 16)
    validation = data.validation(Shape(64))
    assert validation is not None
    assert validation.get(0, None)["source"].shape == (3, 64, 64)
    assert data.train() is data.train()


# -- preprocess ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "size", "expected"),
    [
        ("resize-and-crop", (100, 300), (64, 96)),
        ("resize", (100, 300), (64, 96)),
        ("crop", (100, 300), (64, 96)),
        ("crop", (20, 300), (64, 96)),
        ("scale-width", (100, 200), (56, 108)),
        ("scale-width-and-crop", (100, 100), (64, 96)),
        ("scale-width-and-crop", (20, 200), (64, 96)),
        ("none", (101, 302), (100, 304)),
        ("none", (1, 2), (4, 4)),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_sizes_of_the_modes(
    mode: str, size: tuple[int, int], expected: tuple[int, int], training: bool
) -> None:
    preprocess = Preprocess.of(Config.model_validate({"crop_size": "96x64", "preprocess": mode}))
    preprocess = preprocess if training else preprocess.for_validation()
    assert preprocess.example_size(size) == expected
    prepared = preprocess.prepared_size(size)
    window = preprocess.window(prepared, rng() if training else None)
    pixels = np.zeros((*prepared, 3), np.uint8)
    assert window.crop(pixels).shape[:2] == expected


def test_resize_and_crop_goes_through_the_load_size() -> None:
    preprocess = Preprocess.of(Config(crop_size=256))
    assert preprocess.prepared_size((1000, 10)) == (286, 286)
    assert preprocess.for_validation().prepared_size((1000, 10)) == (256, 256)
    corners = {preprocess.window((286, 286), rng(seed))[:2] for seed in range(300)}
    assert {0, 30} <= {top for top, _ in corners}
    assert {0, 30} <= {left for _, left in corners}
    assert all(0 <= top <= 30 and 0 <= left <= 30 for top, left in corners)


@pytest.mark.parametrize("mode", ["none", "scale-width"])
def test_sizes_that_cannot_share_a_batch_are_refused_at_once(tmp_path: Path, mode: str) -> None:
    for folder in ("A", "B"):
        fill(tmp_path / folder, "1.png", "2.png", size=(40, 40))
        fill(tmp_path / folder, "3.png", size=(80, 40))
    PairedImages([tmp_path], DataOptions.of(whole(preprocess=mode)))
    for kind in (PairedImages, UnpairedImages):
        with pytest.raises(UserError, match=r"3\.png.*cannot share a batch.*--batch-size 1"):
            kind([tmp_path], DataOptions.of(whole(preprocess=mode, batch_size=2)))


def test_a_crop_larger_than_the_load_size_is_refused() -> None:
    with pytest.raises(UserError, match="--load-size 128x128 is smaller than --crop-size 256x256"):
        Preprocess.of(Config(crop_size=256, load_size=128))


# -- collections -----------------------------------------------------------------------------


def test_the_larger_collection_is_walked_and_partners_are_drawn(tmp_path: Path) -> None:
    for number in range(6):
        put(tmp_path / "A" / f"{number}.png", value=number)
    for number in range(3):
        put(tmp_path / "B" / f"{number}.png", value=100 + number)
    train = UnpairedImages([tmp_path], DataOptions.of(whole())).train()
    assert len(train) == 6
    seen_a = [round((train.get(i, rng(i))["A"].mean().item() + 1) * 127.5) for i in range(6)]
    assert seen_a == list(range(6))
    seen_b = {round((train.get(0, rng(s))["B"].mean().item() + 1) * 127.5) for s in range(40)}
    assert seen_b == {100, 101, 102}


def test_both_sides_are_cut_independently(tmp_path: Path) -> None:
    fill(tmp_path / "A", "1.png", size=(50, 50))
    fill(tmp_path / "B", "1.png", size=(50, 50))
    train = UnpairedImages([tmp_path], DataOptions.of(Config(crop_size=32))).train()
    same = [torch.equal(*train.get(0, rng(seed)).values()) for seed in range(10)]
    assert not all(same)


def test_validation_of_the_same_scenes_holds_truth(toy_collections: Path, tmp_path: Path) -> None:
    data = UnpairedImages([toy_collections], DataOptions.of(Config(crop_size=32)))
    validation = data.validation()
    assert validation is not None
    example = validation.get(2, None)
    assert example["truth"].item() is True
    scenes = [read_image(toy_collections / side / "0002.png").pixels for side in ("testA", "testB")]
    assert torch.equal(example["A"], to_tensor(scenes[0]))
    assert torch.equal(example["B"], to_tensor(scenes[1]))
    assert "truth" not in data.train().get(0, rng())

    for folder, names in (("trainA", "ab"), ("trainB", "ab"), ("testA", "xyz"), ("testB", "xy")):
        fill(tmp_path / folder, *(f"{name}.png" for name in names))
    other = UnpairedImages([tmp_path], DataOptions.of(Config(crop_size=32)))
    validation = other.validation()
    assert validation is not None
    assert len(validation) == 3
    assert "truth" not in validation.get(0, None)
    assert any("for sample sheets only" in line for line in other.report)


# -- hold-out --------------------------------------------------------------------------------


def names(data: PairedImages) -> tuple[list[str], list[str]]:
    return [pair.a.path.name for pair in data.pairs], [pair.a.path.name for pair in data.held_out]


def test_a_part_is_held_out_by_the_seed(tmp_path: Path) -> None:
    every = [f"{n:02}.png" for n in range(40)]
    fill(tmp_path / "A", *every, size=(8, 8))
    fill(tmp_path / "B", *every, size=(8, 8))
    first = PairedImages([tmp_path], DataOptions.of(whole()))
    kept, held_out = names(first)
    assert len(held_out) == 2
    assert sorted(kept + held_out) == every
    assert names(PairedImages([tmp_path], DataOptions.of(whole()))) == (kept, held_out)
    assert names(PairedImages([tmp_path], DataOptions.of(whole(seed=1)))) != (kept, held_out)
    assert any("validation split" in line for line in first.report)
    assert PairedImages([tmp_path], DataOptions.of(whole(holdout=0))).validation() is None

    collections = UnpairedImages([tmp_path], DataOptions.of(whole()))
    validation = collections.validation()
    assert validation is not None
    assert (len(collections.train()), len(validation)) == (38, 2)
    assert validation.get(0, None)["truth"]  # the same names and sizes in both


def test_few_images_are_all_trained_on(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{n}.png" for n in range(19)), size=(8, 16))
    data = PairedImages([tmp_path], DataOptions.of(whole()))
    assert len(data.train()) == 19
    assert data.validation() is None
    assert any("no validation: " in line for line in data.report)


# -- broken files and memory -----------------------------------------------------------------


class Patient:
    """Reads examples again and again."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples

    def read(self, times: int) -> None:
        for index in range(times):
            self.examples.get(index % len(self.examples), rng(index))


def break_pixels(path: Path) -> None:
    """Leave the head of a file and cut off the rest."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("cache_bytes", [0, 10**9])
def test_a_broken_image_is_replaced_and_warned_of_once(tmp_path: Path, cache_bytes: int) -> None:
    for folder in ("A", "B"):
        for number in range(4):
            put(tmp_path / folder / f"{number}.png", value=number * 10)
    break_pixels(tmp_path / "A" / "1.png")
    break_pixels(tmp_path / "B" / "2.png")
    (tmp_path / "A" / "3.png").write_bytes(b"no image at all")
    data = PairedImages([tmp_path], DataOptions.of(whole(), cache_bytes=cache_bytes))
    assert any("1 broken image" in line and "3.png" in line for line in data.report)
    train = data.train()
    assert len(train) == 3
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            values = [round((train.get(i, rng())["target"].mean().item() + 1) * 127.5) for i in range(3)]
            assert values == [0, 0, 0]  # 1 and 2 cannot be read, after the last comes the first
    broken = [str(w.message) for w in caught if w.category is BrokenImageWarning]
    assert len(broken) == 2
    assert any(str(tmp_path / "A" / "1.png") in line for line in broken)


@pytest.mark.parametrize("cache_bytes", [0, 10**9])
def test_strict_stops_at_a_broken_image(tmp_path: Path, cache_bytes: int) -> None:
    fill(tmp_path / "A", "0.png", "1.png")
    fill(tmp_path / "B", "0.png", "1.png")
    break_pixels(tmp_path / "B" / "1.png")
    train = UnpairedImages([tmp_path], DataOptions.of(whole(), strict=True, cache_bytes=cache_bytes)).train()
    both = Patient(train)
    with pytest.raises(UserError, match=r"1\.png"):
        both.read(times=20)
    (tmp_path / "A" / "1.png").write_bytes(b"no image at all")
    with pytest.raises(UserError, match=r"1\.png: not an image"):
        UnpairedImages([tmp_path], DataOptions.of(whole(), strict=True))


def test_data_of_which_more_than_half_vanish_are_given_up(tmp_path: Path) -> None:
    for folder in ("A", "B"):
        fill(tmp_path / folder, *(f"{number}.png" for number in range(9)))
    train = UnpairedImages([tmp_path], DataOptions.of(whole(), cache_bytes=0)).train()
    for number in range(4):
        (tmp_path / "A" / f"{number}.png").unlink()
    with pytest.warns(BrokenImageWarning):
        Patient(train).read(times=20)
    (tmp_path / "A" / "4.png").unlink()
    with (
        pytest.warns(BrokenImageWarning),
        pytest.raises(UserError, match=r"5 of 9 images cannot be read, which is more than half: .*/A/"),
    ):
        Patient(train).read(times=20)


def test_nothing_but_broken_images(tmp_path: Path) -> None:
    for folder in ("A", "B"):
        break_pixels(put(tmp_path / folder / "0.png"))
    train = PairedImages([tmp_path], DataOptions.of(whole())).train()
    with pytest.warns(BrokenImageWarning), pytest.raises(UserError, match="none of the"):
        train.get(0, rng())


def test_memory_makes_no_difference_but_to_the_disk(toy_pairs: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(toy_pairs, tmp_path / "copy")
    config = Config(crop_size=24)
    cached = PairedImages([copy], DataOptions.of(config, cache_bytes=10**8))
    assert any("kept in memory" in line for line in cached.report)
    fresh = PairedImages([toy_pairs], DataOptions.of(config, cache_bytes=0))
    assert any("re-read every epoch" in line for line in fresh.report)
    cached.train().get(0, rng())
    shutil.rmtree(copy / "train")
    for index in range(8):
        ours, theirs = cached.train().get(index, rng(index)), fresh.train().get(index, rng(index))
        assert torch.equal(ours["source"], theirs["source"])
        assert torch.equal(ours["target"], theirs["target"])
