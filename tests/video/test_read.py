"""Frames are spread over all of a film, however its frames are timed."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.video import FrameItem, sample_frames, write_video


@pytest.fixture
def film(tmp_path):
    """Thirty frames that grow brighter."""
    frames = [np.full((32, 48, 3), 8 * index, np.uint8) for index in range(30)]
    write_video(tmp_path / "film.mp4", frames, 10)
    return tmp_path / "film.mp4"


def levels(sample):
    return [int(frame.mean()) for frame in sample.frames]


def test_frames_are_evenly_spread(film):
    found = sample_frames(film, 3)
    np.testing.assert_allclose(levels(found), [40, 120, 200], atol=6)
    assert found.bits == pytest.approx(8 * film.stat().st_size / (32 * 48 * 30), rel=0.05)


def test_a_film_of_uneven_times_is_sampled_to_its_end(film, tmp_path):
    """Its rate times its duration is a multiple of the frames that it has."""
    uneven = tmp_path / "uneven.mkv"
    slower = "setpts=if(lt(N\\,25)\\,N\\,N*10)/10/TB"
    words = ["-i", film, "-vf", slower, "-fps_mode", "passthrough", "-loglevel", "error", uneven]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *map(str, words)], check=True)
    found = sample_frames(uneven, 3)
    np.testing.assert_allclose(levels(found), [40, 120, 200], atol=6)
    assert found.bits == pytest.approx(8 * uneven.stat().st_size / (32 * 48 * 30), rel=0.05)


def test_short_films_give_all_they_have(film):
    assert len(sample_frames(film, 99).frames) == 30


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    for name, said in (("a.mp4", "not a video"), ("b.mp4", "no such file")):
        with pytest.raises(UserError, match=said):
            sample_frames(tmp_path / name, 3)


def test_a_frame_is_an_item(film):
    item = FrameItem(film, 12)
    assert item.header().size == (32, 48)
    pixels = item.read().pixels
    assert (pixels.shape, pixels.dtype) == ((32, 48, 3), np.uint8)
    assert abs(int(pixels.mean()) - 96) <= 6
    with pytest.raises(UserError, match=r"film\.mp4, frame 30: the video ends before it"):
        FrameItem(film, 30).read()
    with pytest.raises(UserError, match="no exact ids"):
        item.read_ids()
