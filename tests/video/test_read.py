"""Frames are sampled evenly from the whole video, also at variable frame rates."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.video import FrameItem, sample_frames, write_video


@pytest.fixture
def video(tmp_path):
    """Thirty frames of increasing brightness."""
    frames = [np.full((32, 48, 3), 8 * index, np.uint8) for index in range(30)]
    write_video(tmp_path / "video.mp4", frames, 10)
    return tmp_path / "video.mp4"


def levels(sample):
    return [int(frame.mean()) for frame in sample.frames]


def test_frames_are_evenly_spaced(video):
    found = sample_frames(video, 3)
    np.testing.assert_allclose(levels(found), [40, 120, 200], atol=6)
    assert found.bits_per_pixel == pytest.approx(8 * video.stat().st_size / (32 * 48 * 30), rel=0.05)


def test_a_video_of_variable_frame_rate_is_sampled_to_its_end(video, tmp_path):
    """Its frame rate times its duration is a multiple of its number of frames."""
    uneven = tmp_path / "uneven.mkv"
    slower = "setpts=if(lt(N\\,25)\\,N\\,N*10)/10/TB"
    words = ["-i", video, "-vf", slower, "-fps_mode", "passthrough", "-loglevel", "error", uneven]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *map(str, words)], check=True)
    found = sample_frames(uneven, 3)
    np.testing.assert_allclose(levels(found), [40, 120, 200], atol=6)
    assert found.bits_per_pixel == pytest.approx(8 * uneven.stat().st_size / (32 * 48 * 30), rel=0.05)


def test_short_videos_give_all_their_frames(video):
    assert len(sample_frames(video, 99).frames) == 30


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    for name, message in (("a.mp4", "not a video"), ("b.mp4", "no such file")):
        with pytest.raises(UserError, match=message):
            sample_frames(tmp_path / name, 3)


def test_a_frame_is_an_item(video):
    item = FrameItem(video, 12)
    assert item.header().size == (32, 48)
    pixels = item.read().pixels
    assert (pixels.shape, pixels.dtype) == ((32, 48, 3), np.uint8)
    assert abs(int(pixels.mean()) - 96) <= 6
    with pytest.raises(UserError, match=r"video\.mp4, frame 30: the video ends before it"):
        FrameItem(video, 30).read()
    with pytest.raises(UserError, match="no exact ids"):
        item.read_map()
