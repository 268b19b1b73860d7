"""Every frame comes once, with its own time, depth and alpha; memory is bounded."""

import threading
from fractions import Fraction

import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.image import FileItem
from i2icli.video import FrameItem, open_source, probe, write_video
from tests.video import films
from tests.video.copying import read


def seconds(shots):
    return [float(shot.time) for shot in shots]


def test_frames_and_times_of_a_constant_rate(tmp_path):
    shots = read(films.film(tmp_path / "a.mp4", 12, rate="30000/1001", words=films.B_FRAMES))
    assert [films.number(shot.pixels) for shot in shots] == list(range(12))
    assert [shot.index for shot in shots] == list(range(12))
    assert [shot.time for shot in shots] == [Fraction(index * 1001, 30000) for index in range(12)]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_rates_are_not_filled_up(tmp_path, suffix):
    shots = read(films.film(tmp_path / f"a.{suffix}", 10, times=films.VARIABLE, words=films.B_FRAMES))
    assert [films.number(shot.pixels) for shot in shots] == list(range(10))
    assert seconds(shots) == pytest.approx(films.VARIABLE)


def test_dropped_frames_of_an_avi_are_not_repeated(tmp_path):
    """An AVI counts time in frames: where one is longer, empty packets follow."""
    films.film(tmp_path / "a.mkv", 10, times=films.VARIABLE)
    films.ffmpeg(
        "-i",
        tmp_path / "a.mkv",
        "-c:v",
        "mjpeg",
        "-q:v",
        1,
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1:20",
        tmp_path / "a.avi",
    )
    shots = read(tmp_path / "a.avi")
    assert [films.number(shot.pixels) for shot in shots] == list(range(10))
    assert np.diff(seconds(shots)) == pytest.approx(np.diff(films.VARIABLE))


def test_a_video_that_starts_after_its_sound(tmp_path):
    shots = read(films.film(tmp_path / "a.mkv", 5, sound=("-c:a", "aac"), late=0.6))
    assert seconds(shots) == pytest.approx([0.6, 0.7, 0.8, 0.9, 1.0])


def test_a_broadcast_stream_begins_at_zero(tmp_path):
    shots = read(films.film(tmp_path / "a.ts", 5))
    assert [shot.index for shot in shots] == list(range(5))
    assert seconds(shots) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-4)


def test_rotation_is_applied(tmp_path):
    shots = read(films.rotated(tmp_path / "a.mp4", 3, 90))
    assert shots[2].pixels.shape == (64, 48, 3)
    assert films.number(np.rot90(shots[2].pixels, -1)) == 2


def test_depth_is_kept(tmp_path):
    path = films.film(tmp_path / "a.mp4", 2, words=films.X264_10, pixel_format="yuv420p10le", deep=True)
    shot = read(path)[1]
    assert shot.pixels.dtype == np.uint16
    wanted = films.frame(1, deep=True)[16:].astype(int)
    assert np.abs(shot.pixels[16:].astype(int) - wanted).mean() < 257
    assert (
        len(np.unique(shot.pixels[16:, :, 0] >> 6)) > 160
    )  # more than 8 bits would give from red's 160 values


@pytest.mark.parametrize(
    ("name", "words", "pixel_format"),
    [
        ("a.webm", films.VP9, "yuva420p"),
        ("b.webm", ("-c:v", "libvpx", "-b:v", "2M", "-auto-alt-ref", "0"), "yuva420p"),
        ("a.mkv", ("-c:v", "ffv1"), "bgra"),
        ("a.png", ("-f", "apng"), "rgba"),
        ("a.webp", ("-c:v", "libwebp_anim"), "bgra"),
    ],
)
def test_alpha_is_kept(tmp_path, name, words, pixel_format):
    shots = read(films.film(tmp_path / name, 3, words=words, pixel_format=pixel_format, alpha=True))
    assert [films.number(shot.pixels) for shot in shots] == [0, 1, 2]
    alpha = shots[2].pixels[..., 3].astype(int)
    assert np.abs(alpha - films.frame(2, alpha=True)[..., 3]).max() <= 8


def test_untagged_colours_are_those_that_players_assume(tmp_path):
    """A green square: BT.601 in a small video, BT.709 in a large one."""
    for name, size, matrix in (("a", "64x48", "smpte170m"), ("b", "1280x720", "bt709")):
        convert = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p,setparams=colorspace=unknown"
        path = tmp_path / f"{name}.mkv"
        source = [
            "-f",
            "lavfi",
            "-i",
            f"color=0x20C040:s={size}",
            "-frames:v",
            1,
            "-vf",
            f"format=rgb24,{convert}",
        ]
        films.ffmpeg(*source, "-c:v", "ffv1", path)
        assert probe(path).colour.matrix is None
        assert np.abs(read(path)[0].pixels[0, 0].astype(int) - (0x20, 0xC0, 0x40)).max() <= 2


def test_frames_whose_size_changes_are_scaled_to_the_first(tmp_path):
    films.film(tmp_path / "a.mkv", 3, words=("-c:v", "mjpeg", "-q:v", "2", "-f", "mjpeg"))
    films.film(tmp_path / "b.mkv", 3, size=(96, 128), words=("-c:v", "mjpeg", "-q:v", "2", "-f", "mjpeg"))
    joined = tmp_path / "c.mjpeg"
    joined.write_bytes((tmp_path / "a.mkv").read_bytes() + (tmp_path / "b.mkv").read_bytes())
    assert [shot.pixels.shape for shot in read(joined)] == [(48, 64, 3)] * 6


def test_starts_ends_and_steps(tmp_path):
    path = films.film(tmp_path / "a.mp4", 20, words=films.B_FRAMES)

    def numbers(**words):
        return [shot.index for shot in read(path, **words)]

    assert numbers(start=Fraction(1, 2), end=Fraction(1)) == [5, 6, 7, 8, 9]
    assert numbers(start=Fraction(51, 100), end=Fraction(9, 10)) == [6, 7, 8]
    assert numbers(every=6) == [0, 6, 12, 18]
    assert numbers(start=Fraction(1, 2), every=4, after=8) == [12, 16]
    assert numbers(after=19) == []
    assert numbers(start=Fraction(99)) == []


def test_stopping_early_leaves_neither_process_nor_thread(tmp_path):
    before = threading.active_count()
    with open_source(str(films.film(tmp_path / "a.mp4", 20))).frames() as frames:
        assert next(frames).index == 0
    assert threading.active_count() == before


def test_items_name_their_frame(tmp_path):
    with open_source(str(films.film(tmp_path / "a.mp4", 2))).frames() as frames:
        item = list(frames)[1].item
    assert item.name.endswith("a.mp4, frame 1")
    assert (item.header().size, item.header().alpha) == ((48, 64), False)
    with pytest.raises(UserError, match="no exact ids"):
        item.read_map()


def test_a_frame_is_an_item(tmp_path):
    path = tmp_path / "video.mp4"
    write_video(path, [films.frame(index) for index in range(30)], 10)
    item = FrameItem(path, 12)
    assert item.header().size == (48, 64)
    pixels = item.read().pixels
    assert (pixels.shape, pixels.dtype, films.number(pixels)) == ((48, 64, 3), np.uint8, 12)
    with pytest.raises(UserError, match=r"video\.mp4, frame 30: the video ends before it"):
        FrameItem(path, 30).read()
    with pytest.raises(UserError, match="no exact ids"):
        item.read_map()


def test_image_sequences(tmp_path):
    from PIL import Image

    for number in (1, 2, 10):
        Image.fromarray(films.frame(number)).save(tmp_path / f"shot_{number}.png")
    (tmp_path / "notes.txt").write_text("x")
    for text in (str(tmp_path), str(tmp_path / "shot_*.png"), str(tmp_path / "shot_%d.png")):
        source = open_source(text, Fraction(10))
        with source.frames() as frames:
            found = list(frames)
        assert [films.number(frame.item.read().pixels) for frame in found] == [1, 2, 10]
        assert [frame.time for frame in found] == [0, Fraction(1, 10), Fraction(2, 10)]
        assert isinstance(found[0].item, FileItem)
        assert (source.info.size, source.info.frames, source.info.rate) == ((48, 64), 3, 10)
    with open_source(str(tmp_path)).frames(start=Fraction(1, 25), after=1) as frames:
        assert [frame.index for frame in frames] == [2]


def test_patterns_ask_for_their_digits(tmp_path):
    from PIL import Image

    for name in ("f0001.png", "f0010.png", "f2.png", "f00003.png"):
        Image.fromarray(films.frame(1)).save(tmp_path / name)
    assert open_source(str(tmp_path / "f%04d.png")).info.frames == 2
    with pytest.raises(UserError, match=r"no frames: .* contains f0001\.png, f2\.png"):
        open_source(str(tmp_path / "g%04d.png"))


def test_what_is_no_sequence_is_refused(tmp_path):
    from PIL import Image

    Image.fromarray(films.frame(1)).save(tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="a single image"):
        open_source(str(tmp_path / "a.png"))
    with pytest.raises(UserError, match="no frames"):
        open_source(str(tmp_path / "empty"))
    with pytest.raises(UserError, match="its own times"):
        open_source(str(films.film(tmp_path / "a.mp4", 2)), Fraction(10))


def test_texts_of_a_file_are_not_taken_for_times(tmp_path):
    told = "[info] filter_raw -> pts:7 time"
    plain = films.film(tmp_path / "a.mkv", 5)
    texts = ["-metadata", f"title={told}", "-metadata:s:v", f"title={told}"]
    films.ffmpeg("-i", plain, "-c", "copy", *texts, tmp_path / "b.mkv")
    shots = read(tmp_path / "b.mkv")
    assert [(shot.index, shot.time) for shot in shots] == [(n, Fraction(n, 10)) for n in range(5)]
