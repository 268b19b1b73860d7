"""Clips: layouts, keys and shapes of examples, flow, augmentation, cuts, validation, errors in one line."""

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.config import Config
from i2icli.data.clips import sides
from i2icli.data.clips.footage import Reading
from i2icli.data.images import BrokenImageWarning
from i2icli.data.kinds.clips import Clips
from i2icli.data.loader import batches, validation_batches
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.errors import UserError
from i2icli.flow.teachers import Dis
from i2icli.stage import Shape
from i2icli.video.decoding import Decoded, decode
from i2icli.video.info import VideoInfo
from tests.data.kinds.clip_files import label_frames, marked, pan, write_film, write_frames

CACHE = 2**26


def options(**changes: Any) -> DataOptions:
    preprocess = Preprocess("crop", (48, 64), (32, 32), flip=True)
    given: dict[str, Any] = {"preprocess": preprocess, "cache_bytes": CACHE}
    return DataOptions(**(given | changes))


def opened(paths: Path | Sequence[Path], given: DataOptions | None = None, **changes: Any) -> Clips:
    parameters: dict[str, Any] = {"teacher": Dis(), "clip_length": 5}
    folders = [paths] if isinstance(paths, Path) else list(paths)
    return Clips(folders, given or options(), **(parameters | changes))


def negative(frames: Sequence[np.ndarray]) -> tuple[dict[str, Any], Any]:
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
    return {"condition_low": float(len(frames))}, lambda frame: 255 - frame[..., :1]


@pytest.fixture(scope="module")
def two_sides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A/ and B/ with two clips of 12 and 9 frames; A is the negative of B."""
    folder = tmp_path_factory.mktemp("two-sides")
    for name, frames in (("first", pan(0, 12)), ("second", pan(1, 9))):
        write_frames(folder / "B" / name, frames)
        write_frames(folder / "A" / name, [255 - frame for frame in frames])
    return folder


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of three scenes of 10, 12 and 10 frames."""
    frames = [*pan(0, 10), *pan(1, 12), *pan(2, 10)]
    return write_film(tmp_path_factory.mktemp("film") / "talk.mp4", frames)


def test_examples_have_the_keys_and_shapes_of_the_contract(two_sides: Path):
    example = opened(two_sides, temporal_scales=3).train().get(0, np.random.default_rng(0))
    assert {name: tuple(values.shape) for name, values in example.items()} == {
        "frames": (5, 3, 32, 32),
        "source": (5, 3, 32, 32),
        **{f"flow_{n}": (5, 2, 32, 32) for n in (1, 3, 9)},
        **{f"confidence_{n}": (5, 1, 32, 32) for n in (1, 3, 9)},
    }
    assert torch.allclose(example["source"], -example["frames"], atol=1e-6)
    assert set(example["confidence_1"].unique().tolist()) == {0.0, 1.0}
    assert not example["flow_3"][:3].any()
    assert example["flow_3"][3].any()
    assert not example["flow_9"].any()


@pytest.mark.parametrize("seed", range(4))
def test_flow_is_that_of_the_augmented_frames(two_sides: Path, seed: int):
    folder = opened(two_sides, options(preprocess=Preprocess("crop", (48, 64), (48, 48), flip=True)))
    example = folder.train().get(0, np.random.default_rng(seed))
    across = example["flow_1"][1:, 0, 12:-12, 12:-12].mean()
    further = example["flow_3"][3:, 0, 12:-12, 12:-12].mean()
    assert abs(abs(across) - 2) < 0.2  # a pan of 2 pixels per frame, mirrored or not
    assert abs(further / across - 3) < 0.3
    assert example["flow_1"][1:, 1, 12:-12, 12:-12].abs().mean() < 0.2
    assert example["confidence_1"][1:, :, 8:-8, 8:-8].mean() > 0.9


def test_what_is_drawn_follows_from_the_generator_alone(two_sides: Path):
    train = opened(two_sides).train()
    first, again, other = (train.get(0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["frames"], other["frames"])
    still = train.get(0, None)
    assert torch.equal(still["frames"], train.get(0, None)["frames"])


def test_an_epoch_is_as_many_clips_as_show_every_frame_once(two_sides: Path):
    folder = opened(two_sides, clip_length=4)
    assert len(folder.train()) == 3 + 3
    assert len(folder.train(Shape(None, 6))) == 2 + 2
    assert len(folder.train(Shape(None, 10))) == 2  # the clip of 9 frames is too short
    assert folder.longest == 12
    assert folder.train(Shape(16, 6)).get(0, None)["frames"].shape == (6, 3, 16, 16)


def test_places_follow_each_other_without_a_generator(tmp_path: Path):
    write_frames(tmp_path / "B" / "x", pan(0, 12))
    write_frames(tmp_path / "A" / "x", marked(pan(0, 12)))
    train = opened(tmp_path, clip_length=5).train()
    numbers = [
        [round((value + 1) * 12.75) for value in train.get(index, None)["source"][:, 0, 0, 0].tolist()]
        for index in range(len(train))
    ]
    assert numbers == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [7, 8, 9, 10, 11]]


def test_frames_are_skipped_up_to_the_largest_stride(tmp_path: Path):
    write_frames(tmp_path / "B" / "x", pan(0, 12))
    write_frames(tmp_path / "A" / "x", marked(pan(0, 12)))
    train = opened(tmp_path, clip_length=4, max_stride=3).train()
    steps, starts = set(), set()
    for seed in range(40):
        source = train.get(seed % len(train), np.random.default_rng(seed))["source"][:, 0, 0, 0]
        numbers = [round((value + 1) * 12.75) for value in source.tolist()]
        assert numbers == list(range(numbers[0], numbers[-1] + 1, numbers[1] - numbers[0]))
        steps.add(numbers[1] - numbers[0])
        starts.add(numbers[0])
    assert steps == {1, 2, 3}
    assert len(starts) > 5


def test_a_plain_video_is_divided_at_its_cuts(talk: Path):
    folder = opened(talk, choose=negative)
    assert [len(shot) for shot in folder.shots] == [10, 12, 10]
    found = {"learned_size": (48, 64), "condition_low": 8.0, "channels": (1, 3), "types": ("uint8",)}
    assert folder.settings == found
    assert any("2 scene cuts" in line for line in folder.report)
    train = folder.train()
    assert len(train) == 2 + 3 + 2
    for index in range(len(train)):
        example = train.get(index, np.random.default_rng(index))
        assert torch.allclose(example["source"], -example["frames"][:, :1], atol=1e-6)
        assert example["confidence_1"][1:].mean() > 0.6  # never across a cut


def test_parts_of_a_long_video_are_decoded_by_several_threads(talk: Path, monkeypatch: pytest.MonkeyPatch):
    """Only where all frames are kept do threads wait for each other, as they read ahead."""
    folder = opened(talk, options(cache_bytes=100_000), choose=negative)
    both = Barrier(2, timeout=10)

    def read(reading: Reading, *given: Any) -> Any:
        both.wait()
        return frames(reading, *given)

    frames = Reading.read
    monkeypatch.setattr(Reading, "read", read)
    with ThreadPoolExecutor(2) as pool:
        examples = list(pool.map(lambda index: folder.train().get(index, None), (0, 5)))
    assert not torch.equal(*(each["frames"] for each in examples))


def test_what_later_stages_leave_out_is_reported(talk: Path):
    """Their clips are longer than some between two cuts, or than all."""
    assert not any("left out of" in line for line in opened(talk, choose=negative, longest_clip=10).report)
    fewer = "1 of 3 clips between cuts has 11 frames; shorter ones are left out of the stage of such clips"
    assert fewer in opened(talk, choose=negative, longest_clip=11).report
    longest = "training clips have at most 12 frames instead of 20: none is longer without a scene cut"
    assert longest in opened(talk, choose=negative, longest_clip=20).report
    assert "left out of" in opened(talk, choose=negative, longest_clip=20).report[-2]


@pytest.mark.parametrize("cache", [0, 200_000, CACHE])
def test_the_cache_changes_nothing_but_time(talk: Path, cache: int):
    expected = opened(talk, choose=negative).train().get(4, np.random.default_rng(3))
    folder = opened(talk, options(cache_bytes=cache), choose=negative)
    train = folder.train()
    for index in (0, 4, 2, 4):
        found = train.get(index, np.random.default_rng(3))
    assert torch.equal(train.get(4, np.random.default_rng(3))["frames"], expected["frames"])
    assert found.keys() == expected.keys()
    assert folder.cache._bytes <= cache


@pytest.mark.parametrize("kind", ["grey", "16 bit"])
def test_conditions_are_computed_from_colours_of_8_bit(tmp_path: Path, kind: str):
    """As when translating, whatever the frames are."""
    for index, frame in enumerate(pan(0, 8)):
        pixels = frame[..., 0] if kind == "grey" else frame[..., 0].astype(np.uint16) * 257
        (tmp_path / "x").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "x" / f"{index:04}.png")
    shapes = set()

    def choose(frames: Sequence[np.ndarray]) -> tuple[dict[str, Any], Any]:
        def extract(frame: np.ndarray) -> np.ndarray:
            shapes.add((frame.shape[2], frame.dtype.name))
            return 255 - frame[..., :1]

        extract(frames[0])
        return {}, extract

    example = opened(tmp_path, choose=choose).train().get(0, None)
    assert shapes == {(3, "uint8")}
    assert torch.allclose(example["source"], -example["frames"], atol=0.01)


def test_videos_of_one_name_are_clips(tmp_path: Path):
    frames = pan(3, 10)
    write_film(tmp_path / "B" / "x.mp4", frames)
    write_film(tmp_path / "A" / "x.mkv", marked(frames))
    write_film(tmp_path / "A" / "alone.mp4", frames)
    folder = opened(tmp_path)
    source = folder.train().get(1, None)["source"]
    assert [round((float(value) + 1) * 12.75) for value in source.mean((1, 2, 3))] == [5, 6, 7, 8, 9]
    assert any("alone.mp4" in line for line in folder.report)
    pair = [tmp_path / "A" / "x.mkv", tmp_path / "B" / "x.mp4"]
    assert torch.equal(opened(pair).train().get(1, None)["source"], source)


def test_repeated_frames_are_left_out(tmp_path: Path):
    frames = pan(0, 12, speed=4)
    twice = [frame for index, frame in enumerate(frames) for _ in range(1 + (index % 4 == 2))]
    folder = opened(write_film(tmp_path / "telecine.mp4", twice), choose=negative)
    assert [len(shot) for shot in folder.shots] == [12]
    assert any("left out 3 frames repeating" in line for line in folder.report)


def test_the_last_part_of_each_clip_is_held_out(tmp_path: Path):
    for name in ("x", "y"):
        write_frames(tmp_path / "B" / name, pan(0, 24))
        write_frames(tmp_path / "A" / name, marked(pan(0, 24)))
    folder = opened(tmp_path, options(validation_fraction=0.25))
    assert [shot.frames for shot in folder.shots] == [tuple(range(18))] * 2
    assert [shot.frames for shot in folder.held_out] == [tuple(range(18, 24))] * 2
    assert "validation split: 12 frames (no val or test folder; --holdout 0 trains on all)" in folder.report
    validation = folder.validation()
    assert validation is not None
    assert [batch["frames"].shape[1] for batch in validation_batches(validation, 1, workers=0)] == [6, 6]


def test_validation_clips_are_the_same_however_long_those_of_training_are(tmp_path: Path):
    """So scores of all stages compare; and no part held out is left out for being shorter than others."""
    for split, lengths in (("train", (12,)), ("test", (50, 7, 26))):
        for number, length in enumerate(lengths):
            for side in "AB":
                write_frames(tmp_path / split / side / f"{number}", pan(number, length))
    folder = opened(tmp_path)
    for length in (1, 5, 12):
        validation = folder.validation(Shape(None, length))
        assert validation is not None
        clips = [validation.get(index, None) for index in range(len(validation))]
        assert [len(clip["frames"]) for clip in clips] == [24, 24, 7, 24]  # what is left over is too short
        assert {name for name in clips[0] if "flow" in name} == {"flow_1"}  # no discriminator to show it to
    assert not torch.equal(clips[0]["frames"][0], clips[1]["frames"][0])


def test_whole_clips_are_held_out_where_their_ends_are_too_short(tmp_path: Path):
    for name in "abcdef":
        write_frames(tmp_path / "B" / name, pan(ord(name), 6))
        write_frames(tmp_path / "A" / name, pan(ord(name), 6))
    folder = opened(tmp_path, options(validation_fraction=0.2))
    assert len(folder.held_out) == 1
    assert {shot.footage.name for shot in folder.shots}.isdisjoint({folder.held_out[0].footage.name})
    assert len(folder.shots) == 5


def test_a_folder_for_validation_is_used(tmp_path: Path):
    for split in ("train", "val"):
        for side in "AB":
            write_frames(tmp_path / split / side / "x", pan(0, 8))
    folder = opened(tmp_path, options(validation_fraction=0.5))
    assert [len(shot) for shot in folder.shots + folder.held_out] == [8, 8]
    for split in ("train", "test"):
        for side in "AB":
            write_frames(tmp_path / "other" / f"{split}_{side}" / "x", pan(0, 8))
    assert len(opened(tmp_path / "other").held_out) == 1


def labelled(folder: Path, instances: bool = True) -> Path:
    for name in ("x", "y"):
        frames = pan(0, 8)
        write_frames(folder / "images" / name, frames)
        write_frames(folder / "labels" / name, label_frames(frames))
        if instances:
            write_frames(folder / "instances" / name, [3 * each for each in label_frames(frames)])
    return folder


def test_label_maps_come_with_classes_and_instances(tmp_path: Path):
    folder = opened(labelled(tmp_path))
    example = folder.train().get(0, np.random.default_rng(0))
    assert set(example) == {"frames", "labels", "instances"} | {
        f"{name}_{n}" for name in ("flow", "confidence") for n in (1, 3)
    }
    assert example["labels"].dtype == torch.int64
    assert example["labels"].shape == (5, 1, 32, 32)
    assert torch.equal(example["instances"], 3 * example["labels"])
    assert folder.settings["instances"] is True
    assert [each.id for each in folder.settings["classes"]] == [0, 1]
    assert "instances" not in opened(tmp_path, instances=False).train().get(0, None)


def test_missing_instance_maps(tmp_path: Path):
    folder = labelled(tmp_path, instances=False)
    assert opened(folder).settings["instances"] is False
    with pytest.raises(UserError, match="--instances: clip x has no instance maps"):
        opened(folder, instances=True)
    write_frames(folder / "instances" / "x", label_frames(pan(0, 8)))
    assert any("clip y has none" in line for line in opened(folder).report)


def test_clips_of_one_folder_are_told_apart_by_their_names(tmp_path: Path):
    for side in ("A", "B"):
        for number, name in enumerate(("street_1_", "street_2_")):
            for index, frame in enumerate(pan(number, 6)):
                write_frames(tmp_path / side / "town", [frame], first=index)
                (tmp_path / side / "town" / f"{index:04}.png").rename(
                    tmp_path / side / "town" / f"{name}{index:06}.png"
                )
    folder = opened(tmp_path)
    assert [shot.footage.name for shot in folder.shots] == ["town/street_1", "town/street_2"]


def test_batches_by_threads_equal_those_without(talk: Path):
    folder = opened(talk, choose=negative)
    alone = [batch["frames"] for batch in batches(folder.train(), batch_size=2, seed=1, count=4, workers=0)]
    folder = opened(talk, choose=negative)
    threads = [batch["frames"] for batch in batches(folder.train(), batch_size=2, seed=1, count=4, workers=3)]
    assert alone[0].shape == (2, 5, 3, 32, 32)
    assert all(torch.equal(*each) for each in zip(alone, threads, strict=True))


def test_broken_frames_are_left_out_or_refused(tmp_path: Path):
    for side in ("A", "B"):
        write_frames(tmp_path / side / "x", pan(0, 10))
    (tmp_path / "B" / "x" / "0003.png").write_bytes(b"no image")
    whole = (tmp_path / "B" / "x" / "0006.png").read_bytes()
    (tmp_path / "B" / "x" / "0006.png").write_bytes(whole[: len(whole) // 2])  # its header is good
    folder = opened(tmp_path)
    assert [len(shot) for shot in folder.shots] == [8]
    assert sum("broken frame" in line for line in folder.report) == 2
    with pytest.raises(UserError, match=r"0003\.png"):
        opened(tmp_path, options(strict=True))


def test_a_frame_that_a_damaged_video_lacks_is_left_out_and_the_others_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for side, frames in (("A", marked(pan(0, 12))), ("B", pan(0, 12))):
        write_film(tmp_path / side / "x.mkv", frames)

    def damaged(info: VideoInfo, *given: Any, **options: Any) -> Iterator[Decoded]:
        lost = 3 if info.path.parent.name == "B" else -1
        return (frame for frame in decode(info, *given, **options) if frame.index != lost)

    monkeypatch.setattr(sides, "decode", damaged)
    folder = opened(tmp_path, clip_length=4)
    assert [shot.frames for shot in folder.shots] == [(0, 1, 2, *range(4, 12))]
    assert any("skipped 1 broken frame: " in line and "frame 3" in line for line in folder.report)
    with pytest.raises(UserError, match=r"x\.mkv: frame 3"):
        opened(tmp_path, options(strict=True))


def test_a_condition_that_cannot_be_read_is_replaced_by_that_beside_it(tmp_path: Path):
    write_frames(tmp_path / "B" / "x", pan(0, 10))
    write_frames(tmp_path / "A" / "x", marked(pan(0, 10)))
    whole = (tmp_path / "A" / "x" / "0003.png").read_bytes()
    (tmp_path / "A" / "x" / "0003.png").write_bytes(whole[:-30])
    folder = opened(tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        source = folder.train().get(0, None)["source"]
    numbers = [round((value + 1) * 12.75) for value in source[:, 0, 0, 0].tolist()]
    assert numbers == [0, 1, 1, 3, 4]
    assert [each.category for each in caught] == [BrokenImageWarning]


def refused(paths: Path | Sequence[Path], *words: str, **changes: Any) -> None:
    with pytest.raises(UserError) as caught:
        opened(paths, **changes)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_errors_name_what_was_found_and_what_works(talk: Path, tmp_path: Path):
    refused(talk, "talk.mp4", "--condition edges")
    refused(tmp_path / "nothing", "there is no such folder")
    write_frames(tmp_path / "single" / "x", pan(0, 6))
    refused(tmp_path / "single", "x/", "A/clip/0001.png", "plain video")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "found nothing", "A/ and B/")
    refused(tmp_path / "empty", "no clips", choose=negative)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    refused(tmp_path / "broken.mp4", "broken.mp4", "not a video", choose=negative)


def test_condition_and_frames_of_other_numbers_are_refused(tmp_path: Path):
    write_frames(tmp_path / "A" / "x", pan(0, 8))
    write_frames(tmp_path / "B" / "x", pan(0, 10))
    refused(tmp_path, "clip x", "8 frames in", "10 frames in", "0009.png")
    write_frames(tmp_path / "one" / "A" / "x", pan(0, 8))
    write_frames(tmp_path / "one" / "B" / "y", pan(0, 8))
    refused(tmp_path / "one", "no clip is in every folder", "x in", "y in")
    for side, number in (("A", 8), ("B", 10)):
        write_film(tmp_path / "films" / side / "x.mp4", pan(0, number))
    refused(tmp_path / "films", "A/x.mp4 has 8 frames", "B/x.mp4 10")
    write_film(tmp_path / "names" / "A" / "x.mp4", pan(0, 8))
    write_film(tmp_path / "names" / "B" / "y.mp4", pan(0, 8))
    refused(tmp_path / "names", "no videos of one name", "x.mp4", "y.mp4")


def test_sizes_lengths_and_layouts_that_do_not_suit(two_sides: Path, talk: Path, tmp_path: Path):
    refused(two_sides, "longest clip has 12 frames", "clips of 30", clip_length=30)
    refused(talk, "talk", "12 frames without a scene cut", clip_length=13, choose=negative)
    refused(two_sides, "A/, B/", "--condition", choose=negative)
    refused([talk, talk], "given twice", choose=negative)
    frames = pan(0, 6)
    write_frames(tmp_path / "A" / "x", frames)
    write_frames(tmp_path / "B" / "x", [*frames[:3], frames[3][:40], *frames[4:]])
    refused(tmp_path, "0001.png has 64x48", "0004.png 64x40")


def test_configured_defaults_reach_the_data(two_sides: Path):
    config = Config(crop_size=(32, 32), load_size=(48, 64), holdout=0.0)
    folder = Clips([two_sides], DataOptions.of(config, cache_bytes=CACHE), teacher=Dis(), clip_length=3)
    assert folder.train().get(0, np.random.default_rng(0))["frames"].shape == (3, 3, 32, 32)
    assert folder.validation() is None
