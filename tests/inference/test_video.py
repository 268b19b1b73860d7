"""Videos in, videos out: every frame translated, in order, with its time; memory, batches, styles."""

from fractions import Fraction

import numpy as np
import pytest
import tifffile
from PIL import Image

from i2icli.errors import UserError
from i2icli.image import read_image
from i2icli.inference.translator import Translator
from i2icli.inference.video_options import VideoRequest
from i2icli.inference.video_plan import expected_frames
from i2icli.video import open_source
from tests.inference.videos import greying, remembering, write_tiny
from tests.video import films


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small CycleGAN."""
    return write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Ten frames with sound."""
    return films.film(tmp_path_factory.mktemp("clip") / "clip.mp4", 10, sound=("-c:a", "aac"))


@pytest.fixture(scope="module")
def translator(model):
    return Translator.load(model)


def frames_of(path):
    """The frames of a video (N, H, W, 3), and their times."""
    with open_source(str(path)).frames() as frames:
        read = [(frame.item.read().pixels, frame.time) for frame in frames]
    return np.stack([pixels for pixels, _ in read]), [time for _, time in read]


def images_of(folder):
    """The frames of a folder (N, H, W, C), in the order of their names."""
    return np.stack([read_image(path).pixels for path in sorted(folder.glob("*.png"))])


def one(results):
    """The only result."""
    (result,) = results
    return result


def test_every_frame_is_translated_in_order(translator, clip, tmp_path):
    result = one(translator.video(clip, tmp_path, format="png"))
    assert (result.status, result.target, result.frames) == ("done", tmp_path / "clip", 10)
    made = images_of(tmp_path / "clip")
    before, _ = frames_of(clip)
    expected = np.stack([translator.translate(frame) for frame in before])
    assert np.array_equal(made, expected)


def test_times_and_sound_are_kept(translator, tmp_path):
    clip = films.film(tmp_path / "a.mp4", 10, times=films.VARIABLE, sound=("-c:a", "aac"))
    assert one(translator.video(clip, tmp_path / "b.mp4")).status == "done"
    (_, before), (pixels, after) = frames_of(clip), frames_of(tmp_path / "b.mp4")
    assert after == before
    assert pixels.shape == (10, *films.SIZE, 3)
    assert films.packets(tmp_path / "b.mp4", "a:0") == films.packets(clip, "a:0")


@pytest.mark.parametrize("name", ["b.gif", "b.apng", "b.mp4", "b.mkv"])
def test_the_last_frame_lasts_as_long_as_it_did(translator, tmp_path, name):
    images = [Image.fromarray(films.frame(index)) for index in range(3)]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:], duration=[100, 100, 2000])
    for start in (None, 0.2) if name != "b.apng" else (None,):  # of one frame, too
        result = one(translator.video(tmp_path / "a.gif", tmp_path / name, start=start, overwrite=True))
        assert result.status == "done"
        if name != "b.mkv" and (name, start) != ("b.gif", 0.2):  # it does not tell; that is an image
            lasts = open_source(str(tmp_path / name)).info.duration
            assert lasts == Fraction(22 if start is None else 20, 10)


def test_a_part_and_every_second_frame(translator, clip, tmp_path):
    result = one(translator.video(clip, tmp_path, format="png", start=0.2, end="0:00.7", every=2))
    assert result.frames == 3  # frames 2, 4, 6
    whole = one(translator.video(clip, tmp_path / "whole", format="png"))
    assert np.array_equal(images_of(result.target), images_of(whole.target)[2:7:2])


def test_times_of_a_broadcast_stream_are_counted_from_its_beginning(tmp_path):
    info = open_source(str(films.film(tmp_path / "a.ts", 20))).info
    assert info.zero
    assert expected_frames(info, VideoRequest.of({"start": 0.5, "end": 1})) == 5


def test_batches_give_the_same(translator, clip, tmp_path):
    results = [
        images_of(one(translator.video(clip, tmp_path / str(size), format="png", batch_size=size)).target)
        for size in (1, 4)
    ]
    assert np.abs(results[0].astype(int) - results[1]).max() <= 1


def test_the_size_asked_for_is_that_of_the_result(translator, clip, tmp_path):
    one(translator.video(clip, tmp_path / "small.mp4", size="32x32"))
    assert open_source(str(tmp_path / "small.mp4")).info.size == (32, 32)


def test_several_targets_have_folders(translator, clip, tmp_path):
    results = list(translator.video(clip, tmp_path, to="all"))
    assert [result.target for result in results] == [tmp_path / "B/clip.mp4", tmp_path / "A/clip.mp4"]
    assert not np.array_equal(frames_of(results[0].target)[0], frames_of(results[1].target)[0])


def test_one_style_for_the_whole_video(tmp_path):
    write_tiny(tmp_path / "model.safetensors", "augmented_cyclegan")
    translator = Translator.load(tmp_path / "model.safetensors")
    still = tmp_path / "still"
    still.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    for number in range(3):
        np.save(still / f"{number}.npy", pixels)
    first, second = translator.video(still, tmp_path / "out", samples=2, format="png")
    for result in (first, second):
        made = images_of(result.target)
        assert (made == made[0]).all()
    assert not np.array_equal(images_of(first.target), images_of(second.target))


def test_memory_goes_from_frame_to_frame(model, clip, tmp_path):
    result = one(remembering(model).video(clip, tmp_path, format="png"))
    made, (before, _) = images_of(result.target), frames_of(clip)
    expected = before[0] / 127.5 - 1
    for number, frame in enumerate(before):
        if number:
            expected = 0.5 * (frame / 127.5 - 1) + 0.5 * expected + 0.01
        assert np.abs(made[number] - (expected.clip(-1, 1) + 1) * 127.5).max() <= 0.51


def test_a_given_first_frame_begins_the_memory(model, clip, tmp_path):
    image = np.full((24, 32, 3), 200, np.uint8)  # of another size
    np.save(tmp_path / "first.npy", image)
    translator = remembering(model)
    made = images_of(
        one(translator.video(clip, tmp_path / "a", format="png", first_frame=tmp_path / "first.npy")).target
    )
    assert (made[0] == 200).all()
    before, _ = frames_of(clip)
    expected = 0.5 * before[1] + 0.5 * 200 + 0.01 * 127.5
    assert np.abs(made[1] - expected.clip(0, 255)).max() <= 1


def test_another_model_makes_the_first_frame(model, translator, clip, tmp_path):
    made = images_of(
        one(remembering(model).video(clip, tmp_path, format="png", first_model=str(model))).target
    )
    before, _ = frames_of(clip)
    assert np.array_equal(made[0], translator.translate(before[0]))
    assert not np.array_equal(made[1], translator.translate(before[1]))


def two_scenes(folder):
    """Four frames of noise, four of stripes, as images."""
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 90, (64, 64, 3), np.uint8)
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::8], stripes[::16] = (255, 60, 0), (20, 200, 255)
    for number in range(8):
        np.save(folder / f"{number}.npy", noise if number < 4 else stripes)
    return folder


def test_memory_starts_anew_at_scene_cuts(model, tmp_path):
    scenes = two_scenes(tmp_path / "scenes")
    kept, anew = (
        images_of(one(remembering(model).video(scenes, tmp_path / str(cuts), format="png", cuts=cuts)).target)
        for cuts in (False, True)
    )
    stripes = np.load(scenes / "4.npy")
    assert np.array_equal(anew[4], stripes)
    assert not np.array_equal(kept[4], stripes)
    assert np.array_equal(anew[:4], kept[:4])


def test_smoothing_changes_frames_after_the_first_and_none_at_a_cut(translator, tmp_path):
    scenes = two_scenes(tmp_path / "scenes")
    plain, smooth = (
        images_of(one(translator.video(scenes, tmp_path / str(smooth), format="png", smooth=smooth)).target)
        for smooth in (False, True)
    )
    assert np.array_equal(smooth[[0, 4]], plain[[0, 4]])
    clip = films.film(tmp_path / "a.mkv", 4)
    plain, smooth = (
        images_of(one(translator.video(clip, tmp_path / f"a{smooth}", format="png", smooth=smooth)).target)
        for smooth in (False, True)
    )
    assert np.array_equal(smooth[0], plain[0])
    assert not np.array_equal(smooth[1], plain[1])


def test_input_and_result_in_one_frame(translator, clip, tmp_path):
    plain = images_of(one(translator.video(clip, tmp_path / "a", format="png")).target)
    side = images_of(one(translator.video(clip, tmp_path / "b", format="png", compare="side")).target)
    before, _ = frames_of(clip)
    assert np.array_equal(side, np.concatenate([before, plain], axis=2))
    wipe = images_of(one(translator.video(clip, tmp_path / "c", format="png", compare="wipe")).target)
    assert np.array_equal(wipe[0], before[0])
    assert np.array_equal(wipe[9][:, :10], plain[9][:, :10])
    assert np.array_equal(wipe[9][:, -10:], before[9][:, -10:])


def test_an_image_sequence_has_the_rate_given(translator, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(3):
        np.save(folder / f"{number}.npy", films.frame(number))
    result = one(translator.video(folder, tmp_path / "out", rate="30000/1001"))
    assert result.target == tmp_path / "out/frames.mp4"
    assert frames_of(result.target)[1] == [number * Fraction(1001, 30000) for number in range(3)]


def test_frames_of_a_sequence_keep_their_names(translator, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for name in ("07", "09", "12"):
        np.save(folder / f"x{name}.npy", films.frame(1))
    result = one(translator.video(str(folder / "x%02d.npy"), tmp_path / "out", format="png"))
    assert sorted(path.name for path in result.target.iterdir()) == ["x07.png", "x09.png", "x12.png"]


def test_frames_of_other_sizes_are_refused(translator, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    np.save(folder / "0.npy", films.frame(0))
    np.save(folder / "1.npy", films.frame(0, (48, 80)))
    result = one(translator.video(folder, tmp_path / "out"))
    assert result.status == "failed"
    assert "80x48 px, the first frame 64x48 px" in result.error


def test_frames_of_equal_names_are_numbered(translator, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        np.save(tmp_path / "in" / folder / "000.npy", films.frame(1))
    result = one(translator.video(tmp_path / "in", tmp_path / "out", format="png"))
    assert sorted(path.name for path in result.target.glob("*.png")) == ["000000.png", "000001.png"]


def test_label_maps_need_a_sequence(tmp_path, clip):
    write_tiny(tmp_path / "model.safetensors", "spade", instances=False)
    translator = Translator.load(tmp_path / "model.safetensors")
    result = one(translator.video(clip, tmp_path / "out"))
    assert result.status == "failed"
    assert "reads labels, which a video cannot hold exactly; give a folder of PNG maps" in result.error
    folder = tmp_path / "labels"
    folder.mkdir()
    for number in range(2):
        np.save(folder / f"{number}.npy", np.full((32, 32), number, np.uint8))
    result = one(translator.video(folder, tmp_path / "street.mp4"))
    assert (result.status, result.frames) == ("done", 2)


@pytest.mark.parametrize("page", [1, 2])
def test_of_images_with_pages_one_is_a_frame(translator, page, tmp_path):
    for number in range(2):
        pages = np.random.default_rng(number).integers(0, 255, (2, 32, 32, 3), np.uint8)
        (tmp_path / "both").mkdir(exist_ok=True)
        (tmp_path / "one").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / f"both/{number}.tif", pages, photometric="rgb")
        tifffile.imwrite(tmp_path / f"one/{number}.tif", pages[page - 1], photometric="rgb")
    for name, options in (("both", {"pages": page}), ("one", {})):
        result = one(translator.video(tmp_path / name, tmp_path / f"{name}-made", format="png", **options))
        assert (result.status, result.frames) == ("done", 2)
    made = [images_of(tmp_path / f"{name}-made" / name) for name in ("both", "one")]
    np.testing.assert_array_equal(*made)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"first_frame": "a.png"}, "`first_frame`: this model translates every frame by itself"),
        ({"cuts": True}, "`cuts`: this model translates every frame by itself"),
        ({"start": 2, "end": 1}, "`start` 2 is not before `end` 1"),
        ({"start": "soon"}, "expected seconds like 12.5, or a time like 1:02"),
        ({"rate": "fast"}, "expected frames per second like 25"),
        ({"format": "exe"}, "`format` exe: unknown; expected mp4"),
        ({"interpolate": 3}, "there is no setting interpolate"),
        ({"compare": True}, "expected one of side, wipe"),
        ({"to": "zebra"}, "zebra"),
    ],
)
def test_what_makes_no_sense_is_refused(translator, clip, tmp_path, options, said):
    folder = tmp_path if "first_frame" in options else None
    if folder:
        np.save(folder / "a.npy", films.frame(0))
        options = {"first_frame": folder / "a.npy"}
    with pytest.raises(UserError, match=said):
        list(translator.video(clip, tmp_path / "out", **options))


def test_smoothing_is_for_models_without_memory(model, clip, tmp_path):
    with pytest.raises(UserError, match="`smooth`: this model has a memory of its own"):
        remembering(model).video(clip, tmp_path, smooth=True)


def test_a_model_that_generates_translates_no_video(clip, tmp_path):
    write_tiny(tmp_path / "model.safetensors", "progan")
    with pytest.raises(UserError, match="generates images from noise"):
        Translator.load(tmp_path / "model.safetensors").video(clip, tmp_path)


def test_damage_is_reported_and_the_rest_translated(translator, tmp_path):
    clip = films.damaged(tmp_path / "a.mp4")
    result = one(translator.video(clip, tmp_path / "out"))
    assert result.status == "damaged"
    assert "frame" in result.error
    assert result.frames > 30


def test_what_is_no_video_fails_alone(translator, clip, tmp_path):
    (tmp_path / "b.mp4").write_text("no video")
    results = list(translator.video([tmp_path / "b.mp4", clip, tmp_path / "c.mp4"], tmp_path / "out"))
    assert sorted(result.status for result in results) == ["done", "failed", "failed"]
    assert any("no such file" in (result.error or "") for result in results)


def test_no_frames_in_the_part_asked_for(translator, clip, tmp_path):
    result = one(translator.video(clip, tmp_path / "out", start=60))
    assert result.status == "failed"
    assert "no frames from 60 s" in result.error
    assert one(translator.video(clip, tmp_path / "out", start=0.5)).status == "done"  # nothing was begun


def test_a_small_video_is_padded_for_the_network(translator, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    np.save(folder / "0.npy", np.zeros((6, 10, 3), np.uint8))
    result = one(translator.video(folder, tmp_path / "out", format="png"))
    assert images_of(result.target).shape == (1, 6, 10, 3)


def test_the_network_may_change_the_channels(model, tmp_path, clip):
    result = one(greying(model).video(clip, tmp_path / "grey.mp4"))
    pixels, _ = frames_of(result.target)
    assert np.abs(pixels[..., 0].astype(int) - pixels[..., 1]).max() <= 3


def test_results_do_not_become_frames_of_their_input(translator, tmp_path):
    np.save(tmp_path / "0.npy", films.frame(0))
    with pytest.raises(UserError, match=r"lies in .*, whose images are frames"):
        translator.video(tmp_path, tmp_path / "out", format="png")


@pytest.mark.parametrize("name", ["*.png", "%06d.png", "."])
def test_results_replace_no_frames_of_their_input(translator, clip, tmp_path, name):
    frames = one(translator.video(clip, tmp_path, format="png")).target
    before = images_of(frames)
    with pytest.raises(UserError, match="the result would replace the input"):
        translator.video(str(frames / name), tmp_path, format="png", overwrite=True)
    assert np.array_equal(images_of(frames), before)


def test_what_is_missing_beside_label_maps_is_noted(tmp_path):
    write_tiny(tmp_path / "model.safetensors", "spade")
    folder = tmp_path / "labels"
    folder.mkdir()
    np.save(folder / "0.npy", np.zeros((32, 32), np.uint8))
    result = one(Translator.load(tmp_path / "model.safetensors").video(folder, tmp_path / "out"))
    assert result.status == "done"
    assert "no instances found: boundaries come from the labels" in result.notes


def test_frames_much_larger_than_those_whose_edges_were_learned_are_noted(tmp_path):
    edges = {"condition": "edges", "condition_blur": 0.8, "condition_low": 20, "condition_high": 60}
    trained = {"preprocess": "scale-width", "load_size": (32, 32), "crop_size": (32, 32)}
    write_tiny(tmp_path / "model.safetensors", "vid2vid", grown=0, **edges, **trained)
    model = Translator.load(tmp_path / "model.safetensors")
    clip = films.film(tmp_path / "clip.mp4", 3)
    height, width = open_source(str(clip)).info.size
    note = (
        f"is translated at {width}x{height} px, {width / 32:.2g} times the scale that this model learned at"
    )
    assert any(note in each for each in one(model.video(clip, tmp_path / "a.mp4")).notes)
    fitting = one(model.video(clip, tmp_path / "b.mp4", size="trained"))
    assert not any("scale" in each for each in fitting.notes)
    assert open_source(str(tmp_path / "b.mp4")).info.size == (height, width)


def test_a_damaged_image_of_a_sequence_is_lost_and_named(translator, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in (0, 2):
        np.save(folder / f"{number}.npy", films.frame(number))
    (folder / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    result = one(translator.video(folder, tmp_path / "out"))
    assert (result.status, result.frames) == ("damaged", 2)
    assert result.error.startswith("frame 1 is lost (cannot read")
    assert "1.png" in result.error
    assert frames_of(result.target)[1] == [0, Fraction(2, 25)]
    (folder / "0.npy").write_bytes(b"broken")
    assert "0.npy" in one(translator.video(folder, tmp_path / "other")).error  # from the first on: nothing
