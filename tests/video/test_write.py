"""Written videos hold their frames; failures are reported."""

import imageio_ffmpeg
import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.video import write_video, writer


def test_frames_come_back_in_number_size_and_colour(tmp_path):
    frames = [np.full((33, 46, 3), value, np.uint8) for value in (0, 120, 250)]
    assert write_video(tmp_path / "video.mp4", frames, 10) == 3
    reader = imageio_ffmpeg.read_frames(str(tmp_path / "video.mp4"))
    metadata = next(reader)
    assert metadata["size"] == (46, 34)
    assert metadata["fps"] == 10
    means = [np.frombuffer(frame, np.uint8).mean() for frame in reader]
    assert means == pytest.approx([0, 120, 250], abs=3)


def test_a_video_needs_frames(tmp_path):
    with pytest.raises(UserError, match="no frames to write"):
        write_video(tmp_path / "video.mp4", [], 10)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_encoder_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "count_packets", lambda _: 1)
    with pytest.raises(UserError, match=r"cannot write .*1 of 2 frames"):
        write_video(tmp_path / "video.mp4", [np.zeros((16, 16, 3), np.uint8)] * 2, 10)
    assert list(tmp_path.iterdir()) == []
